"""SHACL property paths (section 2.3.1): read, walked, and written as SPARQL, as text, as RDF."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import FIRST, NIL, REST, is_blank, is_iri, sh

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from clustergraph.validation.engine.graph import Graph

Walk: TypeAlias = "Callable[[str], Collection[str]]"


class Path(ABC):
    """A way from a node to its value nodes."""

    @abstractmethod
    def walk(self, graph: Graph) -> Walk:
        """A function from a node to the nodes that the path leads to, each once."""

    @abstractmethod
    def sparql(self) -> str:
        """The path in SPARQL's grammar, safe to stand in a longer path."""

    @abstractmethod
    def inverse(self) -> Path:
        """The same way from its end."""

    @property
    @abstractmethod
    def text(self) -> str:
        """For people."""


@dataclass(frozen=True)
class Step(Path):
    """A predicate, or the inverse of one (sections 2.3.1.1 and 2.3.1.4)."""

    predicate: str
    back: bool = False

    def walk(self, graph: Graph) -> Walk:
        """See ``Path``."""
        index = graph.backward(self.predicate) if self.back else graph.forward(self.predicate)
        get = index.get
        return lambda node: get(node, ())

    def sparql(self) -> str:
        """See ``Path``."""
        return f"^{self.predicate}" if self.back else self.predicate

    def inverse(self) -> Path:
        """See ``Path``."""
        return Step(self.predicate, not self.back)

    @property
    def text(self) -> str:
        """See ``Path``."""
        return ("^" if self.back else "") + self.predicate[1:-1]


@dataclass(frozen=True)
class Sequence(Path):
    """One path after the other (section 2.3.1.2)."""

    members: tuple[Path, ...]

    def walk(self, graph: Graph) -> Walk:
        """See ``Path``."""
        first, *others = (member.walk(graph) for member in self.members)

        def walk(node: str) -> Collection[str]:
            reached = first(node)
            for step in others:
                if not reached:
                    break
                reached = dict.fromkeys(end for each in reached for end in step(each))
            return reached

        return walk

    def sparql(self) -> str:
        """See ``Path``."""
        return "(" + "/".join(member.sparql() for member in self.members) + ")"

    def inverse(self) -> Path:
        """See ``Path``."""
        return Sequence(tuple(member.inverse() for member in reversed(self.members)))

    @property
    def text(self) -> str:
        """See ``Path``."""
        return " / ".join(member.text for member in self.members)


@dataclass(frozen=True)
class Alternative(Path):
    """Either of several paths (section 2.3.1.3)."""

    members: tuple[Path, ...]

    def walk(self, graph: Graph) -> Walk:
        """See ``Path``."""
        walks = [member.walk(graph) for member in self.members]
        return lambda node: dict.fromkeys(end for step in walks for end in step(node))

    def sparql(self) -> str:
        """See ``Path``."""
        return "(" + "|".join(member.sparql() for member in self.members) + ")"

    def inverse(self) -> Path:
        """See ``Path``."""
        return Alternative(tuple(member.inverse() for member in self.members))

    @property
    def text(self) -> str:
        """See ``Path``."""
        return " | ".join(member.text for member in self.members)


@dataclass(frozen=True)
class Repeated(Path):
    """A path repeated (sections 2.3.1.5 to 2.3.1.7); ``mark`` is ``*``, ``+`` or ``?``."""

    member: Path
    mark: str

    def walk(self, graph: Graph) -> Walk:
        """See ``Path``."""
        step = self.member.walk(graph)
        if self.mark == "?":
            return lambda node: dict.fromkeys((node, *step(node)))
        with_start = self.mark == "*"

        def walk(node: str) -> Collection[str]:
            reached = {node: None} if with_start else {}
            todo = [node]
            while todo:
                for end in step(todo.pop()):
                    if end not in reached:
                        reached[end] = None
                        todo.append(end)
            return reached

        return walk

    def sparql(self) -> str:
        """See ``Path``."""
        return f"({self.member.sparql()}){self.mark}"

    def inverse(self) -> Path:
        """See ``Path``."""
        return Repeated(self.member.inverse(), self.mark)

    @property
    def text(self) -> str:
        """See ``Path``."""
        return f"({self.member.text}){self.mark}"


@dataclass(frozen=True)
class Inverse(Path):
    """A path of several steps from its end (section 2.3.1.4)."""

    member: Path

    def walk(self, graph: Graph) -> Walk:
        """See ``Path``."""
        return self.member.inverse().walk(graph)

    def sparql(self) -> str:
        """See ``Path``."""
        return f"^({self.member.sparql()})"

    def inverse(self) -> Path:
        """See ``Path``."""
        return self.member

    @property
    def text(self) -> str:
        """See ``Path``."""
        return f"^{self.member.text}"


_REPEATED = {
    sh("zeroOrMorePath"): "*",
    sh("oneOrMorePath"): "+",
    sh("zeroOrOnePath"): "?",
}
_INVERSE, _ALTERNATIVE = sh("inversePath"), sh("alternativePath")


def read(graph: Graph, node: str, above: tuple[str, ...] = ()) -> Path:
    """Read the path that a node of a shapes graph stands for.

    Raises:
        UsageError: it is no well-formed path.
    """
    if is_iri(node):
        return Step(node)
    if not is_blank(node) or node in above:
        raise ill_formed(node, "is no property path: it must be an IRI or a blank node.")
    above = (*above, node)
    if graph.objects(node, FIRST):
        return Sequence(_members(graph, node, node, above))
    for predicate, mark in _REPEATED.items():
        for inner in graph.objects(node, predicate):
            return Repeated(read(graph, inner, above), mark)
    for inner in graph.objects(node, _INVERSE):
        return Step(inner, back=True) if is_iri(inner) else Inverse(read(graph, inner, above))
    for inner in graph.objects(node, _ALTERNATIVE):
        return Alternative(_members(graph, node, inner, above))
    raise ill_formed(node, "is no property path: it has none of the properties of one.")


def _members(graph: Graph, node: str, head: str, above: tuple[str, ...]) -> tuple[Path, ...]:
    members = graph.items(head)
    if members is None or len(members) < 2:
        raise ill_formed(node, "is no property path: its list needs two members or more.")
    return tuple(read(graph, each, above) for each in members)


def copied(graph: Graph, node: str, name: str) -> tuple[str, list[tuple[str, str, str]]]:
    """A well-formed path written anew: its node, and the triples that make it up.

    Args:
        graph: the shapes graph.
        node: the path there.
        name: the blank node that the copy is called by; those below it add numbers.
    """
    triples: list[tuple[str, str, str]] = []

    def fresh() -> str:
        return f"{name}x{len(triples)}" if triples else name

    def write(node: str) -> str:
        if is_iri(node):
            return node
        if graph.objects(node, FIRST):
            return write_list(graph.items(node) or [])
        copy = fresh()
        for predicate in (*_REPEATED, _INVERSE, _ALTERNATIVE):
            for inner in graph.objects(node, predicate):
                triples.append((copy, predicate, ""))  # takes the name before those below it
                at = len(triples) - 1
                is_list = predicate == _ALTERNATIVE
                end = write_list(graph.items(inner) or []) if is_list else write(inner)
                triples[at] = (copy, predicate, end)
                return copy
        return copy

    def write_list(members: list[str]) -> str:
        if not members:
            return NIL
        cell = fresh()
        triples.append((cell, FIRST, ""))
        at = len(triples) - 1
        triples[at] = (cell, FIRST, write(members[0]))
        triples.append((cell, REST, write_list(members[1:])))
        return cell

    return write(node), triples
