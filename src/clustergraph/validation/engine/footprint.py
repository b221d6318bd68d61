"""What shapes read: for every triple pattern they look at, the way from it back to focus nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from clustergraph.validation.engine import paths, reading
from clustergraph.validation.engine.components import AskConstraint
from clustergraph.validation.engine.constraints import Class, Closed
from clustergraph.validation.engine.graph import text as n_triples
from clustergraph.validation.engine.nodes import TYPE
from clustergraph.validation.engine.pairs import PairConstraint
from clustergraph.validation.engine.shapes import ShapesGraph
from clustergraph.validation.engine.sparql import SelectConstraint

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyoxigraph as ox

    from clustergraph.validation.engine.constraints import Constraint
    from clustergraph.validation.engine.shapes import Shape


class Move(NamedTuple):
    """One step of a walk; without a predicate by any, ``repeats`` any number of times or none."""

    predicate: str | None
    back: bool = False
    repeats: bool = False

    def reversed(self) -> Move:
        """The same step from its end."""
        return Move(self.predicate, not self.back, self.repeats)


Walk: TypeAlias = tuple[Move, ...]

DEEPEST = 12
"""Longer ways from a focus node are not followed: all focus nodes count as affected then."""


class Reach(NamedTuple):
    """A changed triple with this predicate matters to what the walk leads to from its end."""

    predicate: str | None
    from_object: bool
    walk: Walk


@dataclass
class Footprint:
    """All that shapes read of a data graph."""

    reaches: set[Reach] = field(default_factory=set)
    subjects_of: set[str] = field(default_factory=set)
    objects_of: set[str] = field(default_factory=set)
    unbounded: list[str] = field(default_factory=list)
    """Shapes for which any change may matter to any focus node."""

    def add(self, before: Walk, walk: Walk) -> None:
        """Note that the triples of a walk are read, which starts where another ends."""
        for at, move in enumerate(walk):
            way = before + walk[:at] + ((move,) if move.repeats else ())
            back = tuple(each.reversed() for each in reversed(way))
            self.reaches.add(Reach(move.predicate, move.back, back))


def footprint(shapes: Iterable[ox.Quad]) -> Footprint:
    """What a shapes graph reads.

    Raises:
        UsageError: the shapes cannot be used.
    """
    found = Footprint()
    for shape in ShapesGraph.of(n_triples(shapes)).targeted:
        found.subjects_of.update(shape.targets.subjects_of)
        found.objects_of.update(shape.targets.objects_of)
        try:
            _shape(found, shape, ())
        except reading.UnboundedError:
            found.unbounded.append(shape.node)
    return found


def walks(path: paths.Path) -> list[Walk]:
    """The walks that a path stands for.

    Raises:
        UnboundedError: it repeats more than a step.
    """
    if isinstance(path, paths.Step):
        return [(Move(path.predicate, path.back),)]
    if isinstance(path, paths.Inverse):
        return walks(path.member.inverse())
    if isinstance(path, paths.Alternative):
        return [walk for member in path.members for walk in walks(member)]
    if isinstance(path, paths.Sequence):
        found: list[Walk] = [()]
        for member in path.members:
            found = [before + walk for before in found for walk in walks(member)]
        return found
    if isinstance(path, paths.Repeated):
        inner = walks(path.member)
        if len(inner) == 1 and len(inner[0]) == 1:
            return [(inner[0][0]._replace(repeats=True),)]
    raise reading.UnboundedError


def _shape(found: Footprint, shape: Shape, before: Walk) -> None:
    if shape.is_recursive or len(before) > DEEPEST:
        raise reading.UnboundedError
    values = [before]
    if shape.path is not None:
        ways = walks(shape.path)
        for walk in ways:
            found.add(before, walk)
        values = [before + walk for walk in ways]
    for constraint in shape.constraints:
        _constraint(found, constraint, before, values)


def _constraint(found: Footprint, constraint: Constraint, before: Walk, values: list[Walk]) -> None:
    if isinstance(constraint, PairConstraint):
        found.add(before, (Move(constraint.other),))
    elif isinstance(constraint, SelectConstraint):
        _query(found, reading.Reading(constraint.query), "this", before)
    for way in values:
        if isinstance(constraint, Class):
            found.add(way, (Move(TYPE),))
        elif isinstance(constraint, Closed):
            found.add(way, (Move(None),))
        elif isinstance(constraint, AskConstraint):
            query = reading.Reading(constraint.query)
            _query(found, query, "value", way)
        for shape in constraint.shapes:
            _shape(found, shape, way)


def _query(found: Footprint, query: reading.Reading, start: str, before: Walk) -> None:
    for chain in query.chains(start):
        options: list[Walk] = [()]
        for path, back in chain:
            steps: list[Walk] = [(Move(None),)] if path is None else walks(path)
            if back:
                steps = [tuple(m.reversed() for m in reversed(each)) for each in steps]
            options = [option + step for option in options for step in steps]
        for option in options:
            if len(option) > DEEPEST:
                raise reading.UnboundedError
            found.add(before, option)
