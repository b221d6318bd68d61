"""A project on disk: which files it has, in which named graph the triples of each stand."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import jsonld, queries, rdf, tombstones
from clustergraph import settings as settings_module
from clustergraph.errors import SourceError
from clustergraph.positions import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clustergraph.queries import StoredQuery
    from clustergraph.settings import Settings

_RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_HEADS = (
    ox.NamedNode("http://www.w3.org/2002/07/owl#Ontology"),
    ox.NamedNode("http://www.w3.org/2004/02/skos/core#ConceptScheme"),
)
RESTRICTED_FOLDER = Path("data/restricted")
"""Files below it may only fill restricted graphs."""


@dataclass(frozen=True)
class Content:
    """All that a project's files say, under the published base."""

    quads: tuple[ox.Quad, ...]
    """Every quad, in named graphs only."""
    queries: Mapping[str, StoredQuery] = field(default_factory=dict)
    """The stored queries of ``queries/``."""


def files(settings: Settings) -> list[Path]:
    """The RDF files of a project, relative to it, in a fixed order."""
    found: list[Path] = []
    for folder in ("ontology", "shapes", "data"):
        root = settings.project / folder
        found += (
            path.relative_to(settings.project)
            for path in sorted(root.rglob("*"))
            if path.is_file()
            and rdf.is_source(path)
            and path.name != "context.jsonld"
            and path.parent != root / "contexts"
            and not path.name.startswith(".")
        )
    return found


def other_files(settings: Settings) -> list[Path]:
    """The project's settings, rules and stored queries: what its graph depends on beside RDF."""
    return [
        settings.project / settings_module.PROJECT_FILE,
        *(
            path
            for folder, pattern in (
                ("ontology/rules", "*.rq"),
                ("shapes/rules", "*.rq"),
                ("queries", "*.rq"),
                ("queries", "*.csv"),
            )
            for path in sorted((settings.project / folder).rglob(pattern))
        ),
    ]


def fingerprint(settings: Settings) -> str:
    """SHA-256 over all that a build depends on: the project's files, its settings, this program.

    Two builds with the same fingerprint give the same graph.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent
    parts: list[tuple[str, Path]] = [
        (str(path), settings.project / path) for path in files(settings)
    ]
    parts += (
        (str(path.relative_to(settings.project)), path)
        for path in other_files(settings)
        if path.name != settings_module.PROJECT_FILE
    )
    parts += (
        ("program/" + str(path.relative_to(package)), path)
        for pattern in ("*.py", "*.rq")
        for path in sorted(package.rglob(pattern))
        if "web" not in path.parts and package / "project" not in path.parents
    )
    for name, path in parts:
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    graph_settings = (
        settings.base,
        settings.slug,
        settings.title,
        settings.description,
        settings.publisher,
        settings.licence,
        settings.issued,
        settings.modified,
        settings.example,
        settings.languages,
        settings.default_graph,
        settings.restricted,
    )
    digest.update(repr(graph_settings).encode())
    return digest.hexdigest()


def read(
    settings: Settings,
    progress: Callable[[str], None] = lambda _: None,
    *,
    erased: frozenset[str] = frozenset(),
    unsaved: Mapping[Path, str] | None = None,
) -> Content:
    """Read a project whole.

    Args:
        settings: the project's settings.
        progress: called with the name of each file before it is read.
        erased: hashes of what was erased, so that no file may hold it any more.
        unsaved: texts that stand for files, by resolved path.

    Raises:
        SourceError: a file cannot be read, fills a graph that its folder does not allow, or holds
            what was erased.
    """
    quads: list[ox.Quad] = []
    contexts = jsonld.pinned(settings.project, settings.written_base, settings.base)
    for number, path in enumerate(files(settings)):
        progress(str(path))
        quads += read_file(settings, number, path, contexts, erased=erased, unsaved=unsaved)
    return Content(quads=tuple(dict.fromkeys(quads)), queries=stored_queries(settings))


def read_file(
    settings: Settings,
    number: int,
    path: Path,
    contexts: Mapping[str, str],
    *,
    erased: frozenset[str] = frozenset(),
    unsaved: Mapping[Path, str] | None = None,
) -> list[ox.Quad]:
    """Read one file of a project; see ``read``.

    Args:
        settings: the project's settings.
        number: of the file, among ``files``: its blank nodes are named by it.
        path: relative to the project.
        contexts: the JSON-LD contexts that it may name.
        erased: hashes of what was erased.
        unsaved: texts that stand for files, by resolved path.

    Raises:
        SourceError: see ``read``.
    """
    raw = rdf.read(
        settings.project / path,
        base=settings.written_base,
        name=shown(settings, path),
        contexts=contexts,
        unsaved=unsaved,
    )
    placed = list(rdf.rebase(_place(raw, path, settings), settings.written_base, settings.base))
    check_erased(placed, path, settings, erased)
    return rdf.name_blank_nodes(placed, f"f{number}")


def sources(settings: Settings, unsaved: Mapping[Path, str] | None = None) -> list[Source]:
    """The files in which places are looked up: those of the data, of the ontology, of the shapes.

    Nothing is read yet. Restricted files are left out, since reports are about the public graph.
    """
    contexts = jsonld.pinned(settings.project, settings.written_base, settings.base)
    found = [
        _source(settings, path, number, contexts, unsaved)
        for number, path in enumerate(files(settings))
        if RESTRICTED_FOLDER not in path.parents
    ]
    return sorted(found, key=lambda each: each.kind)


def _source(
    settings: Settings,
    path: Path,
    number: int,
    contexts: Mapping[str, str],
    unsaved: Mapping[Path, str] | None,
) -> Source:
    full, old = settings.project / path, settings.written_base

    def raw() -> list[ox.Quad]:
        return rdf.read(
            full, base=old, name=shown(settings, path), contexts=contexts, unsaved=unsaved
        )

    def engine() -> list[ox.Quad]:
        placed = rdf.rebase(_place(raw(), path, settings), old, settings.base)
        return rdf.name_blank_nodes(placed, f"f{number}")

    return Source(
        path=shown(settings, path),
        suffix=rdf.format_of(path).suffix,
        load=lambda: rdf.text(full, unsaved),
        engine=engine,
        base=old,
        moved=(old, settings.base),
        home=lambda: home_of(raw(), path, settings).replace(old, settings.base, 1),
        kind=path.parts[0],
        owns=lambda label: label.startswith(f"f{number}c14n"),
    )


def _queries(settings: Settings, folder: str) -> Mapping[str, StoredQuery]:
    root = settings.project / folder
    return queries.read_folder(root, written_base=settings.written_base, base=settings.base)


def erasures(settings: Settings) -> frozenset[str]:
    """Hashes of what the project says was erased: the first column of ``data/erasures.csv``.

    A line holds an IRI, absolute or relative to the base, or ``sha256:`` and the hash of the
    relative IRI (which names nobody).

    Raises:
        SourceError: the file cannot be read.
    """
    path = settings.project / "data/erasures.csv"
    if not path.is_file():
        return frozenset()
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.reader(lines) if row and row[0] not in {"", "iri"}]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(str(path), f"cannot be read: {error}") from error
    return frozenset(
        row[0].removeprefix("sha256:")
        if row[0].startswith("sha256:")
        else tombstones.hashed(row[0], settings.written_base)
        for row in rows
    )


def stored_queries(settings: Settings) -> Mapping[str, StoredQuery]:
    """The project's stored queries: those of ``queries/``."""
    return _queries(settings, "queries")


