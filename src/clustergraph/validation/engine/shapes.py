"""The shapes graph compiled: shapes with their targets and constraints, checked for syntax.

SHACL sections 2 (shapes and constraints), 2.1.3 (targets), 3.4.3 (ill-formed shapes graphs).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clustergraph.validation.engine import components, constraints, logic, pairs, paths, sparql
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.graph import Graph
from clustergraph.validation.engine.nodes import (
    CLASS,
    TYPE,
    XSD,
    is_iri,
    is_literal,
    literal,
    parts,
    sh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from clustergraph.validation.engine.constraints import Constraint
    from clustergraph.validation.engine.paths import Path
    from clustergraph.validation.engine.prebinding import Query

_TRUE, *_FALSE = (f'"{text}"^^<{XSD}boolean>' for text in ("true", "false", "0", "1"))
_TARGETS = ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf")


@dataclass
class Targets:
    """What a shape is about (section 2.1.3); ``classes`` holds implicit class targets too."""

    nodes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    subjects_of: tuple[str, ...] = ()
    objects_of: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.classes or self.subjects_of or self.objects_of)

    def find(self, graph: Graph) -> dict[str, None]:
        """The focus nodes in a data graph."""
        found = dict.fromkeys(self.nodes)
        for each in self.classes:
            found.update(dict.fromkeys(graph.instances(each)))
        for predicate in self.subjects_of:
            found.update(dict.fromkeys(graph.forward(predicate)))
        for predicate in self.objects_of:
            found.update(dict.fromkeys(graph.backward(predicate)))
        return found

    def narrow(self, graph: Graph, focus: Collection[str]) -> dict[str, None]:
        """Those of the given nodes that are focus nodes; quick where they are few."""
        classes = [graph.instances(each) for each in self.classes]
        indexes = [graph.forward(each) for each in self.subjects_of]
        indexes += [graph.backward(each) for each in self.objects_of]
        return {
            node: None
            for node in focus
            if node in self.nodes
            or any(node in known for known in classes)
            or any(node in known for known in indexes)
        }


@dataclass(eq=False)
class Shape:
    """A node shape, or a property shape if it has a path (sections 2.2 and 2.3)."""

    node: str
    path: Path | None = None
    path_node: str = ""
    severity: str = sh("Violation")
    messages: tuple[str, ...] = ()
    is_deactivated: bool = False
    targets: Targets = field(default_factory=Targets)
    constraints: list[Constraint] = field(default_factory=list)
    is_recursive: bool = False


class ShapesGraph:
    """All shapes of a graph; the entry is ``compile``."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.custom = components.read(self)
        self._shapes: dict[str, Shape] = {}
        self._classes = graph.subclasses(CLASS)

    @classmethod
    def of(cls, content: str) -> ShapesGraph:
        """Compile all shapes of N-Triples; the last ones are kept, since they are asked for again.

        Raises:
            UsageError: the shapes graph is ill-formed.
        """
        return _compiled(content)

    @classmethod
    def compile(cls, graph: Graph) -> ShapesGraph:
        """Compile all shapes.

        Raises:
            UsageError: the shapes graph is ill-formed.
        """
        shapes = cls(graph)
        for node in shapes._subjects():
            shapes.shape(node)
        shapes._mark_recursive()
        return shapes

    @property
    def shapes(self) -> Collection[Shape]:
        """All shapes that were compiled."""
        return self._shapes.values()

    @property
    def targeted(self) -> list[Shape]:
        """The shapes that have targets, and are active."""
        return [each for each in self.shapes if each.targets and not each.is_deactivated]

    @property
    def queries(self) -> list[Query]:
        """The SPARQL texts of all shapes."""
        return [
            each.query
            for shape in self.shapes
            for each in shape.constraints
            if isinstance(each, sparql.SelectConstraint | components.AskConstraint)
        ]

    def shape(self, node: str) -> Shape:
        """The shape that a node stands for.

        Raises:
            UsageError: it is ill-formed.
        """
        known = self._shapes.get(node)
        if known is None:
            if is_literal(node):
                raise ill_formed(node, "is a literal and can be no shape.")
            known = self._shapes[node] = Shape(node)  # before its parts, which may refer to it
            self._fill(known)
        return known

    def _subjects(self) -> Iterator[str]:
        """The nodes that are shapes (section 2.1), but for those only referred to."""
        graph = self.graph
        found: dict[str, None] = {}
        for name in ("NodeShape", "PropertyShape"):
            for each in graph.subclasses(sh(name)):
                found.update(dict.fromkeys(graph.subjects(TYPE, each)))
        for name in _TARGETS:
            found.update(dict.fromkeys(graph.forward(sh(name))))
        for name in READERS:
            found.update(dict.fromkeys(graph.forward(sh(name))))
        for component in self.custom:
            for parameter in component.required:
                found.update(dict.fromkeys(graph.forward(parameter.predicate)))
        is_parameter = graph.instances(sh("Parameter"))
        for node in found:
            if node not in is_parameter and not graph.subjects(sh("parameter"), node):
                yield node

    def _fill(self, shape: Shape) -> None:
        node = shape.node
        path = self.one(node, "path")
        types = self.graph.objects(node, TYPE)
        if path is not None:
            if sh("NodeShape") in types:
                raise ill_formed(node, "is a node shape and has sh:path.")
            shape.path, shape.path_node = paths.read(self.graph, path), path
        elif sh("PropertyShape") in types:
            raise ill_formed(node, "is a property shape without sh:path.")
        shape.severity = self.one(node, "severity") or shape.severity
        shape.messages = self.messages(node)
        shape.is_deactivated = self.flag(node, "deactivated")
        shape.targets = self._targets(node)
        for name, reader in READERS.items():
            if self.graph.objects(node, sh(name)):
                if shape.path is None and name in ONLY_PROPERTY:
                    raise ill_formed(node, f"is a node shape and has sh:{name}.")
                shape.constraints.extend(reader(self, shape))
        for component in self.custom:
            shape.constraints.extend(component.on(self, shape))

    def _targets(self, node: str) -> Targets:
        nodes, classes, subjects_of, objects_of = (
            tuple(self.graph.objects(node, sh(name)))
            for name in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
        )
        for each in (*classes, *subjects_of, *objects_of):
            if not is_iri(each):
                raise ill_formed(node, f"has the target {each}, which must be an IRI.")
        if is_iri(node) and any(each in self._classes for each in self.graph.objects(node, TYPE)):
            classes = (*classes, node)
        return Targets(nodes, classes, subjects_of, objects_of)

    def _mark_recursive(self) -> None:
        """Mark the shapes that refer to themselves, if by way of others (section 3.4.3)."""
        below = {
            shape: [part for each in shape.constraints for part in each.shapes]
            for shape in self.shapes
        }
        for shape in self.shapes:
            seen: set[Shape] = set()
            todo = list(below[shape])
            while todo and not shape.is_recursive:
                each = todo.pop()
                if each is shape:
                    shape.is_recursive = True
                elif each not in seen:
                    seen.add(each)
                    todo.extend(below[each])

    # reading parameters

    def all(self, node: str, name: str) -> Collection[str]:
        """The values of one of SHACL's properties."""
        return self.graph.objects(node, sh(name))

    def one(self, node: str, name: str) -> str | None:
        """The value of a property that has at most one.

        Raises:
            UsageError: it has several.
        """
        values = self.all(node, name)
        if len(values) > 1:
            raise ill_formed(node, f"has several values of sh:{name}.")
        return next(iter(values), None)

    def iris(self, node: str, name: str) -> list[str]:
        """The values of a property, which must be IRIs."""
        values = list(self.all(node, name))
        if not all(map(is_iri, values)):
            raise ill_formed(node, f"has a value of sh:{name} that is no IRI.")
        return values

    def flag(self, node: str, name: str) -> bool:
        """Whether the value is the term ``true``; SHACL does not take "1"^^xsd:boolean for it."""
        value = self.one(node, name)
        if value is None or value in _FALSE:
            return False
        if value == _TRUE:
            return True
        raise ill_formed(node, f"has sh:{name} {value}, which is no xsd:boolean.")

    def integer(self, node: str, name: str) -> int | None:
        """A whole number from 0."""
        value = self.one(node, name)
        if value is None:
            return None
        if is_literal(value) and parts(value).datatype == XSD + "integer":
            text = parts(value).text
            if text.lstrip("+").isdecimal():
                return int(text)
        raise ill_formed(node, f"has sh:{name} {value}, which is no xsd:integer from 0.")

    def string(self, node: str, value: str, name: str) -> str:
        """A text of type xsd:string."""
        if not is_literal(value) or value != literal(parts(value).text):
            raise ill_formed(node, f"has a sh:{name} that is no xsd:string.")
        return parts(value).text

    def items(self, node: str, head: str, name: str) -> list[str]:
        """The members of a list."""
        members = self.graph.items(head)
        if members is None:
            raise ill_formed(node, f"has a value of sh:{name} that is no list.")
        return members

    def messages(self, node: str) -> tuple[str, ...]:
        """The messages of a shape, constraint or validator (section 2.1.5)."""
        messages = tuple(self.all(node, "message"))
        if not all(map(is_literal, messages)):
            raise ill_formed(node, "has a sh:message that is no text.")
        return messages


READERS: dict[str, Callable[[ShapesGraph, Shape], Iterator[Constraint]]] = {
    **constraints.READERS,
    **pairs.READERS,
    **logic.READERS,
    **sparql.READERS,
}
"""By parameter: how the constraints of a component are read from a shape."""

ONLY_PROPERTY = constraints.ONLY_PROPERTY | pairs.ONLY_PROPERTY | logic.ONLY_PROPERTY
"""Parameters that node shapes cannot have."""


@functools.lru_cache(maxsize=2)
def _compiled(content: str) -> ShapesGraph:
    return ShapesGraph.compile(Graph.read(content))
