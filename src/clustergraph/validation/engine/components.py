"""SPARQL-based constraint components (SHACL section 6): parameters, validators, and their use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from clustergraph.validation.engine.constraints import Constraint, ValueNodes, Violation
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import TYPE, is_iri, sh
from clustergraph.validation.engine.sparql import SelectConstraint, filled, query_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.validation.engine.evaluate import Run
    from clustergraph.validation.engine.prebinding import Query
    from clustergraph.validation.engine.shapes import Shape, ShapesGraph

_LOCAL = re.compile(r"[\w]*$")
_RESERVED = frozenset({"this", "shapesGraph", "currentShape", "path", "PATH", "value"})


@dataclass(frozen=True)
class Parameter:
    """A parameter (section 6.2.1): the property that gives it, and the variable that gets it."""

    predicate: str
    name: str
    is_optional: bool


@dataclass(frozen=True)
class Component:
    """A constraint component of the shapes graph (section 6.2)."""

    node: str
    parameters: tuple[Parameter, ...]

    @property
    def required(self) -> list[Parameter]:
        """The parameters that a shape must give."""
        return [each for each in self.parameters if not each.is_optional]

    def on(self, shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        """The constraints of this component that a shape has: one for each choice of values."""
        given = {
            each.name: list(shapes.graph.objects(shape.node, each.predicate))
            for each in self.parameters
        }
        if not all(given[each.name] for each in self.required):
            return
        if not any(given.values()):
            return
        present = {name: values for name, values in given.items() if values}
        if len(self.parameters) > 1 and any(len(values) > 1 for values in present.values()):
            raise ill_formed(shape.node, f"gives a parameter of {self.node} several values.")
        for choice in product(*present.values()):
            yield self._constraint(shapes, shape, dict(zip(present, choice, strict=True)))

    def _constraint(
        self, shapes: ShapesGraph, shape: Shape, arguments: dict[str, str]
    ) -> Constraint:
        """Section 6.3: which validator is used."""
        own = "nodeValidator" if shape.path is None else "propertyValidator"
        for validator in shapes.all(self.node, own):
            return SelectConstraint(
                self.node,
                query_of(shapes, shape, validator, "select", **arguments),
                shapes.messages(validator) if not shape.messages else (),
                shape.path is None,
            )
        for validator in shapes.all(self.node, "validator"):
            return AskConstraint(
                self.node,
                query_of(shapes, shape, validator, "ask", **arguments),
                shapes.messages(validator) if not shape.messages else (),
            )
        raise ill_formed(self.node, "has no validator that suits all its uses.")


@dataclass(eq=False)
class AskConstraint(Constraint):
    """A constraint that each value node keeps for which an ASK query is true (section 6.3.1)."""

    component: str
    query: Query
    messages: tuple[str, ...]

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        if self.query.mentions("this"):
            rows = [(focus, node) for focus, nodes in values.by_focus.items() for node in nodes]
            true = run.answers.ask(self.query, rows)
            failing = [row for number, row in enumerate(rows) if number not in true]
        else:
            nodes = list(values.distinct)
            true = run.answers.ask(self.query, [(node, node) for node in nodes])
            among = {node for number, node in enumerate(nodes) if number not in true}
            failing = list(values.pairs(among))
        for focus, node in failing:
            yield Violation(focus, node, messages=self._messages(focus, node))

    def _messages(self, focus: str, node: str) -> tuple[str, ...] | None:
        bound = {**self.query.constants, "this": focus, "value": node}
        return tuple(filled(each, bound) for each in self.messages) or None


def read(shapes: ShapesGraph) -> tuple[Component, ...]:
    """The constraint components that the shapes graph declares.

    Raises:
        UsageError: one is ill-formed.
    """
    found: dict[str, None] = {}
    for each in shapes.graph.subclasses(sh("ConstraintComponent")):
        found.update(dict.fromkeys(shapes.graph.subjects(TYPE, each)))
    return tuple(
        Component(node, _parameters(shapes, node))
        for node in found
        if any(
            shapes.all(node, name) for name in ("validator", "nodeValidator", "propertyValidator")
        )
    )


def _parameters(shapes: ShapesGraph, node: str) -> tuple[Parameter, ...]:
    parameters: list[Parameter] = []
    for each in shapes.all(node, "parameter"):
        predicate = shapes.one(each, "path")
        if predicate is None or not is_iri(predicate):
            raise ill_formed(node, f"has the parameter {each}, whose sh:path is no IRI.")
        match = _LOCAL.search(predicate[1:-1])
        name = match[0] if match else ""
        if not name or name in _RESERVED:
            raise ill_formed(node, f"has a parameter with the name '{name}'.")
        parameters.append(Parameter(predicate, name, shapes.flag(each, "optional")))
    if not any(not each.is_optional for each in parameters):
        raise ill_formed(node, "has no parameter that must be given.")
    return tuple(parameters)
