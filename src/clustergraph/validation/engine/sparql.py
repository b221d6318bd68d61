"""SPARQL-based constraints (SHACL sections 5.1 to 5.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.errors import UsageError
from clustergraph.validation.engine import prebinding, prefixes
from clustergraph.validation.engine.answers import SHAPES_GRAPH
from clustergraph.validation.engine.constraints import Constraint, ValueNodes, Violation
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import iri, is_iri, literal, parts, sh, value
from clustergraph.validation.engine.prebinding import Query
from clustergraph.validation.engine.reading import Reading, UnboundedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clustergraph.validation.engine.evaluate import Run
    from clustergraph.validation.engine.shapes import Shape, ShapesGraph

_PLACEHOLDER = re.compile(r"\{[?$](\w+)\}")
_FALSE = "false"


@dataclass(eq=False)
class SelectConstraint(Constraint):
    """A constraint whose violations are the solutions of a SELECT query."""

    component: str
    query: Query
    messages: tuple[str, ...]
    """Templates; empty where the shape's own messages are to be told."""
    is_node_shape: bool
    constraint: str | None = None
    """sh:sourceConstraint."""

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        focus_nodes = list(values.by_focus)
        for number, row in run.answers.select(self.query, [(each,) for each in focus_nodes]):
            yield self._violation(focus_nodes[number], row)

    def _violation(self, focus: str, row: Mapping[str, str]) -> Violation:
        """Section 5.3.2: how a solution becomes a result."""
        if "failure" in row and value(row["failure"]) != _FALSE:
            raise UsageError(f"The shape {self.query.shape} reports a failure at {focus}.")
        path = row.get("path")
        found = row.get("value", focus if self.is_node_shape else None)
        bound = {**self.query.constants, **row, "this": focus}
        if found is not None:
            bound.setdefault("value", found)
        return Violation(
            focus,
            found,
            path if path is not None and is_iri(path) else None,
            self._messages(row, bound),
            self.constraint,
        )

    def _messages(self, row: Mapping[str, str], bound: Mapping[str, str]) -> tuple[str, ...] | None:
        if "message" in row:
            return (row["message"],)
        if not self.messages:
            return None
        return tuple(filled(each, bound) for each in self.messages)


def filled(template: str, bound: Mapping[str, str]) -> str:
    """A message with ``{?name}`` and ``{$name}`` replaced (section 5.2.1)."""
    text, _datatype, language = parts(template)

    def replace(match: re.Match[str]) -> str:
        return value(bound[match[1]]) if match[1] in bound else match[0]

    return literal(_PLACEHOLDER.sub(replace, text), language)


def read_predicates(queries: Iterable[Query]) -> list[str] | None:
    """The predicates of all triples that the queries can match; None if it can be any."""
    try:
        return sorted({each for query in queries for each in Reading(query).predicates()})
    except UnboundedError:
        return None


def query_of(shapes: ShapesGraph, shape: Shape, node: str, name: str, **constants: str) -> Query:
    """The text that a constraint or validator has for a shape.

    Raises:
        UsageError: it has none, or one that SHACL does not allow.
    """
    found = shapes.one(node, name)
    if found is None:
        raise ill_formed(node, f"has no sh:{name}.")
    text = shapes.string(node, found, name)
    if shape.path is not None:
        text = prebinding.substitute_path(text, shape.path.sparql())
    query = Query(
        shape.node,
        prefixes.header(shapes, node),
        text,
        ("this",) if name == "select" else ("this", "value"),
        {"currentShape": shape.node, "shapesGraph": iri(SHAPES_GRAPH), **constants},
    )
    if query.mentions("PATH") and shape.path is None:
        raise ill_formed(shape.node, "has a query with $PATH, but no sh:path.")
    if query.is_ask is (name == "select"):
        raise ill_formed(node, f"has a sh:{name} of another form.")
    return query


def _sparql(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for node in shapes.all(shape.node, "sparql"):
        if not shapes.flag(node, "deactivated"):
            yield SelectConstraint(
                sh("SPARQLConstraintComponent"),
                query_of(shapes, shape, node, "select"),
                shapes.messages(node),
                shape.path is None,
                node,
            )


READERS: dict[str, Callable[[ShapesGraph, Shape], Iterator[Constraint]]] = {"sparql": _sparql}
