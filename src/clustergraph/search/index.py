"""The index of a release, written with it: SQLite's FTS5 over its public statements."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.search.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "search.sqlite"
"""Of the file, in the folder of the release."""
_HERE = Path(__file__).resolve().parent
_SKOS, _DCTERMS = "http://www.w3.org/2004/02/skos/core#", "http://purl.org/dc/terms/"
_RANKS = {
    f"{_SKOS}prefLabel": 1, "http://www.w3.org/2000/01/rdf-schema#label": 1, f"{_DCTERMS}title": 1,
    "http://xmlns.com/foaf/0.1/name": 1, "https://schema.org/name": 1, f"{_SKOS}altLabel": 2,
    f"{_SKOS}hiddenLabel": 2, f"{_SKOS}notation": 2, "https://schema.org/alternateName": 2,
    f"{_DCTERMS}identifier": 2,
}  # fmt: skip
"""Properties that name a thing; whatever else has a language describes it."""
_LONGEST = 4000
"""Characters of a text that are indexed."""
MOST_VALUES = 300
"""Different values that a property may have by which results are narrowed."""
_YEAR = re.compile(r"-?(\d{4})(?:-|$)")
_DATES = ("#date", "#dateTime", "#gYear", "#gYearMonth")
_RECORDS = frozenset(
    {"http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement",
     "http://www.w3.org/2008/05/skos-xl#Label", "http://www.w3.org/ns/oa#SpecificResource",
     "http://www.w3.org/2006/time#Interval"}
)  # fmt: skip
"""Classes of records about things that are found themselves: evidence, spellings, passages."""
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def build(path: Path, quads: Iterable[ox.Quad], *, base: str) -> None:
    """Write the index of some statements.

    Args:
        path: of the file, which must not be there.
        quads: what is public.
        base: the base IRI: things under it are found, but not the shapes.

    Raises:
        OSError, sqlite3.Error: it cannot be written.
    """
    collected = Collected(base)
    for quad in quads:
        collected.add(quad)
    connection = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(connection):
        connection.executescript((_HERE / "schema.sql").read_text(encoding="utf-8"))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO thing VALUES (?, ?)", collected.things())
        connection.executemany(
            "INSERT INTO text (thing, rank, language, value, plain) VALUES (?, ?, ?, ?, ?)",
            collected.texts(),
        )
        connection.executemany("INSERT INTO facet VALUES (?, ?, ?)", collected.facets())
        connection.executemany(
            "INSERT INTO property VALUES (?, 0)", [(each,) for each in sorted(collected.many)]
        )
        connection.execute("COMMIT")
        connection.executescript((_HERE / "finish.sql").read_text(encoding="utf-8"))


class Collected:
    """What is indexed, out of statements in any order."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._shapes = ox.NamedNode(f"{base}shapes")
        self._numbers: dict[str, int] = {}
        self._texts: set[tuple[int, int, str, str, str]] = set()
        self._values: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.many: set[str] = set()
        """Properties with more values than results are narrowed by."""
        self._records: set[int] = set()

    def add(self, quad: ox.Quad) -> None:
        """Take one statement in."""
        subject, term = quad.subject, quad.object
        if quad.graph_name == self._shapes or not isinstance(subject, ox.NamedNode):
            return
        if not subject.value.startswith(self._base):
            return
        predicate = quad.predicate.value
        if isinstance(term, ox.NamedNode):
            if predicate == TYPE and term.value in _RECORDS:
                self._records.add(self._number(subject.value))
            self._narrow(subject.value, predicate, term.value)
        elif isinstance(term, ox.Literal):
            rank = _RANKS.get(predicate, 3)
            if term.language or rank < 3:
                text = term.value[:_LONGEST]
                self._texts.add(
                    (self._number(subject.value), rank, term.language or "", text, plain(text))
                )
            elif term.datatype.value.endswith(_DATES) and (year := _YEAR.match(term.value)):
                self._narrow(subject.value, predicate, year[1])

    def _number(self, iri: str) -> int:
        return self._numbers.setdefault(iri, len(self._numbers) + 1)

    def _narrow(self, iri: str, predicate: str, value: str) -> None:
        if predicate in self.many:
            return
        values = self._values[predicate]
        values[value].add(self._number(iri))
        if len(values) > MOST_VALUES:
            self.many.add(predicate)
            del self._values[predicate]

    def things(self) -> Iterable[tuple[int, str]]:
        """All things by their numbers."""
        found = ((number, iri) for iri, number in self._numbers.items())
        return (each for each in found if each[0] not in self._records)

    def texts(self) -> list[tuple[int, int, str, str, str]]:
        """All texts in a fixed order: thing, rank, language, the text, the text plain."""
        return sorted(each for each in self._texts if each[0] not in self._records)

    def facets(self) -> Iterable[tuple[int, str, str]]:
        """The values that things have of properties which have few."""
        for predicate, every in sorted(self._values.items()):
            for value, things in sorted(every.items()):
                for thing in sorted(things - self._records):
                    yield thing, predicate, value
