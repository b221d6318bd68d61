"""``validate(data, shapes)``: validation for programs, on files and graphs of any project."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import UsageError
from clustergraph.positions import Source
from clustergraph.validation import locate, run, since

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clustergraph.validation.report import Report


@runtime_checkable
class _Serialisable(Protocol):
    """A graph of rdflib, without importing it."""

    def serialize(self, *, format: str) -> str:  # noqa: A002  # rdflib's name
        """The graph as text."""
        ...


Input: TypeAlias = (
    "str | Path | Sequence[str | Path] | Iterable[ox.Quad | ox.Triple] | _Serialisable"
)
"""Files and folders, statements of pyoxigraph (also a ``Store``), or a graph of rdflib."""

_WELL_KNOWN = {
    "sh": rdf.SHACL,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "owl": "http://www.w3.org/2002/07/owl#",
}


def validate(
    data: Input,
    shapes: Input | None = None,
    *,
    base: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
    unsaved: Mapping[Path, str] | None = None,
    before: Input | None = None,
) -> Report:
    """Validate data against shapes (SHACL Core and SHACL-SPARQL), without inference.

    The findings of files have their places. The shapes are looked at too: a misspelt term, a
    shape without anything to look at and an empty shapes graph are findings.

    Args:
        data: what is validated; the merge of all its graphs.
        shapes: the shapes graph; if it is not given, the shapes in the data.
        base: what relative IRIs in files are resolved against; by default a file's own address.
        progress: called with the name of each step before it is taken.
        unsaved: texts that stand for files, by resolved path.
        before: the data as they were: only nodes that the change can matter to are validated.

    Raises:
        SourceError: a file cannot be read; names line and column.
        UsageError: the shapes cannot be used; says why.
    """
    data_quads, sources = _read(data, base, "data", progress, unsaved)
    if shapes is None:
        shapes_quads = data_quads
    else:
        shapes_quads, more = _read(shapes, base, "shapes", progress, unsaved)
        known = {source.path for source in sources}
        sources += [each for each in more if each.path not in known]
    focus = None
    if before is not None:
        old = _read(before, base, "data", progress, None)[0]
        focus = since.nodes(old, data_quads, shapes_quads)
    report = run.check(
        data_quads,
        shapes_quads,
        rules={},
        prefixes=_WELL_KNOWN,
        shapes_required=True,
        each_once=False,
        focus=focus,
        progress=progress,
    )
    if not report.findings or not sources:
        return report
    declared = {
        prefix: iri
        for source in reversed(sources)
        for prefix, iri in source.prefixes.items()
        if prefix
    }
    report = type(report)(report.findings, {**_WELL_KNOWN, **declared})
    return locate.located(report, sources)


def files(paths: Iterable[str | Path]) -> list[Path]:
    """The RDF files that paths stand for: themselves, or those in a folder and below.

    Raises:
        UsageError: there is none at a path.
    """
    found: dict[Path, None] = {}
    for each in map(Path, paths):
        if each.is_dir():
            inside = [path for path in sorted(each.rglob("*")) if _is_ours(path, each)]
            if not inside:
                raise UsageError(f"There is no RDF file in {each}.")
            found.update(dict.fromkeys(inside))
        elif each.exists():
            found[each] = None
        else:
            raise UsageError(f"There is no file {each}.")
    return list(found)


def _is_ours(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.is_file() and rdf.is_source(path) and not hidden


def source_of(
    path: Path, *, base: str | None, kind: str, unsaved: Mapping[Path, str] | None = None
) -> tuple[Source, list[ox.Quad]]:
    """A file as something to look places up in, and its quads.

    Raises:
        SourceError: it cannot be read.
    """
    root = path.resolve().as_uri() if base is None else base
    quads = rdf.read(path, base=root, unsaved=unsaved)
    source = lazily(path, base=root, kind=kind, unsaved=unsaved)
    source.engine = lambda: quads
    return source, quads


def lazily(
    path: Path, *, base: str | None = None, kind: str, unsaved: Mapping[Path, str] | None = None
) -> Source:
    """A file as something to look places up in, not read yet.

    Raises:
        SourceError: its suffix is of no RDF format.
    """
    root = path.resolve().as_uri() if base is None else base
    return Source(
        path=path.as_posix(),
        suffix=rdf.format_of(path).suffix,
        load=lambda: rdf.text(path, unsaved),
        engine=lambda: rdf.read(path, base=root, unsaved=unsaved),
        base=root,
        kind=kind,
    )


def _read(
    given: Input,
    base: str | None,
    kind: str,
    progress: Callable[[str], None],
    unsaved: Mapping[Path, str] | None,
) -> tuple[list[ox.Quad], list[Source]]:
    if isinstance(given, _Serialisable):
        text = given.serialize(format="nt")
        return list(ox.parse(text.encode(), ox.RdfFormat.N_TRIPLES)), []
    paths: Sequence[object] = [given] if isinstance(given, str | Path) else list(given)
    if not all(isinstance(each, str | Path) for each in paths):
        return [_quad(each) for each in paths], []
    quads: list[ox.Quad] = []
    sources: list[Source] = []
    typed = [each for each in map(Path, paths) if unsaved and each.resolve() in unsaved]  # type: ignore[arg-type]  # checked above
    others = [each for each in map(Path, paths) if each not in typed]  # type: ignore[arg-type]
    for path in [*typed, *files(others)]:
        progress(str(path))
        source, own = source_of(path, base=base, kind=kind, unsaved=unsaved)
        sources.append(source)
        quads += own
    return quads, sources


def _quad(each: object) -> ox.Quad:
    if isinstance(each, ox.Quad):
        return each
    if isinstance(each, ox.Triple):
        return ox.Quad(each.subject, each.predicate, each.object)
    raise UsageError(f"{each!r:.100} is neither a file nor a statement of a graph.")