def rules(settings: Settings) -> Mapping[str, StoredQuery]:
    """The project's inference rules: the CONSTRUCT queries of ``ontology/rules/``."""
    return _queries(settings, "ontology/rules")


def dataset_rules(settings: Settings) -> Mapping[str, StoredQuery]:
    """The project's validation rules over quads: the SELECT queries of ``shapes/rules/``."""
    return _queries(settings, "shapes/rules")


def check_erased(
    quads: Iterable[ox.Quad], path: Path, settings: Settings, erased: frozenset[str]
) -> None:
    """Look for what was erased among the quads of a file.

    Raises:
        SourceError: it is there.
    """
    iri = tombstones.first_erased((), quads, settings.base, erased)
    if iri is not None:
        raise SourceError(
            shown(settings, path),
            f"holds <{iri}>, which was erased on request.",
            hint="Take everything about it out of this file; it must not come back.",
        )


def shown(settings: Settings, path: Path | str) -> str:
    """How a file is named to a person: relative to where they are, if it is below."""
    full = settings.project / path
    try:
        return str(full.relative_to(Path.cwd()))
    except ValueError:
        return str(full)


def _place(quads: Iterable[ox.Quad], path: Path, settings: Settings) -> list[ox.Quad]:
    """Put the triples that stand in no named graph into the one of their file."""
    quads = list(quads)
    home = ox.NamedNode(home_of(quads, path, settings))
    placed = [
        ox.Quad(quad.subject, quad.predicate, quad.object, home)
        if isinstance(quad.graph_name, ox.DefaultGraph)
        else quad
        for quad in quads
    ]
    if RESTRICTED_FOLDER in path.parents:
        _check_restricted(placed, path, settings)
    return placed


def home_of(quads: Iterable[ox.Quad], path: Path, settings: Settings) -> str:
    """The graph of a file that names none.

    An ontology or a concept scheme stands in the graph named like itself, all shapes stand in
    ``shapes``, data in ``graph/source/{file}``.
    """
    base = settings.written_base
    kind = path.parts[0]
    if kind == "shapes":
        return base + "shapes"
    if kind == "ontology":
        heads = sorted(
            (
                quad.subject.value
                for quad in quads
                if quad.predicate == _RDF_TYPE
                and quad.object in _HEADS
                and isinstance(quad.subject, ox.NamedNode)
                and quad.subject.value.startswith(base)
            ),
            key=lambda iri: (len(iri), iri),
        )
        return heads[0] if heads else f"{base}graph/ontology/{path.stem}"
    if RESTRICTED_FOLDER in path.parents:
        return f"{base}graph/restricted/{path.stem}"
    return f"{base}graph/source/{path.stem}"


def _check_restricted(quads: Iterable[ox.Quad], path: Path, settings: Settings) -> None:
    for quad in quads:
        name = str(getattr(quad.graph_name, "value", ""))
        inside = name.removeprefix(settings.written_base)
        if not any(inside.startswith(prefix) for prefix in settings.restricted):
            raise SourceError(
                shown(settings, path),
                f"a file of {RESTRICTED_FOLDER} fills the public graph <{name}>.",
                hint="Put its triples in a graph below " + ", ".join(settings.restricted) + ".",
            )
