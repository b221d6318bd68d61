"""Which focus nodes a change can matter to, from what the shapes read."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.validation.engine.nodes import SUBCLASS_OF, TYPE, is_literal, term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.rdf import Term
    from clustergraph.validation.engine.footprint import Footprint, Move


def affected(
    footprint: Footprint, after: ox.Store, added: Iterable[ox.Quad], removed: Iterable[ox.Quad]
) -> set[Term] | None:
    """The nodes that must be validated anew; None if all must.

    The walks from a changed triple go over the triples there are and those that were removed, so
    that a node is found whether a way to it was opened or closed.

    Args:
        footprint: what the shapes read.
        after: the data with the change made.
        added: the quads that came.
        removed: the quads that went.
    """
    gone = [tuple(map(str, quad.triple)) for quad in removed]
    changed = [*(tuple(map(str, quad.triple)) for quad in added), *gone]
    if footprint.unbounded and changed:
        return None
    found: set[str] = set()
    walker = _Walker(after, [(each[0], each[1], each[2]) for each in gone])
    for subject, predicate, value in changed:
        if predicate == SUBCLASS_OF:
            return None
        if predicate == TYPE or predicate in footprint.subjects_of:
            found.add(subject)
        if predicate in footprint.objects_of:
            found.add(value)
        for reach in footprint.reaches:
            if reach.predicate in {None, predicate}:
                found |= walker.walk(value if reach.from_object else subject, reach.walk)
    return {term(each) for each in found}


class _Walker:
    """Walks over a store and some triples that are no longer in it."""

    def __init__(self, store: ox.Store, gone: list[tuple[str, str, str]]) -> None:
        self._store = store
        self._gone_from: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._gone_to: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for subject, predicate, value in gone:
            self._gone_from[subject].append((predicate, value))
            self._gone_to[value].append((predicate, subject))
        self._walked: dict[tuple[str, tuple[Move, ...]], set[str]] = {}

    def walk(self, start: str, moves: tuple[Move, ...]) -> set[str]:
        if (start, moves) not in self._walked:
            self._walked[start, moves] = self._reached(start, moves)
        return self._walked[start, moves]

    def _reached(self, start: str, moves: tuple[Move, ...]) -> set[str]:
        reached = {start}
        for move in moves:
            reached = self._move(reached, move)
            if not reached:
                break
        return reached

    def _move(self, nodes: set[str], move: Move) -> set[str]:
        reached = set(nodes) if move.repeats else set()
        todo = list(nodes)
        while todo:
            for end in self._step(todo.pop(), move):
                if end not in reached:
                    reached.add(end)
                    if move.repeats:
                        todo.append(end)
        return reached

    def _step(self, node: str, move: Move) -> Iterator[str]:
        predicate = None if move.predicate is None else ox.NamedNode(move.predicate[1:-1])
        if move.back:
            for quad in self._store.quads_for_pattern(None, predicate, term(node), None):
                yield str(quad.subject)
        elif not is_literal(node):
            subject = term(node)
            if isinstance(subject, ox.NamedNode | ox.BlankNode):
                for quad in self._store.quads_for_pattern(subject, predicate, None, None):
                    yield str(quad.object)
        gone = self._gone_to if move.back else self._gone_from
        for predicate_gone, there in gone.get(node, ()):
            if move.predicate in {None, predicate_gone}:
                yield there
