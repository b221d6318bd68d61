"""What is found, the best first: by words, by the beginnings of words, by likeness."""

from __future__ import annotations

import contextlib
import difflib
import functools
import json
import math
import re
import sqlite3
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from clustergraph.search.plain import plain, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST = 200
"""Characters of what is looked for."""
MOST = 2000
"""Things that one search ranks; who finds more is to narrow it."""
_WORDS = 12
_LIKE = 0.6
"""Share of equal letters from which on a name is like what was looked for."""
_CANDIDATES = 400
_SNIPPET = 180
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
"""Scripts that put no space between words."""
_HERE = Path(__file__).resolve().parent
_Row: TypeAlias = tuple[int, int, str, str, str]
"""A text: its thing, rank, language, itself, itself plain."""


@dataclass(frozen=True)
class Hit:
    """A thing that was found."""

    iri: str
    name: str
    language: str
    """Of the name."""
    text: str
    """The text in which it was found, cut to what stands around the match."""
    marks: tuple[tuple[int, int], ...]
    """Where the words stand in it."""
    key: str
    """Its place in the order, for what comes after it."""


@dataclass(frozen=True)
class Facet:
    """A property by which what was found may be narrowed."""

    property: str
    values: tuple[tuple[str, int], ...]
    """Values and how many things have each, the most frequent first."""


@dataclass(frozen=True)
class Found:
    """What a search gives."""

    hits: tuple[Hit, ...]
    total: int
    after: str
    """The key of the last hit if there are more; else nothing."""
    facets: tuple[Facet, ...]
    like: tuple[str, ...]
    """Names that are like what was looked for, if it was not found as it stands."""


