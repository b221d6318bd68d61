"""The quads of the document of an IRI, whatever the graph says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.pages.queries import select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from clustergraph.store import Backend, Row


def document(backend: Backend, graphs: Collection[str], iri: str) -> list[ox.Quad]:
    """What a document about an IRI holds; empty if the graph does not know it.

    The named graph of that name, with what is said of the graph itself; else the description of
    the thing and its parts; else, for the version of a vocabulary, that vocabulary; else the
    statements in which the IRI occurs.

    Args:
        backend: the store of the release.
        graphs: the names of its named graphs.
        iri: what the document is about.
    """
    node = ox.NamedNode(iri)
    described = _quads(select(backend, "description", thing=node, parts=ox.Literal(iri + "#")))
    if iri in graphs:
        content = _quads(select(backend, "contents", graph=node))
        return list(dict.fromkeys([*described, *content]))
    if described:
        return described
    for row in select(backend, "versions", thing=node):
        return document(backend, graphs, row["vocabulary"].value)
    return _quads(select(backend, "mentions", thing=node))


def _quads(rows: Iterable[Row]) -> list[ox.Quad]:
    quads: list[ox.Quad] = []
    for row in rows:
        subject, predicate, graph = row["s"], row["p"], row.get("g")
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode):
            continue
        name = graph if isinstance(graph, ox.NamedNode) else rdf.DEFAULT_GRAPH
        quads.append(ox.Quad(subject, predicate, row["o"], name))
    return quads
