"""The worker: a confined process that validates one document and writes the report.

``python -m clustergraph.validator.worker MEMORY LARGEST`` reads a request as JSON from standard
input (see ``checks``) and writes a line of JSON with what came of it, then the report.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph import catalogue, jsonld, project, rdf, settings
from clustergraph.errors import (
    ClusterGraphError,
    NotFoundError,
    StoreError,
    TooLargeError,
    UsageError,
)
from clustergraph.positions import Source
from clustergraph.process import confined
from clustergraph.releases import Archive, Pipeline
from clustergraph.validation import Report, anywhere, forms, locate, syntax
from clustergraph.validator.foreign import check_shapes

if TYPE_CHECKING:
    from clustergraph.settings import Settings

_PUBLISHED = "the published graph"
"""How what is in the release is called in places."""


def main() -> int:
    """Read the request, validate, write."""
    memory, largest = map(int, sys.argv[1:])
    request = json.loads(sys.stdin.buffer.read())
    own = settings.load()
    confined.confine(memory=memory, largest=largest)
    try:
        report, readable = _checked(request, own)
        body = _written(report, request["form"])
    except ClusterGraphError as error:
        confined.tell(error)
        return 1
    except RecursionError:
        confined.tell(TooLargeError("The document or its shapes are nested too deep."))
        return 1
    head = {"readable": readable, "conforms": readable and report.conforms}
    try:
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
        sys.stdout.buffer.flush()
    except OSError:  # larger than it may be
        os._exit(1)  # what is still in the buffer would fail again
    return 0


def _checked(request: dict[str, Any], own: Settings) -> tuple[Report, bool]:
    """The report, and whether everything could be read."""
    if "file" in request:
        return _file_of_project(own, request["file"]), True
    document = Path(request["document"])
    shapes = Path(request["shapes"]) if "shapes" in request else None
    alone = request["against"] != "project"
    base = f"file:///{document.name}" if alone else own.base
    contexts = {} if alone else jsonld.pinned(own.project, own.written_base, own.base)
    os.chdir(request["folder"])  # so that places tell no more than the name
    paths = [path.relative_to(request["folder"]) for path in (document, shapes) if path]
    report = syntax.check(paths, base=base, contexts=contexts, named=Path.as_posix)
    if report.findings:
        node = ox.NamedNode(f"file:///{document.name}")
        return replace(
            report, findings=tuple(replace(each, focus=node) for each in report.findings)
        ), False
    if request["against"] == "none":
        return report, True
    if alone:
        check_shapes(rdf.read(paths[-1], base=base))
        return anywhere.validate(paths[:1], paths[1:] or None, base=base), True
    return _beside_the_published(own, paths[0], contexts, Path(request["release"])), True


def _file_of_project(own: Settings, path: str) -> Report:
    """The findings in one of the project's files, among all of them."""
    os.chdir(own.project)  # so that places are relative to it
    sources = project.sources(own)
    if path not in {each.path for each in sources}:
        raise NotFoundError(f"The project has no public file {path[:80]!r}.")
    quads = [quad for source in sources for quad in source.engine()]
    public = [
        quad
        for quad in quads
        if not (
            isinstance(quad.graph_name, ox.NamedNode) and own.is_restricted(quad.graph_name.value)
        )
    ]
    report = Pipeline(Archive(own.variable), own).completed(public)[1]
    return locate.located(report, sources, named=str).within({path})


def _beside_the_published(
    own: Settings, path: Path, contexts: dict[str, str], release: Path
) -> Report:
    """The findings about what a document describes, as if it were added to the public graph."""
    pipeline = Pipeline(Archive(own.variable), own)
    try:
        store = ox.Store.read_only(str(release))
        published = [
            quad
            for quad in store
            if not isinstance(quad.graph_name, ox.DefaultGraph) and pipeline.is_asserted(quad)
        ]
    except (OSError, RuntimeError) as error:
        raise StoreError(f"The release cannot be read: {error}") from error
    home = ox.NamedNode(own.iri(own.update_graph))
    raw = rdf.rebase(rdf.read(path, base=own.base, contexts=contexts), own.written_base, own.base)
    quads = [
        ox.Quad(quad.subject, quad.predicate, quad.object, home)
        if isinstance(quad.graph_name, ox.DefaultGraph)
        else quad
        for quad in raw
    ]
    if any(catalogue.is_computed(quad, own) for quad in quads) and own.derive:
        raise UsageError("The document fills a graph that the program computes.")
    shapes = ox.NamedNode(own.iri("shapes"))
    check_shapes(quad for quad in quads if quad.graph_name == shapes)
    report = pipeline.completed([*published, *quads])[1]
    described = {quad.subject for quad in quads}
    kept = tuple(
        each
        for each in report.findings
        if each.focus in described or each.value in described or not each.is_result
    )
    sources = [
        Source(
            path=path.as_posix(),
            suffix=rdf.format_of(path).suffix,
            load=lambda: rdf.text(path),
            engine=lambda: quads,
            base=own.base,
            moved=(own.written_base, own.base),
            home=lambda: home.value,
        ),
        Source(path=_PUBLISHED, suffix="", load=str, engine=lambda: published),
    ]
    return locate.located(replace(report, findings=kept), sources, named=str)


def _written(report: Report, form: str) -> bytes:
    """The report in one of its forms, or as an RDF graph in any format."""
    if form in forms.FORMS:
        return forms.write(report, form).encode("utf-8", "replace")
    fmt = next(each for each in rdf.RDF_FORMATS if each.suffix == form)
    if fmt is rdf.TURTLE:
        return report.to_turtle()
    quads = rdf.parse(report.to_turtle(), rdf.TURTLE, base="file:///", name="the report")
    return rdf.serialise(quads, fmt, {**report.prefixes, "sh": rdf.SHACL})


if __name__ == "__main__":
    sys.exit(main())
