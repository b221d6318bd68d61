"""Which nodes a change can matter to: those alone need be validated anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.validation import engine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.rdf import Term


def nodes(
    before: Iterable[ox.Quad],
    after: Iterable[ox.Quad],
    shapes: Iterable[ox.Quad],
    *,
    shapes_before: Iterable[ox.Quad] | None = None,
) -> set[Term] | None:
    """The focus nodes that the change from one graph to another can matter to; None for all.

    Both are compared as shapes see them: as triples, whatever graphs they stand in. The statements
    about a blank node count as changed if its label has.

    Args:
        before: the data as they were.
        after: the data as they are.
        shapes: the shapes graph.
        shapes_before: the shapes graph as it was, if that may have changed.

    Raises:
        UsageError: the shapes cannot be used.
    """
    shapes = list(shapes)
    if shapes_before is not None and _named(shapes_before) != _named(shapes):
        return None
    old, new = (
        {ox.Quad(each.subject, each.predicate, each.object) for each in rdf.triples(quads)}
        for quads in (before, after)
    )
    store = ox.Store()
    store.bulk_extend(new)
    return within(store, new - old, old - new, shapes)


def _named(quads: Iterable[ox.Quad]) -> set[ox.Triple]:
    """A graph with names for blank nodes that depend on the content alone."""
    return set(rdf.triples(rdf.name_blank_nodes(quads, "n")))


def within(
    after: ox.Store,
    added: Iterable[ox.Quad],
    removed: Iterable[ox.Quad],
    shapes: Iterable[ox.Quad],
) -> set[Term] | None:
    """The same, from what came and what went; the store may hold more than the data."""
    try:
        return engine.affected(engine.footprint(shapes), after, added, removed)
    except engine.UnsupportedShapeError:
        return None
