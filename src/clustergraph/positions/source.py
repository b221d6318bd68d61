"""One file whose terms can be found: where a statement, a thing or a graph name stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from clustergraph.positions import isomorphism, reader, terms
from clustergraph.positions import lines as lined
from clustergraph.positions.place import Lines, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clustergraph.positions.reader import Reading, Record

SUBJECT: Final = 0
PREDICATE: Final = 1
OBJECT: Final = 2
GRAPH: Final = 3
WITH_POSITIONS = frozenset({"ttl", "trig", "nt", "nq"})
"""The formats that are read with positions; in others a thing has the file for its place."""


@dataclass(eq=False)
class Source:
    """A file as the engine read it, and its text; read with positions at the first question."""

    path: str
    """How the file is called to people."""
    suffix: str
    """That of its format: ``ttl``, ``trig``, ``nt``, ``nq``, or one without positions."""
    load: Callable[[], str]
    """Gives its text."""
    engine: Callable[[], Iterable[ox.Quad]]
    """Gives its quads as the engine read them, with the labels of blank nodes that findings use."""
    base: str = ""
    moved: tuple[str, str] = ("", "")
    """Base IRI in the file, and the one under which its things are asked for."""
    home: Callable[[], str] = str
    """Gives the graph that its triples outside any named graph were put into."""
    kind: str = "data"
    """data, ontology or shapes."""
    owns: Callable[[str], bool] | None = None
    """Tells whether a blank node with this label is of the file, if that can be told by it."""
    _blanks: dict[str, str] | None = field(default=None, repr=False)
    _labels: frozenset[str] | None = field(default=None, repr=False)
    _sought: tuple[frozenset[str], frozenset[str]] | None = field(default=None, repr=False)

    @property
    def has_positions(self) -> bool:
        """Whether places in it have lines."""
        return self.suffix in WITH_POSITIONS

    @cached_property
    def text(self) -> str:
        """The text of the file."""
        return self.load()

    @property
    def prefixes(self) -> dict[str, str]:
        """The prefixes that it declares."""
        return self.reading.prefixes if self.suffix in {"ttl", "trig"} else {}

    @cached_property
    def lines(self) -> Lines:
        """The lines of the text."""
        return Lines(self.text)

    @cached_property
    def reading(self) -> Reading:
        """What the file says, and where."""
        return reader.read(
            self.text,
            base=self.base,
            lines=self.suffix in {"nt", "nq"},
            graphs=self.suffix in {"trig", "nq"},
        )

    @cached_property
    def _index(self) -> dict[tuple[int, str], list[Record]]:
        """The records by each term in each role; only those sought, if all are not needed."""
        index: dict[tuple[int, str], list[Record]] = {}
        found = self._looked_through
        for record in self._records() if found is None else self._moved(found.records):
            for role, key in enumerate(record[:4]):
                index.setdefault((role, key), []).append(record)
        return index

    @cached_property
    def _looked_through(self) -> lined.Found | None:
        if self._sought is None or not lined.is_plain(self.text):
            return None
        return lined.about(self.text, *self._sought)

    def seek(self, things: Iterable[str], described: Iterable[str]) -> None:
        """Say what will be asked for, so that a large file of lines need not be read whole.

        Args:
            things: IRIs for whose statements will be asked, whatever their role.
            described: IRIs that will be asked for as subjects alone.
        """
        if self.suffix == "nt" and "_index" not in self.__dict__:
            self._sought = (
                frozenset(map(self._as_written, things)),
                frozenset(map(self._as_written, described)),
            )

    def _as_written(self, iri: str) -> str:
        old, new = self.moved
        return old + iri[len(new) :] if new and iri.startswith(new) else iri

    def _widen(self) -> None:
        """Read everything after all."""
        if self._sought is not None:
            self._sought = None
            for name in ("_index", "_looked_through"):
                self.__dict__.pop(name, None)

    def _records(self) -> list[Record]:
        if not self.has_positions:
            return [
                (*map(terms.key, (quad.subject, quad.predicate, quad.object)), "", -1, -1, -1, -1)  # type: ignore[misc]
                for quad in self.engine()
            ]
        return self._moved(self.reading.records)

    def _moved(self, records: list[Record]) -> list[Record]:
        """The statements under the base under which things are asked for."""
        old, new = self.moved
        if old == new:
            return records

        def move(key: str) -> str:
            if key.startswith(old):
                return new + key[len(old) :]
            return key.replace(old, new) if key.startswith('"') and old in key else key

        return [(*map(move, record[:4]), *record[4:]) for record in records]  # type: ignore[misc]

    def _key(self, term: object) -> str:
        key = terms.key(term)
        if not terms.is_blank(key) or not self.has_positions:
            return key
        if not self._is_own(key):  # matching the blank nodes of a large file takes long
            return "_:"
        self._widen()
        if self._blanks is None:
            home = self.home()
            theirs = (
                (
                    terms.key(quad.subject),
                    terms.key(quad.predicate),
                    terms.key(quad.object),
                    terms.key(quad.graph_name) or home,
                )
                for quad in self.engine()
            )
            ours = ((*record[:3], record[3] or home) for record in self._records())
            self._blanks = isomorphism.match(theirs, ours)
        return self._blanks.get(key, "_:")  # another file's: no label

    def _is_own(self, key: str) -> bool:
        if self.owns is not None:
            return self.owns(key[2:])
        if self._labels is None:
            self._labels = frozenset(
                term.value
                for quad in self.engine()
                for term in quad
                if isinstance(term, ox.BlankNode)
            )
        return key[2:] in self._labels

    def records(
        self, subject: object = None, predicate: object = None, value: object = None
    ) -> list[Record]:
        """The statements with these terms, in the order of the file."""
        wanted = [
            (role, self._key(term))
            for role, term in ((SUBJECT, subject), (PREDICATE, predicate), (OBJECT, value))
            if term is not None
        ]
        lists = [self._index.get(each, []) for each in wanted]
        shortest = min(lists, key=len)
        return [each for each in shortest if all(each[:4][role] == key for role, key in wanted)]

    def named(self, graph: object) -> list[Record]:
        """The statements in a graph that the file names."""
        return self._index.get((GRAPH, self._key(graph)), [])

    def knows(self, iri: str) -> bool:
        """Whether the file says something of a thing."""
        found = self._looked_through
        if found is not None:
            return self._as_written(iri) in found.subjects
        return (SUBJECT, iri) in self._index

    def described(self, start: str) -> list[str]:
        """The things whose IRIs start so, of which the file says something."""
        found = self._looked_through
        if found is not None:
            old, new = self.moved
            begin = self._as_written(start)
            return [
                new + iri[len(old) :] if old and iri.startswith(old) else iri
                for iri in sorted(found.subjects)
                if iri.startswith(begin)
            ]
        return [key for role, key in self._index if role == SUBJECT and key.startswith(start)]

    def values(self, predicate: str) -> list[str]:
        """The keys of the values of a property."""
        if self._looked_through is not None:
            using = lined.using(self.text, self._as_written(predicate))
            return [record[OBJECT] for record in self._moved(using)]
        return [record[OBJECT] for record in self._index.get((PREDICATE, predicate), [])]

    def statements(self) -> list[Record]:
        """All that the file says, in its order."""
        return self._records()

    def place(self, record: Record, role: int) -> Place:
        """Where one term of a statement stands."""
        return self.place_at(record[4:][role])

    def place_at(self, start: int) -> Place:
        """The place of the term that begins at an offset; the file's, if that is -1."""
        if start < 0:
            return Place(self.path)
        return self.lines.place(self.path, start, reader.end_of(self.text, start))
