"""The index of a release, written with it: SQLite's FTS5 over its public statements."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.search.plain import plain
from clustergraph.store import flat

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "search.sqlite"
"""Of the file, in the folder of the release."""
_HERE = Path(__file__).resolve().parent
_SKOS, _DCTERMS = "http://www.w3.org/2004/02/skos/core#", "http://purl.org/dc/terms/"
_RANKS = {
    f"<{name}>".encode(): rank
    for rank, names in (
        (1, (f"{_SKOS}prefLabel", "http://www.w3.org/2000/01/rdf-schema#label",
             f"{_DCTERMS}title", "http://xmlns.com/foaf/0.1/name", "https://schema.org/name")),
        (2, (f"{_SKOS}altLabel", f"{_SKOS}hiddenLabel", f"{_SKOS}notation",
             "https://schema.org/alternateName", f"{_DCTERMS}identifier")),
    )
    for name in names
}  # fmt: skip
"""Properties that name a thing; whatever else has a language describes it."""
_LONGEST = 4000
"""Characters of a text that are indexed."""
MOST_VALUES = 300
"""Different values that a property may have by which results are narrowed."""
_YEAR = re.compile(rb'-?(\d{4})(?:-|")')
_DATES = (b"#date>", b"#dateTime>", b"#gYear>", b"#gYearMonth>")
_RECORDS = frozenset(
    f"<{iri}>".encode() for iri in
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement",
     "http://www.w3.org/2008/05/skos-xl#Label", "http://www.w3.org/ns/oa#SpecificResource",
     "http://www.w3.org/2006/time#Interval")
)  # fmt: skip
"""Classes of records about things that are found themselves: evidence, spellings, passages."""
_TYPE = b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_THINGS = 20_000
"""Things of which what is found is held in memory at once."""


def build(path: Path, lines: Iterable[bytes], *, base: str) -> None:
    """Write the index of some statements.

    Args:
        path: of the file, which must not be there.
        lines: what is public, as N-Quads; the statements of a thing stand together.
        base: the base IRI: things under it are found, but not the shapes.

    Raises:
        OSError, sqlite3.Error: it cannot be written.
    """
    builder = Builder(path, base=base)
    try:
        builder.add(lines)
        builder.finish()
    finally:
        builder.close()


class Builder:
    """Writes an index; what it was given is on its way to the file, so that memory stays flat."""

    def __init__(self, path: Path, *, base: str) -> None:
        """Begin an index; see ``build``.

        Raises:
            OSError, sqlite3.Error: it cannot be written.
        """
        self._collected = Collected(base)
        self._last = b""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript((_HERE / "schema.sql").read_text(encoding="utf-8"))
        self._connection.execute("BEGIN")

    def add(self, lines: Iterable[bytes]) -> None:
        """Take lines; the statements of a thing stand together.

        Raises:
            sqlite3.Error: they cannot be written.
        """
        collected = self._collected
        for line in lines:
            if collected.things_held > _THINGS and not line.startswith(self._last):
                self._write()
            if collected.add(line):
                self._last = line[: line.index(b" ") + 1]

    def _write(self) -> None:
        collected, write = self._collected, self._connection.executemany
        write("INSERT INTO thing VALUES (?, ?)", collected.things())
        write(
            "INSERT INTO text (thing, rank, language, value, plain) VALUES (?, ?, ?, ?, ?)",
            collected.texts(),
        )
        write("INSERT INTO facet VALUES (?, ?, ?)", collected.facets())
        collected.clear()

    def finish(self) -> None:
        """Write the rest, and what is found by words.

        Raises:
            sqlite3.Error: it cannot be written.
        """
        self._write()
        many = [(each,) for each in sorted(self._collected.many)]
        self._connection.executemany("DELETE FROM facet WHERE property = ?", many)
        self._connection.executemany("INSERT INTO property VALUES (?, 0)", many)
        self._connection.execute("COMMIT")
        self._connection.executescript((_HERE / "finish.sql").read_text(encoding="utf-8"))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class Collected:
    """What is indexed, out of lines of N-Quads."""

    def __init__(self, base: str) -> None:
        self._prefix = f"<{base}".encode()
        self._shapes = f"<{base}shapes>".encode()
        self._first = 0
        self._numbers: dict[bytes, int] = {}
        self._texts: set[tuple[int, int, str, str, str]] = set()
        self._values: dict[bytes, dict[bytes, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._known: dict[bytes, set[bytes]] = defaultdict(set)
        self._many: set[bytes] = set()
        self._records: set[int] = set()

    @property
    def many(self) -> set[str]:
        """Properties with more values than results are narrowed by."""
        return {each[1:-1].decode() for each in self._many}

    @property
    def things_held(self) -> int:
        """How many things were found since the last ``clear``."""
        return len(self._numbers)

    def clear(self) -> None:
        """Forget the things; what comes has other ones."""
        self._first += len(self._numbers)
        for each in (self._numbers, self._texts, self._values, self._records):
            each.clear()

    def add(self, line: bytes) -> bool:
        """Take one statement in; gives whether it is of a thing under the base."""
        if not line.startswith(self._prefix):
            return False
        subject, predicate, rest = line.split(b" ", 2)
        if rest.startswith(b"<"):
            term, _, end = rest.partition(b" ")
            if end.startswith(self._shapes):
                return True
            if predicate == _TYPE and term in _RECORDS:
                self._records.add(self._number(subject))
            self._narrow(subject, predicate, term)
        elif rest.startswith(b'"'):
            term, graph = flat.ended(rest)
            if graph != self._shapes:
                self._tell(subject, predicate, term)
        return True

    def _tell(self, subject: bytes, predicate: bytes, term: bytes) -> None:
        """Take a literal in."""
        rank = _RANKS.get(predicate, 3)
        end = term.rindex(b'"')
        kind = term[end + 1 :]
        if rank < 3 or kind.startswith(b"@"):
            value = term[1:end]
            text = (_unescaped(term) if b"\\" in value else value.decode())[:_LONGEST]
            language = kind[1:].decode() if kind.startswith(b"@") else ""
            self._texts.add((self._number(subject), rank, language, text, plain(text)))
        elif kind.endswith(_DATES) and (year := _YEAR.match(term, 1)):
            self._narrow(subject, predicate, year[1])

    def _number(self, thing: bytes) -> int:
        return self._numbers.setdefault(thing, self._first + len(self._numbers) + 1)

    def _narrow(self, thing: bytes, predicate: bytes, value: bytes) -> None:
        if predicate in self._many:
            return
        known = self._known[predicate]
        known.add(value)
        if len(known) > MOST_VALUES:
            self._number(thing)
            self._many.add(predicate)
            del self._known[predicate]
            self._values.pop(predicate, None)
        else:
            self._values[predicate][value].add(self._number(thing))

    def things(self) -> Iterable[tuple[int, str]]:
        """All things by their numbers."""
        found = ((number, iri[1:-1].decode()) for iri, number in self._numbers.items())
        return (each for each in found if each[0] not in self._records)

    def texts(self) -> list[tuple[int, int, str, str, str]]:
        """All texts in a fixed order: thing, rank, language, the text, the text plain."""
        return sorted(each for each in self._texts if each[0] not in self._records)

    def facets(self) -> Iterable[tuple[int, str, str]]:
        """The values that things have of properties which have few."""
        for predicate, every in sorted(self._values.items()):
            name = predicate[1:-1].decode()
            for value, things in sorted(every.items()):
                shown = (value[1:-1] if value.startswith(b"<") else value).decode()
                for thing in sorted(things - self._records):
                    yield thing, name, shown


def _unescaped(term: bytes) -> str:
    """The text of a literal with escapes, which the engine reads."""
    quad = next(ox.parse(b"<a:> <a:> %s ." % term, ox.RdfFormat.N_QUADS))
    return str(quad.object.value)
