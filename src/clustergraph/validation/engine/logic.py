"""Constraints that ask whether value nodes conform to other shapes (SHACL sections 4.6 and 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.validation.engine.constraints import (
    Constraint,
    ValueConstraint,
    ValueNodes,
    Violation,
)
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import is_iri, sh

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from clustergraph.validation.engine.evaluate import Run
    from clustergraph.validation.engine.shapes import Shape, ShapesGraph


@dataclass(eq=False)
class Not(ValueConstraint):
    """sh:not (section 4.6.1)."""

    shapes: tuple[Shape, ...]
    component = sh("NotConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        failing = run.failing(self.shapes[0], nodes)
        return {node for node in nodes if node not in failing}

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return f"The value must not conform to {_name(self.shapes[0])}."


@dataclass(eq=False)
class And(ValueConstraint):
    """sh:and (section 4.6.2)."""

    shapes: tuple[Shape, ...]
    component = sh("AndConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        return {node for shape in self.shapes for node in run.failing(shape, nodes)}

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return "The value does not conform to all shapes of sh:and."


@dataclass(eq=False)
class Or(ValueConstraint):
    """sh:or (section 4.6.3)."""

    shapes: tuple[Shape, ...]
    component = sh("OrConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        for shape in self.shapes:
            nodes = run.failing(shape, nodes)
            if not nodes:
                break
        return nodes

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return "The value conforms to no shape of sh:or."


@dataclass(eq=False)
class ExactlyOne(ValueConstraint):
    """sh:xone (section 4.6.4)."""

    shapes: tuple[Shape, ...]
    component = sh("XoneConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        conforming = dict.fromkeys(nodes, 0)
        for shape in self.shapes:
            failing = run.failing(shape, nodes)
            for node in nodes:
                conforming[node] += node not in failing
        return {node for node, number in conforming.items() if number != 1}

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return "The value does not conform to exactly one shape of sh:xone."


@dataclass(eq=False)
class Node(ValueConstraint):
    """sh:node (section 4.7.1)."""

    shapes: tuple[Shape, ...]
    component = sh("NodeConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        return run.failing(self.shapes[0], nodes)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return f"The value does not conform to {_name(self.shapes[0])}."


@dataclass(eq=False)
class Property(Constraint):
    """sh:property (section 4.7.2): its results are those of the property shape itself."""

    shapes: tuple[Shape, ...]
    component = sh("PropertyConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """The focus nodes with a value that the property shape finds at fault.

        Their own results are told by ``Run.report``.
        """
        for focus, node in values.pairs(run.failing(self.shapes[0], values.distinct)):
            yield Violation(focus, node)


@dataclass(eq=False)
class Qualified(Constraint):
    """sh:qualifiedValueShape (section 4.7.3) with one of its counts."""

    component: str
    number: int
    is_least: bool
    shapes: tuple[Shape, ...]
    """The value shape, then its siblings if they are to be disjoint."""

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        shape, *siblings = self.shapes
        failing = run.failing(shape, values.distinct)
        counted = {node for node in values.distinct if node not in failing}
        for sibling in siblings:
            counted.intersection_update(run.failing(sibling, counted))
        for focus, nodes in values.by_focus.items():
            count = sum(node in counted for node in nodes)
            if count < self.number if self.is_least else count > self.number:
                yield Violation(focus, None)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        few = "Fewer" if self.is_least else "More"
        return f"{few} than {self.number} values conform to {_name(self.shapes[0])}."


def _name(shape: Shape) -> str:
    return shape.node if is_iri(shape.node) else "the shape that stands here"


def _single(
    name: str, constraint: Callable[[tuple[Shape, ...]], Constraint]
) -> Callable[[ShapesGraph, Shape], Iterator[Constraint]]:
    def read(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        for each in shapes.all(shape.node, name):
            referred = shapes.shape(each)
            if name == "node" and referred.path is not None:
                raise ill_formed(shape.node, f"has sh:node {each}, which is a property shape.")
            if name == "property" and referred.path is None:
                raise ill_formed(shape.node, f"has sh:property {each}, which has no sh:path.")
            yield constraint((referred,))

    return read


def _listed(
    name: str, constraint: Callable[[tuple[Shape, ...]], Constraint]
) -> Callable[[ShapesGraph, Shape], Iterator[Constraint]]:
    def read(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        for head in shapes.all(shape.node, name):
            members = shapes.items(shape.node, head, name)
            yield constraint(tuple(shapes.shape(each) for each in members))

    return read


_COUNTS = ("qualifiedMinCount", "qualifiedMaxCount")


def _qualified(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    node = shape.node
    value_shape = shapes.one(node, "qualifiedValueShape") or ""
    counts = {name: shapes.integer(node, name) for name in _COUNTS}
    if all(number is None for number in counts.values()):
        raise ill_formed(node, "has sh:qualifiedValueShape without a count.")
    siblings = _siblings(shapes, node, value_shape)
    for name, number in counts.items():
        if number is not None:
            yield Qualified(
                sh(f"{name[0].upper()}{name[1:]}ConstraintComponent"),
                number,
                name == "qualifiedMinCount",
                tuple(shapes.shape(each) for each in (value_shape, *siblings)),
            )


def _siblings(shapes: ShapesGraph, node: str, value_shape: str) -> list[str]:
    """The value shapes of the other property shapes of the shapes that hold this one."""
    if not shapes.flag(node, "qualifiedValueShapesDisjoint"):
        return []
    siblings = dict.fromkeys(
        each
        for parent in shapes.graph.subjects(sh("property"), node)
        for other in shapes.all(parent, "property")
        for each in shapes.all(other, "qualifiedValueShape")
    )
    return [each for each in siblings if each != value_shape]


READERS: dict[str, Callable[[ShapesGraph, Shape], Iterator[Constraint]]] = {
    "not": _single("not", Not),
    "and": _listed("and", And),
    "or": _listed("or", Or),
    "xone": _listed("xone", ExactlyOne),
    "node": _single("node", Node),
    "property": _single("property", Property),
    "qualifiedValueShape": _qualified,
}

ONLY_PROPERTY = frozenset({"qualifiedValueShape"})