class Index:
    """The index of one release; safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        """Open an index.

        Args:
            path: of the file.
        """
        self._uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._local = threading.local()

    def _rows(self, name: str, **values: object) -> list[tuple[object, ...]]:
        """The rows of one of the queries of this package."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._uri, uri=True, isolation_level=None)
            self._local.connection = connection
        return list(connection.execute(_query(name), values))

    def _texts(self, name: str, **values: object) -> list[_Row]:
        return [
            (int(str(row[0])), int(str(row[1])), str(row[2]), str(row[3]), str(row[4]))
            for row in self._rows(name, **values)
        ]

    # -- searching -----------------------------------------------------------------------------

    def search(
        self,
        text: str,
        *,
        narrowed: Iterable[tuple[str, str]] = (),
        languages: Sequence[str] = (),
        after: str = "",
        limit: int = 20,
    ) -> Found:
        """Find things by words of their names and descriptions.

        All words must stand in one text, or begin words in it; accents and case do not matter. What
        is not found so is looked for by likeness.

        Args:
            text: what is looked for; nothing finds all that fits ``narrowed``.
            narrowed: properties and values that things must have.
            languages: those of the reader, the best first.
            after: the key of the last hit that was seen.
            limit: how many hits are wanted.

        Raises:
            sqlite3.Error: the index is damaged.
        """
        text = text[:LONGEST]
        narrowed = list(narrowed)
        given = json.dumps(narrowed)
        rows = self._matching(text, given)
        like: tuple[str, ...] = ()
        if not rows and text.strip():
            rows = self._alike(text, given)
            like = tuple(dict.fromkeys(row[3] for row in rows[:5]))
        best = self._best(rows, text, languages, ranked=bool(like))
        ordered = sorted(best.items(), key=lambda each: (each[1][0], each[0]))
        keys = [_key(score, thing) for thing, (score, _row) in ordered]
        begin = next((at + 1 for at, key in enumerate(keys) if key == after), 0) if after else 0
        page = ordered[begin : begin + limit]
        names = self._names([thing for thing, _ in page], languages)
        hits = tuple(
            Hit(
                *names[thing], *_snippet(row[3], text),
                key=keys[begin + at],
            )
            for at, (thing, (_score, row)) in enumerate(page)
            if thing in names
        )  # fmt: skip
        more = begin + limit < len(ordered)
        return Found(
            hits, len(ordered), keys[begin + len(page) - 1] if more else "",
            self._facets(list(best), narrowed), like,
        )  # fmt: skip

    def suggest(self, text: str, *, languages: Sequence[str] = (), limit: int = 10) -> list[Hit]:
        """Things whose names begin with a text, or hold words that do."""
        text = text[:LONGEST]
        if not text.strip():
            return []
        rows = self._matching(text, "[]", rank=2) or self._alike(text, "[]")
        best = self._best(rows, text, languages)
        ordered = sorted(best.items(), key=lambda each: (each[1][0], each[0]))[:limit]
        names = self._names([thing for thing, _ in ordered], languages)
        return [
            Hit(*names[thing], *_snippet(row[3], text), key=_key(score, thing))
            for thing, (score, row) in ordered
            if thing in names
        ]

    def _matching(self, text: str, narrowed: str, *, rank: int = 3) -> list[_Row]:
        given = {"narrowed": narrowed, "most": MOST}
        found = words(text)[:_WORDS]
        if not found:
            return [] if text.strip() or narrowed == "[]" else self._texts("browsing", **given)
        if _UNSPACED.search(text):
            match = f"%{_escaped(plain(text))}%"
            return self._texts("holding", match=match, rank=rank, **given)
        match = " AND ".join(f'"{word}"*' for word in found)
        return self._texts("matching", match=match, rank=rank, **given)

    def _alike(self, text: str, narrowed: str) -> list[_Row]:
        """Names that have pieces of a text, the most similar first."""
        wanted = plain(text)
        pieces = sorted({wanted[at : at + 3] for at in range(len(wanted) - 2)})
        if not pieces:
            return []
        match = " OR ".join('"{}"'.format(each.replace('"', '""')) for each in pieces)
        rows = self._texts("alike", match=match, rank=2, narrowed=narrowed, most=_CANDIDATES)
        likeness = [(_likeness(wanted, row[4]), row) for row in rows]
        near = [each for each in likeness if each[0] >= _LIKE]
        return [row for _share, row in sorted(near, key=lambda each: (-each[0], each[1]))]

    def _best(
        self, rows: Iterable[_Row], text: str, languages: Sequence[str], *, ranked: bool = False
    ) -> dict[int, tuple[tuple[float, ...], _Row]]:
        """The best text of each thing, with its score; less is better."""
        wanted = plain(text)
        best: dict[int, tuple[tuple[float, ...], _Row]] = {}
        for at, row in enumerate(rows):
            _thing, rank, language, _value, found = row
            if ranked:
                score: tuple[float, ...] = (float(at),)
            else:
                kind = 0 if found == wanted else 1 if found.startswith(wanted) else 2
                if rank == 3:
                    kind = 3
                length = len(found) if wanted else 0
                score = (kind, rank, _preference(language, languages), length, at)
            if row[0] not in best or score < best[row[0]][0]:
                best[row[0]] = (score, row)
        if not wanted:  # nothing to be near to: by name
            return {thing: (score[-1:], row) for thing, (score, row) in best.items()}
        return best

    def _names(
        self, things: Sequence[int], languages: Sequence[str]
    ) -> Mapping[int, tuple[str, str, str]]:
        """IRI, name and its language of some things."""
        wanted = json.dumps(list(things))
        iris = {int(str(number)): str(iri) for number, iri in self._rows("things", things=wanted)}
        found: dict[int, list[tuple[tuple[int, int], str, str]]] = defaultdict(list)
        for row in self._texts("names", things=wanted):
            order = (row[1], _preference(row[2], languages))
            found[row[0]].append((order, row[3], row[2]))
        names = {}
        for number, iri in iris.items():
            _order, name, language = min(
                found[number], default=((0, 0), iri.rstrip("/#").rpartition("/")[2], "")
            )
            names[number] = (iri, name, language)
        return names

    def _facets(
        self, things: Sequence[int], narrowed: Sequence[tuple[str, str]]
    ) -> tuple[Facet, ...]:
        """By what the things may be narrowed further."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for name, value, number in self._rows("facets", things=json.dumps(list(things))):
            counts[str(name)][str(value)] = int(str(number))
        chosen = {name for name, _value in narrowed}
        facets = [
            Facet(name, tuple(sorted(values.items(), key=lambda each: (-each[1], each[0]))))
            for name, values in counts.items()
            if name in chosen or any(number < len(things) for number in values.values())
        ]
        return tuple(sorted(facets, key=lambda each: (-_use(each), each.property)))

    def close(self) -> None:
        """Close this thread's connection."""
        with contextlib.suppress(AttributeError):
            self._local.connection.close()
            del self._local.connection


def _use(facet: Facet) -> float:
    """How well a facet narrows: many things have it, and its values are few."""
    return sum(number for _value, number in facet.values) / math.sqrt(len(facet.values))


@functools.cache
def _query(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _preference(language: str, languages: Sequence[str]) -> int:
    primary = language.partition("-")[0].lower()
    wanted = [each.partition("-")[0].lower() for each in languages]
    return wanted.index(primary) if primary in wanted else len(wanted)


def _likeness(wanted: str, name: str) -> float:
    """How much of what is looked for is in a name, in its best words."""
    whole = difflib.SequenceMatcher(None, wanted, name).ratio()
    parts = [difflib.SequenceMatcher(None, wanted, each).ratio() for each in name.split()]
    return max(whole, *parts) if parts else whole


def _key(score: tuple[float, ...], thing: int) -> str:
    return "-".join(f"{each:g}" for each in (*score, thing))


def _snippet(value: str, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """What stands around the first match in a text, and where the words stand in it."""
    wanted = words(text)
    spans = [
        (match.start(), match.end())
        for match in re.finditer(r"\w+", value)
        if any(plain(match[0]).startswith(word) for word in wanted)
    ]
    begin = 0
    if len(value) > _SNIPPET and spans and spans[0][0] > _SNIPPET // 2:
        begin = value.rfind(" ", 0, spans[0][0] - _SNIPPET // 3) + 1
    cut = value[begin : begin + _SNIPPET]
    marks = tuple((a - begin, b - begin) for a, b in spans if begin <= a and b - begin <= len(cut))
    return cut, marks
