"""A text with marks for its page: the lines at which something was found, and those around."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WHOLE = 2000  # lines of a text that is shown whole
_AROUND = 3
_WIDEST = 400
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass
class Line:
    """A line of a text."""

    number: int
    pieces: list[tuple[str, bool]]
    """Its text, in pieces: whether each is marked."""
    findings: list[int] = field(default_factory=list)
    """The findings at it."""
    after_gap: bool = False
    """Whether lines before it are left out."""


def lines(text: str, path: str, findings: Sequence[dict[str, Any]]) -> list[Line]:
    """The lines to show.

    Args:
        text: the whole text.
        path: as places name it.
        findings: as ``forms.records`` gives them; they count from 1.
    """
    marks: dict[int, list[tuple[int, int, int]]] = {}
    for number, finding in enumerate(findings, start=1):
        place = finding["place"]
        if place and place["file"] == path and place["line"]:
            is_short = place["endLine"] == place["line"]
            end = place["endColumn"] if is_short else _WIDEST + 1
            mark = (place["column"] - 1, max(end - 1, place["column"]), number)
            marks.setdefault(place["line"], []).append(mark)
    return list(_shown(_LINE_END.split(text), marks))


def _shown(all_lines: list[str], marks: dict[int, list[tuple[int, int, int]]]) -> Iterator[Line]:
    wanted: range | list[int] = range(1, len(all_lines) + 1)
    if len(all_lines) > _WHOLE:
        near = {
            number
            for line in sorted(marks)[: _WHOLE // _AROUND]
            for number in range(line - _AROUND, line + _AROUND + 1)
        }
        wanted = sorted(near & set(wanted))
    former = 0
    for number in wanted:
        here = sorted(marks.get(number, []))
        yield Line(
            number,
            list(_pieces(all_lines[number - 1], here)),
            list(dict.fromkeys(each for _start, _end, each in here)),
            number != former + 1,
        )
        former = number


def _pieces(text: str, marks: Sequence[tuple[int, int, int]]) -> Iterator[tuple[str, bool]]:
    shown = text[:_WIDEST] + (" ..." if len(text) > _WIDEST else "")
    at = 0
    for start, end, _number in marks:
        if start > at:
            yield shown[at:start], False
        if end > at:
            yield shown[max(start, at) : end], True
            at = end
    yield shown[at:], False
