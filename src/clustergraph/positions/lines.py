"""The statements of N-Triples that speak of some things, without reading all the others.

Each statement stands in a line of its own (RDF 1.2 N-Triples, section 2), so that a large file need
only be looked through.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from clustergraph.positions import lexer, reader

if TYPE_CHECKING:
    from collections.abc import Collection

    from clustergraph.positions.reader import Record

_LINE = re.compile(
    r"^[ \t]*(?:<([^>\r\n]*)>|_:[^\s<]+)[ \t]*<([^>\r\n]*)>[ \t]*(?:<([^>\r\n]*)>)?", re.MULTILINE
)


@dataclass
class Found:
    """What a look through a text found."""

    records: list[Record]
    """The statements about the things, by subject, predicate or object."""
    subjects: frozenset[str]
    """All things that any statement is about."""


def is_plain(text: str) -> bool:
    """Whether lines end with LF alone or with CRLF, as this module takes them to."""
    return text.count("\r") == text.count("\r\n")


def about(text: str, things: Collection[str], described: Collection[str] = ()) -> Found:
    """Look a text through for the statements about things; IRIs without escapes.

    Args:
        text: the document.
        things: what statements must name, in whatever role.
        described: what else statements may have for subject.
    """
    starts: list[int] = []
    subjects: set[str] = set()
    wanted = frozenset(things)
    wanted_subjects = wanted.union(described)
    for found in _LINE.finditer(text):
        subject, predicate, value = map(_plain, found.groups())
        if subject:
            subjects.add(subject)
        if subject in wanted_subjects or value in wanted or predicate in wanted:
            starts.append(found.start())
    return Found(_records(text, starts), frozenset(subjects))


def using(text: str, predicate: str) -> list[Record]:
    """The statements with a property."""
    starts = [each.start() for each in _LINE.finditer(text) if _plain(each[2]) == predicate]
    return _records(text, starts)


def _plain(iri: str | None) -> str | None:
    if iri is None or "\\" not in iri:
        return iri
    try:
        return lexer.unescaped(iri)
    except ValueError:
        return iri


def _records(text: str, starts: list[int]) -> list[Record]:
    """The statements of some lines, with their places in the whole text."""
    lines: list[str] = []
    moves: list[tuple[int, int]] = []
    at = 0
    for start in starts:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start : end + 1]
        lines.append(line)
        moves.append((at, start - at))
        at += len(line)
    found = reader.read("".join(lines), lines=True, graphs=False).records

    def moved(offset: int) -> int:
        return (
            -1
            if offset < 0
            else offset + moves[bisect_right(moves, offset, key=itemgetter(0)) - 1][1]
        )

    return [(*record[:4], *map(moved, record[4:])) for record in found]  # type: ignore[misc]
