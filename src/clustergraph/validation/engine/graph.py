"""A graph in memory, indexed for walking: by predicate, then from subject to objects, and back."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph.validation.engine.nodes import FIRST, NIL, REST, SUBCLASS_OF, TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

Index: TypeAlias = "dict[str, Collection[str]]"

FEW = 8
"""Up to so many values stand in a tuple, which is small; more in a dictionary, which is quick."""


def text(quads: Iterable[ox.Quad]) -> str:
    """The quads without their graph names, as N-Triples; a triple may come twice."""
    content = ox.serialize(map(attrgetter("triple"), quads), format=ox.RdfFormat.N_TRIPLES)
    return content.decode() if content else ""


class Graph:
    """Triples of nodes; see ``nodes`` for what a node is."""

    def __init__(self) -> None:
        self._forward: dict[str, Index] = {}
        self._backward: dict[str, Index] = {}
        self._instances: dict[str, Collection[str]] = {}

    @classmethod
    def read(cls, content: str) -> Graph:
        """Read N-Triples as the store writes them: one space between terms."""
        graph = cls()
        forward = graph._forward
        nodes: dict[str, str] = {}  # each node once in memory
        once = nodes.setdefault
        for line in content.split("\n"):  # splitlines() would also split inside literals
            if not line:
                continue
            subject, predicate, rest = line.split(" ", 2)
            value = rest[:-2]
            index = forward.get(predicate)
            if index is None:
                index = forward[predicate] = {}
            _put(index, once(subject, subject), once(value, value))
        return graph

    def put(self, subject: str, predicate: str, value: str) -> None:
        """Add a triple."""
        _put(self._forward.setdefault(predicate, {}), subject, value)
        if predicate in self._backward:
            _put(self._backward[predicate], value, subject)
        self._forget(predicate)

    def take(self, subject: str, predicate: str, value: str) -> None:
        """Remove a triple."""
        _take(self._forward.get(predicate, {}), subject, value)
        if not self._forward.get(predicate, True):
            del self._forward[predicate]
        _take(self._backward.get(predicate, {}), value, subject)
        self._forget(predicate)

    def _forget(self, predicate: str) -> None:
        """Find anew what is an instance of what, if that may have changed."""
        if predicate in {TYPE, SUBCLASS_OF}:
            self._instances.clear()

    @property
    def predicates(self) -> Iterable[str]:
        """All predicates in use."""
        return self._forward

    def forward(self, predicate: str) -> Mapping[str, Collection[str]]:
        """From each subject to its objects."""
        return self._forward.get(predicate, {})

    def backward(self, predicate: str) -> Mapping[str, Collection[str]]:
        """From each object to its subjects."""
        known = self._backward.get(predicate)
        if known is None:
            known = {}
            for subject, values in self.forward(predicate).items():
                for value in values:
                    _put(known, value, subject)
            self._backward[predicate] = known
        return known

    def objects(self, subject: str, predicate: str) -> Collection[str]:
        """The values of a property."""
        return self.forward(predicate).get(subject, ())

    def subjects(self, predicate: str, value: str) -> Collection[str]:
        """What has this value."""
        return self.backward(predicate).get(value, ())

    def holds(self, subject: str, predicate: str, value: str) -> bool:
        """Whether the triple is there."""
        return value in self.objects(subject, predicate)

    def triples(self) -> Iterator[tuple[str, str, str]]:
        """All triples."""
        for predicate, index in self._forward.items():
            for subject, values in index.items():
                for value in values:
                    yield subject, predicate, value

    def text(self, predicates: Iterable[str]) -> str:
        """The triples with these predicates, as N-Triples."""
        return "".join(
            f"{subject} {predicate} {value} .\n"
            for predicate in predicates
            for subject, values in self.forward(predicate).items()
            for value in values
        )

    def items(self, head: str) -> list[str] | None:
        """The members of a SHACL list (section 1.4); None if it is none."""
        members: list[str] = []
        seen: set[str] = set()
        while head != NIL:
            first, rest = self.objects(head, FIRST), self.objects(head, REST)
            if len(first) != 1 or len(rest) != 1 or head in seen:
                return None
            seen.add(head)
            members.extend(first)
            (head,) = rest
        return members

    def subclasses(self, of: str) -> dict[str, None]:
        """The class and all classes below it."""
        found, todo = {of: None}, [of]
        below = self.backward(SUBCLASS_OF)
        while todo:
            for each in below.get(todo.pop(), ()):
                if each not in found:
                    found[each] = None
                    todo.append(each)
        return found

    def instances(self, of: str) -> Collection[str]:
        """The SHACL instances of a class (section 1.4): rdf:type/rdfs:subClassOf*."""
        known = self._instances.get(of)
        if known is None:
            types = self.backward(TYPE)
            known = dict.fromkeys(
                node for each in self.subclasses(of) for node in types.get(each, ())
            )
            self._instances[of] = known
        return known


def _put(index: Index, key: str, value: str) -> None:
    known = index.get(key)
    if known is None:
        index[key] = (value,)
    elif value in known:
        return
    elif isinstance(known, dict):
        known[value] = None
    elif len(known) < FEW:
        index[key] = (*known, value)
    else:
        index[key] = dict.fromkeys((*known, value))


def _take(index: Index, key: str, value: str) -> None:
    left = tuple(each for each in index.get(key, ()) if each != value)
    if not left:
        index.pop(key, None)
    else:
        index[key] = left if len(left) <= FEW else dict.fromkeys(left)
