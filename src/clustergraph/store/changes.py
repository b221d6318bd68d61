"""What an update changes: each operation evaluated over a store to the quads it adds and removes.

The store is only read here. In a merged dataset the default graph is the merge of the named ones,
so it is never written itself: a triple inserted without a graph goes into the dataset's home graph,
one deleted without a graph is deleted from every graph that states it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf, update
from clustergraph.errors import QueryError
from clustergraph.patch import Patch
from clustergraph.store.embedded import as_stored, matching, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clustergraph.rdf import Term


def _never(_graph: str) -> bool:
    return False


@dataclass(frozen=True)
class Dataset:
    """How the default graph of a store is to be understood."""

    merged: bool = False
    """Whether it is the merge of the named graphs; else it is a graph of its own."""
    home: ox.NamedNode | None = None
    """Where triples go that are inserted without a graph; only if merged."""
    computed: frozenset[ox.NamedNode] = frozenset()
    """Graphs that the program computes: nothing is deleted from them by way of the merge."""
    is_restricted: Callable[[str], bool] = _never
    """Whether a graph is not for everybody: what it states, the public merge does not say."""


@dataclass(frozen=True)
class Effect:
    """What an operation does to a store."""

    patch: Patch = field(default_factory=Patch)
    created: frozenset[ox.NamedNode] = frozenset()
    """Graphs that did not exist, and do from now on, be they empty."""
    dropped: frozenset[ox.NamedNode] = frozenset()
    """Graphs that existed, and do not any more."""

    def then(self, later: Effect) -> Effect:
        """What this one and then ``later`` do together."""
        return Effect(
            self.patch.then(later.patch),
            (self.created - later.dropped) | (later.created - self.dropped),
            (self.dropped - later.created) | (later.dropped - self.created),
        )

    def inverse(self) -> Effect:
        """What undoes this one."""
        return Effect(self.patch.inverse(), self.dropped, self.created)


def evaluate(
    operation: update.Operation,
    store: ox.Store,
    dataset: Dataset,
    *,
    asked: ox.Store | None = None,
    using: tuple[str, ...] = (),
    using_named: tuple[str, ...] = (),
) -> Effect:
    """What an operation changes.

    Args:
        operation: of an update that was guarded.
        store: the state before it, as far as its author may see it: nothing else is read.
        dataset: how its default graph is to be understood.
        asked: a copy of it that patterns are asked of.
        using: the default graphs of patterns by the protocol's parameters (2.2.3).
        using_named: the named graphs of patterns by the protocol's parameters.

    Raises:
        QueryError: it cannot be done: a graph exists already, or does not exist; its dataset is
            named twice.
    """
    match operation:
        case update.Data():
            removed, added = ((), operation.quads) if operation.insert else (operation.quads, ())
            return _effect(store, dataset, removed, added)
        case update.Modify():
            default, named = _dataset_of(operation, using, using_named)
            solutions = _solve(asked or store, operation.query, default, named)
            return _modify(operation, store, dataset, solutions)
        case update.Clear():
            return _clear(operation, store, dataset)
        case update.Create():
            if store.contains_named_graph(operation.graph):
                return _refused(operation.silent, f"The graph {operation.graph} exists already.")
            return Effect(created=frozenset({operation.graph}))
        case update.Transfer():
            return _transfer(operation, store, dataset)


def _solve(
    store: ox.Store,
    text: str,
    default: list[ox.NamedNode] | None,
    named: list[ox.NamedNode] | None,
) -> ox.QuerySolutions:
    try:
        solutions = solve(store, text, default, named)
    except QueryError as error:  # its place is one in a text that the author never saw
        message = error.message if error.line is None else error.message.partition(": ")[2]
        raise QueryError(message, hint=error.hint) from error
    if not isinstance(solutions, ox.QuerySolutions):
        raise TypeError("a pattern's query must be a SELECT query")
    return solutions


def _refused(silent: bool, message: str) -> Effect:
    if silent:
        return Effect()
    raise QueryError(message, hint="With SILENT, the operation is passed over.")


def _effect(
    store: ox.Store, dataset: Dataset, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]
) -> Effect:
    """The effective patch: removals first, then additions (3.1.3)."""
    gone = {quad for each in as_stored(removed) for quad in _where_stated(store, dataset, each)}
    new: set[ox.Quad] = set()
    for quad in as_stored(added):
        placed = _placed(store, dataset, quad, gone)
        if placed is not None:
            new.add(placed)
    patch = Patch(
        frozenset(quad for quad in new - gone if quad not in store), frozenset(gone - new)
    )
    return Effect(patch, _new(store, (quad.graph_name for quad in patch.added)))


def _new(store: ox.Store, graphs: Iterable[object]) -> frozenset[ox.NamedNode]:
    """Those graphs that do not exist yet."""
    return frozenset(
        graph
        for graph in set(graphs)
        if isinstance(graph, ox.NamedNode) and not store.contains_named_graph(graph)
    )


def _where_stated(store: ox.Store, dataset: Dataset, quad: ox.Quad) -> Iterator[ox.Quad]:
    """The stored quads that go when a quad is deleted."""
    everywhere = dataset.merged and isinstance(quad.graph_name, ox.DefaultGraph)
    for each in matching(store, quad):
        if everywhere:
            named = isinstance(each.graph_name, ox.NamedNode)
            if named and each.graph_name not in dataset.computed:
                yield each
        elif each.graph_name == quad.graph_name:
            yield each


def _placed(store: ox.Store, dataset: Dataset, quad: ox.Quad, gone: set[ox.Quad]) -> ox.Quad | None:
    """The quad to add; None if the default graph says it already, to everybody."""
    if not dataset.merged or not isinstance(quad.graph_name, ox.DefaultGraph):
        return quad
    for each in _where_stated(store, dataset, quad):
        if each not in gone and not dataset.is_restricted(getattr(each.graph_name, "value", "")):
            return None
    return ox.Quad(quad.subject, quad.predicate, quad.object, dataset.home or rdf.DEFAULT_GRAPH)


def _dataset_of(
    operation: update.Modify, using: tuple[str, ...], using_named: tuple[str, ...]
) -> tuple[list[ox.NamedNode] | None, list[ox.NamedNode] | None]:
    """What the pattern sees as default and as named graphs; None: as stored."""
    own = operation.using or operation.using_named or operation.home is not None
    if own and (using or using_named):
        raise QueryError(
            "The request names a dataset, and the update another (USING or WITH).",
            hint="Leave one of the two out (SPARQL 1.1 Protocol, section 2.2.3).",
        )
    default, named = using or operation.using, using_named or operation.using_named
    if default or named:
        return [ox.NamedNode(iri) for iri in default], [ox.NamedNode(iri) for iri in named]
    return ([operation.home], None) if operation.home is not None else (None, None)


def _modify(
    operation: update.Modify,
    store: ox.Store,
    dataset: Dataset,
    solutions: ox.QuerySolutions,
) -> Effect:
    removed: set[ox.Quad] = set()
    added: set[ox.Quad] = set()
    for solution in solutions:
        bound = {name: term for name in operation.names if (term := solution[name]) is not None}
        removed.update(_instances(operation.delete, bound, operation.home))
        added.update(_instances(operation.insert, bound, operation.home))
    return _effect(store, dataset, removed, added)


def _instances(
    template: tuple[ox.Quad, ...], bound: Mapping[str, Term], home: ox.NamedNode | None
) -> Iterator[ox.Quad]:
    """A template's quads for one solution; those that are no quads are left out (4.2.3)."""
    fresh: dict[str, ox.BlankNode] = {}

    def term(each: object) -> object:
        if isinstance(each, ox.NamedNode) and each.value.startswith(update.VARIABLE):
            return bound.get(each.value[len(update.VARIABLE) :])
        if isinstance(each, ox.BlankNode):
            return fresh.setdefault(each.value, ox.BlankNode())
        if isinstance(each, ox.DefaultGraph):
            return home or each
        return each

    for quad in template:
        subject, predicate, value, graph = (term(each) for each in quad)
        if (
            isinstance(subject, ox.NamedNode | ox.BlankNode)
            and isinstance(predicate, ox.NamedNode)
            and isinstance(value, ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple)
            and isinstance(graph, ox.NamedNode | ox.BlankNode | ox.DefaultGraph)
        ):
            yield ox.Quad(subject, predicate, value, graph)


