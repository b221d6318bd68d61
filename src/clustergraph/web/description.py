"""The SPARQL 1.1 Service Description: what the endpoint can do, and what it holds."""

from __future__ import annotations

import functools
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import request

from clustergraph import rdf, sparql
from clustergraph.store import DatasetClause
from clustergraph.web import respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Response

    from clustergraph.reading import OpenRelease
    from clustergraph.settings import Settings

_HERE = Path(__file__).resolve().parent
_SD = "http://www.w3.org/ns/sparql-service-description#"
_VOID = "http://rdfs.org/ns/void#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_INTEGER = ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")


def service(page: Callable[[], str]) -> Response:
    """The description in the format that the client accepts; for browsers the page."""
    chosen = respond.acceptable((rdf.TURTLE, HTML, *rdf.RDF_FORMATS[1:]))
    if not isinstance(chosen, rdf.RdfFormat):
        return respond.represent(chosen, page)
    graph, release = views.graph(), views.release()
    address = f"{graph.settings.public_url or request.url_root.rstrip('/')}/sparql"
    return respond.represent(
        chosen,
        lambda: rdf.serialise(
            _description(graph.settings, release, address), chosen, graph.prefixes
        ),
        parts=(address,),
    )


def _description(settings: Settings, release: OpenRelease, address: str) -> list[ox.Quad]:
    """The triples of the service description.

    Args:
        settings: of the project.
        release: what is described.
        address: where the service is asked: ``sd:endpoint``.
    """
    endpoint = settings.iri("sparql")
    parts = [f"<{endpoint}#graph-{number}>" for number, _ in enumerate(release.graphs, start=1)]
    text = string.Template((_HERE / "service-description.ttl").read_text(encoding="utf-8"))
    turtle = text.substitute(
        endpoint=endpoint,
        address=address,
        triples=release.manifest.triples,
        features="sd:EmptyGraphs , sd:UnionDefaultGraph"
        if settings.default_graph == "merge"
        else "sd:EmptyGraphs",
        named=f"; sd:namedGraph {' , '.join(parts)}" if parts else "",
    )
    quads = rdf.parse(turtle.encode(), rdf.TURTLE, base=settings.base, name="description")
    for node, (name, size) in zip(parts, release.graphs.items(), strict=True):
        quads += _named_graph(node.strip("<>"), name, size)
    service_node = ox.NamedNode(endpoint)
    for function in extension_functions():
        quads.append(ox.Quad(service_node, _sd("extensionFunction"), function))
        quads.append(ox.Quad(function, _TYPE, _sd("Function")))
    return [*quads, *_statistics(settings, release)]


def _named_graph(node: str, name: str, size: int) -> Iterator[ox.Quad]:
    subject, graph = ox.NamedNode(node), ox.NamedNode(f"{node}-contents")
    yield ox.Quad(subject, _TYPE, _sd("NamedGraph"))
    yield ox.Quad(subject, _sd("name"), ox.NamedNode(name))
    yield ox.Quad(subject, _sd("graph"), graph)
    yield ox.Quad(graph, _TYPE, _sd("Graph"))
    yield ox.Quad(graph, _TYPE, ox.NamedNode(_VOID + "Dataset"))
    size_term = ox.Literal(str(size), datatype=_INTEGER)
    yield ox.Quad(graph, ox.NamedNode(_VOID + "triples"), size_term)


def _statistics(settings: Settings, release: OpenRelease) -> Iterator[ox.Quad]:
    """The VoID of the default graph: counts, classes and properties, as the catalogue has them.

    They are of the merge; where the default graph is none, they are told of the dataset.
    """
    text = (_HERE / "graph.rq").read_text(encoding="utf-8")
    chunks = release.store.answer(
        sparql.parse(text), rdf.N_TRIPLES, DatasetClause((settings.iri("graph/catalogue"),))
    )
    default = ox.NamedNode(settings.iri("sparql") + "#default-graph")
    for quad in ox.parse(b"".join(chunks), rdf.N_TRIPLES.engine):
        if not quad.predicate.value.startswith(_VOID):
            continue
        is_whole = str(quad.subject) == f"<{settings.dataset_iri}>"
        is_default = is_whole and settings.default_graph == "merge"
        yield ox.Quad(default if is_default else quad.subject, quad.predicate, quad.object)


@functools.cache
def extension_functions() -> tuple[ox.NamedNode, ...]:
    """The functions beyond SPARQL 1.1 that the engine has: each is called, to find out."""
    lines = (_HERE / "extension-functions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(
        ox.NamedNode(line) for line in lines if line and not line.startswith("#") and _has(line)
    )


def _has(function: str) -> bool:
    empty = ox.Store()
    text = string.Template((_HERE / "function.rq").read_text(encoding="utf-8"))
    for arguments in ("", "1", "1, 1"):
        try:
            list(empty.query(text.substitute(function=function, arguments=arguments)))  # type: ignore[arg-type]  # solutions iterate
        except RuntimeError:
            continue
        return True
    return False


def _sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + name)
