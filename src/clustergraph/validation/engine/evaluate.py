"""Validation (SHACL section 3.4): every constraint once for all the focus nodes of its shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clustergraph.validation.engine.constraints import ValueNodes
from clustergraph.validation.engine.errors import UnsupportedShapeError
from clustergraph.validation.engine.logic import Property
from clustergraph.validation.engine.nodes import literal
from clustergraph.validation.engine.results import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clustergraph.validation.engine.answers import Answers
    from clustergraph.validation.engine.constraints import Constraint, Violation
    from clustergraph.validation.engine.graph import Graph
    from clustergraph.validation.engine.shapes import Shape


@dataclass
class _Verdicts:
    """What is known of a shape: the nodes that were checked, and those of them that fail."""

    checked: dict[str, None] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)


class Run:
    """One validation of a data graph.

    Args:
        graph: the data.
        answers: the same, for SPARQL.
        each_once: whether a node that is reached in several ways is reported once for a shape. The
            standard counts its results once for each way (section 4.7.2).
    """

    def __init__(self, graph: Graph, answers: Answers, *, each_once: bool = True) -> None:
        self.graph = graph
        self.answers = answers
        self.results: list[Result] = []
        self._each_once = each_once
        self._verdicts: dict[Shape, _Verdicts] = {}
        self._reported: dict[Shape, dict[str, None]] = {}
        self._open: dict[Shape, _Verdicts] = {}

    def report(self, shape: Shape, focus: Mapping[str, int | None]) -> None:
        """Validate focus nodes against a shape, and keep the results.

        Args:
            shape: the shape.
            focus: the nodes, and in how many ways each is reached; None stands for one.
        """
        reported = self._reported.setdefault(shape, {})
        todo = {node: ways for node, ways in focus.items() if node not in reported}
        if not todo or shape.is_deactivated:
            return
        reported.update(dict.fromkeys(todo))  # also ends recursion
        values = self._values(shape, todo)
        failing: set[str] = set()
        for constraint in shape.constraints:
            if isinstance(constraint, Property):
                self.report(constraint.shapes[0], self._ways(values, todo))
                failing.update(each.focus for each in constraint.violations(values, self))
            else:
                for violation in constraint.violations(values, self):
                    failing.add(violation.focus)
                    result = _result(shape, constraint, violation)
                    self.results += [result] * (todo[violation.focus] or 1)
        if not shape.is_recursive:
            verdicts = self._verdicts.setdefault(shape, _Verdicts())
            verdicts.checked.update(dict.fromkeys(todo))
            verdicts.failing.update(failing)
        if not self._each_once:
            for node in todo:
                del reported[node]

    def _ways(
        self, values: ValueNodes, focus: Mapping[str, int | None]
    ) -> Mapping[str, int | None]:
        if self._each_once:
            return values.distinct
        ways: dict[str, int] = {}
        before = ways.get
        for each, nodes in values.by_focus.items():
            step = focus[each] or 1
            for node in nodes:
                ways[node] = before(node, 0) + step
        return ways

    def failing(self, shape: Shape, nodes: Collection[str]) -> set[str]:
        """The nodes that do not conform to a shape (section 3.5)."""
        if shape.is_deactivated or not nodes:
            return set()
        if shape.is_recursive:
            return self._failing_recursive(shape, nodes)
        known = self._verdicts.setdefault(shape, _Verdicts())
        todo = {node: None for node in nodes if node not in known.checked}
        if todo:
            known.failing |= self._failing_now(shape, todo)
            known.checked.update(todo)
        return {node for node in nodes if node in known.failing}

    def _failing_now(self, shape: Shape, nodes: Collection[str]) -> set[str]:
        values = self._values(shape, nodes)
        return {
            violation.focus
            for constraint in shape.constraints
            for violation in constraint.violations(values, self)
        }

    def _failing_recursive(self, shape: Shape, nodes: Collection[str]) -> set[str]:
        """The least set of failing nodes that explains itself.

        SHACL leaves recursion open (section 3.4.3). A node that is asked about while it is being
        checked is taken to conform, until an evaluation of all nodes asked about changes nothing.
        """
        state = self._open.get(shape)
        if state is not None:
            state.checked.update(dict.fromkeys(nodes))
            return {node for node in nodes if node in state.failing}
        state = self._open[shape] = _Verdicts(checked=dict.fromkeys(nodes))
        try:
            while True:
                asked = dict(state.checked)
                failing = self._failing_now(shape, asked)
                if failing == state.failing and len(asked) == len(state.checked):
                    return {node for node in nodes if node in failing}
                if not failing >= state.failing:
                    raise UnsupportedShapeError(shape.node, "it refers to its own negation.")
                state.failing = failing
        finally:
            del self._open[shape]

    def _values(self, shape: Shape, focus: Collection[str]) -> ValueNodes:
        if shape.path is None:
            return ValueNodes({node: (node,) for node in focus})
        walk = shape.path.walk(self.graph)
        return ValueNodes({node: walk(node) for node in focus})


def _result(shape: Shape, constraint: Constraint, violation: Violation) -> Result:
    messages = violation.messages
    if messages is None:
        messages = shape.messages or (literal(constraint.text, "en"),)
    return Result(
        focus=violation.focus,
        value=violation.value,
        path=violation.path or shape.path_node,
        shape=shape.node,
        component=constraint.component,
        severity=shape.severity,
        messages=messages,
        constraint=violation.constraint,
    )
