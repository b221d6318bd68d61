"""Constraints that compare the values of two properties (SHACL section 4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.validation.engine import literals
from clustergraph.validation.engine.constraints import Constraint, ValueNodes, Violation
from clustergraph.validation.engine.nodes import sh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clustergraph.validation.engine.evaluate import Run
    from clustergraph.validation.engine.shapes import Shape, ShapesGraph


@dataclass(eq=False)
class PairConstraint(Constraint):
    """A constraint with another property, ``other``."""

    other: str

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        name = self.component.removeprefix(sh("")[:-1]).removesuffix("ConstraintComponent>")
        return f"The value and those of {self.other} break sh:{name[0].lower()}{name[1:]}."


@dataclass(eq=False)
class Equals(PairConstraint):
    """sh:equals (section 4.5.1)."""

    component = sh("EqualsConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        others = run.graph.forward(self.other)
        for focus, nodes in values.by_focus.items():
            compared = others.get(focus, ())
            for node in nodes:
                if node not in compared:
                    yield Violation(focus, node)
            for node in compared:
                if node not in nodes:
                    yield Violation(focus, node)


@dataclass(eq=False)
class Disjoint(PairConstraint):
    """sh:disjoint (section 4.5.2)."""

    component = sh("DisjointConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        others = run.graph.forward(self.other)
        for focus, nodes in values.by_focus.items():
            compared = others.get(focus, ())
            if compared:
                for node in nodes:
                    if node in compared:
                        yield Violation(focus, node)


@dataclass(eq=False)
class LessThan(PairConstraint):
    """sh:lessThan and sh:lessThanOrEquals (sections 4.5.3 and 4.5.4)."""

    component: str
    or_equal: bool

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        others = run.graph.forward(self.other)
        for focus, nodes in values.by_focus.items():
            compared = others.get(focus, ())
            for node in nodes:
                for each in compared:
                    if not literals.is_less(node, each, or_equal=self.or_equal):
                        yield Violation(focus, node)


def _equals(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.iris(shape.node, "equals"):
        yield Equals(each)


def _disjoint(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.iris(shape.node, "disjoint"):
        yield Disjoint(each)


def _less_than(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.iris(shape.node, "lessThan"):
        yield LessThan(each, sh("LessThanConstraintComponent"), or_equal=False)


def _less_than_or_equals(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.iris(shape.node, "lessThanOrEquals"):
        yield LessThan(each, sh("LessThanOrEqualsConstraintComponent"), or_equal=True)


READERS: dict[str, Callable[[ShapesGraph, Shape], Iterator[Constraint]]] = {
    "equals": _equals,
    "disjoint": _disjoint,
    "lessThan": _less_than,
    "lessThanOrEquals": _less_than_or_equals,
}

ONLY_PROPERTY = frozenset({"lessThan", "lessThanOrEquals"})
