"""Match the blank nodes of two graphs that say the same under other labels.

Nodes are told apart by what is around them, step by step (colour refinement); those that nothing
tells apart are paired by walking from a pair to its neighbours. Trees and lists, which Turtle's
brackets make, come out exact, in linear time; for the rest any pair of equals will do for a place.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from clustergraph.positions.terms import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable

Statement: TypeAlias = tuple[str, str, str, str]
"""Keys of subject, predicate, object and graph name."""
_Around: TypeAlias = "dict[str, list[tuple[bool, str, str]]]"
"""Of each blank node: whether it is the subject, the predicate, the term at the other end."""

_Side: TypeAlias = "tuple[list[tuple[bool, str, str]], dict[str, int]]"
"""What is around a node, and the colours of all nodes."""

_ROUNDS = 50


def match(left: Iterable[Statement], right: Iterable[Statement]) -> dict[str, str]:
    """From the blank nodes of ``left`` to those of ``right``."""
    one, other = _around(left), _around(right)
    mine, theirs = _colours(one, other)
    classes: dict[int, list[str]] = defaultdict(list)
    for node, colour in theirs.items():
        classes[colour].append(node)
    matched: dict[str, str] = {}
    taken: set[str] = set()
    sizes = {colour: len(nodes) for colour, nodes in classes.items()}
    for node in sorted(one, key=lambda each: sizes.get(mine[each], 0)):
        if node in matched:
            continue
        free = classes[mine[node]]
        while free and free[-1] in taken:
            free.pop()
        if not free:
            continue
        pairs = [(node, free.pop())]
        while pairs:
            ours, its = pairs.pop()
            if ours in matched or its in taken:
                continue
            matched[ours] = its
            taken.add(its)
            pairs.extend(
                (end, likely)
                for end, likely in _neighbours((one[ours], mine), (other[its], theirs), taken)
                if end not in matched
            )
    return matched


def _around(statements: Iterable[Statement]) -> _Around:
    found: _Around = defaultdict(list)
    for subject, predicate, value, graph in statements:
        name = predicate if is_blank(graph) else f"{predicate} {graph}"
        if is_blank(subject):
            found[subject].append((True, name, value))
        if is_blank(value):
            found[value].append((False, name, subject))
        if is_blank(graph):
            for end in (subject, value):
                found[graph].append((True, name + " in", end))
                if is_blank(end):
                    found[end].append((False, name + " in", graph))
    return found


def _colours(one: _Around, other: _Around) -> tuple[dict[str, int], dict[str, int]]:
    """A number for each node, the same for nodes with the same surroundings."""
    mine, theirs = dict.fromkeys(one, 0), dict.fromkeys(other, 0)
    number = 1
    for _ in range(_ROUNDS):
        known: dict[object, int] = {}
        mine, theirs = (
            {
                node: known.setdefault((colours[node], _view(edges, colours)), len(known))
                for node, edges in around.items()
            }
            for around, colours in ((one, mine), (other, theirs))
        )
        if len(known) == number:
            break
        number = len(known)
    return mine, theirs


def _view(edges: list[tuple[bool, str, str]], colours: dict[str, int]) -> tuple[object, ...]:
    return tuple(
        sorted(
            (is_subject, predicate, str(colours[end]) if end in colours else "=" + end)
            for is_subject, predicate, end in edges
        )
    )


def _neighbours(ours: _Side, its: _Side, taken: set[str]) -> list[tuple[str, str]]:
    """The ends of like edges; those on the other side that nobody has paired yet."""
    (edges, mine), (others, theirs) = ours, its
    free: dict[tuple[bool, str, int], list[str]] = defaultdict(list)
    for is_subject, predicate, end in others:
        if end in theirs and end not in taken:
            free[is_subject, predicate, theirs[end]].append(end)
    pairs: list[tuple[str, str]] = []
    for is_subject, predicate, end in edges:
        if end in mine and free[is_subject, predicate, mine[end]]:
            pairs.append((end, free[is_subject, predicate, mine[end]].pop()))
    return pairs