def _clear(operation: update.Clear, store: ox.Store, dataset: Dataset) -> Effect:
    target = operation.target
    if isinstance(target, ox.NamedNode):
        if not store.contains_named_graph(target):
            return _refused(operation.silent, f"There is no graph {target}.")
        graphs = [target]
    else:
        graphs = [] if target == update.DEFAULT else list(_named(store))
    removed: set[ox.Quad] = set()
    for graph in graphs:
        removed.update(store.quads_for_pattern(None, None, None, graph))
    if target in {update.DEFAULT, update.ALL}:
        for quad in store.quads_for_pattern(None, None, None, rdf.DEFAULT_GRAPH):
            removed.update(_where_stated(store, dataset, quad))
    dropped = frozenset(graphs) if operation.drop else frozenset()
    return Effect(Patch(removed=frozenset(removed)), dropped=dropped)


def _named(store: ox.Store) -> Iterator[ox.NamedNode]:
    return (graph for graph in store.named_graphs() if isinstance(graph, ox.NamedNode))


def _transfer(operation: update.Transfer, store: ox.Store, dataset: Dataset) -> Effect:
    """COPY, MOVE, ADD as the sequences of operations that define them (3.2.3 to 3.2.5)."""
    source, destination = operation.source, operation.destination
    if source == destination:
        return Effect()
    if isinstance(source, ox.NamedNode) and not store.contains_named_graph(source):
        return _refused(operation.silent, f"There is no graph {source}.")
    content = list(store.quads_for_pattern(None, None, None, _graph(source)))
    removed: set[ox.Quad] = set()
    if operation.kind != "ADD":
        for quad in store.quads_for_pattern(None, None, None, _graph(destination)):
            removed.update(_where_stated(store, dataset, quad))
    placed = [
        ox.Quad(quad.subject, quad.predicate, quad.object, _graph(destination)) for quad in content
    ]
    effect = _effect(store, dataset, removed, placed)
    moved: set[ox.Quad] = set()
    dropped: frozenset[ox.NamedNode] = frozenset()
    if operation.kind == "MOVE":
        for quad in content:
            moved.update(_where_stated(store, dataset, quad))
        dropped = frozenset({source}) if isinstance(source, ox.NamedNode) else dropped
    created = _new(store, [destination])
    patch = Patch(effect.patch.added - moved, effect.patch.removed | (moved - effect.patch.added))
    return Effect(patch, effect.created | created, dropped)


def _graph(target: update.Target) -> ox.NamedNode | ox.DefaultGraph:
    return target if isinstance(target, ox.NamedNode) else rdf.DEFAULT_GRAPH
