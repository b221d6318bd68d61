"""What is known of a release's default graph, by which queries are rewritten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Predicate:
    """How often a predicate stands in the graph."""

    triples: int
    subjects: int
    """Different ones."""
    objects: int
    """Different ones."""
    literals: int
    """Triples whose object is a literal."""


class Memory(Protocol):
    """Bytes, or a file mapped into memory."""

    def __getitem__(self, index: slice) -> bytes: ...

    def find(self, sub: bytes, start: int, end: int, /) -> int:
        """Where something begins, or -1."""
        ...

    def rfind(self, sub: bytes, start: int, end: int, /) -> int:
        """Where something begins last, or -1."""
        ...


@dataclass(frozen=True)
class Texts:
    """All objects of a predicate that has strings alone, to be searched for a piece of text."""

    memory: Memory
    terms: int
    """Where they begin in memory: one a line, as SPARQL writes them; a line begins before."""
    folded: int
    """Where the same begins with letters of ASCII in lower case."""
    length: int
    """Of each."""
    odd: tuple[str, ...] = ()
    """Terms with letters that turn into ASCII by another case (as the Kelvin sign does into k)."""

    def holding(self, needle: str, most: int) -> list[str] | None:
        """The terms that can hold a piece of text, whatever its case: some too many, none missing.

        Args:
            needle: of ASCII, without quotes, backslashes and control characters.
            most: how many may be found.

        Returns:
            Terms as SPARQL writes them; None if there are more.
        """
        wanted = needle.lower().encode("ascii")
        found = dict.fromkeys(self.odd)
        last = self.folded + self.length
        position = self.memory.find(wanted, self.folded, last)
        while position >= 0:
            begin = self.memory.rfind(b"\n", self.folded, position) + 1
            end = self.memory.find(b"\n", position, last)
            if len(found) >= most:
                return None
            away = self.terms - self.folded
            found[self.memory[begin + away : end + away].decode()] = None
            position = self.memory.find(wanted, end, last)
        return list(found)


@dataclass(frozen=True)
class Known:
    """Figures that steer the order of joins, and facts that hold of the graph exactly."""

    triples: int = 0
    predicates: Mapping[str, Predicate] = field(default_factory=dict)
    """By IRI."""
    frequent: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Triples by predicate and object (IRIs), where they are many."""
    texts: Mapping[str, Texts] = field(default_factory=dict)
    """By IRI of the predicate."""

    def predicate(self, iri: str) -> Predicate:
        """Figures of a predicate; of one that the graph did not have, ones."""
        return self.predicates.get(iri, Predicate(1, 1, 1, 1))

    def matching(self, predicate: str, value: str | None) -> float:
        """How many triples have a predicate and an object, estimated.

        Args:
            predicate: its IRI.
            value: IRI of the object; None if it is something else.
        """
        figures = self.predicate(predicate)
        counted = self.frequent.get((predicate, value or ""))
        return counted if counted is not None else max(1.0, figures.triples / figures.objects)
