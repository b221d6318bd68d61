"""Answers as pictures: times on an axis, pairs as a network; numbers for a template to draw.

The columns of an answer decide what is drawn of it: ``thing`` with ``first`` and ``last``, or with
``code``, ``wkt`` or ``long`` and ``lat``; ``one`` and ``other``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.maps import world_map

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clustergraph.pages.labels import Label, Labels
    from clustergraph.pages.maps import Map
    from clustergraph.store import Row

_DATE = re.compile(r"(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?")
WIDTH = 1000
_TOP, _LINE = 28, 26
_MOST_BARS = 60
_MOST_NODES = 24
_LETTER = 7.2
"""Width of a letter of the labels, on an average, in units of the picture."""


@dataclass(frozen=True)
class Bar:
    """A thing in time."""

    iri: str
    label: Label
    kind: str
    first: str
    last: str
    x: float
    y: float
    width: float
    before: bool
    """Whether its name stands before the bar, since there is no room behind it."""


@dataclass(frozen=True)
class Timeline:
    """Things in time, on an axis of years."""

    bars: tuple[Bar, ...]
    years: tuple[tuple[float, int], ...]
    """Where each year begins."""
    height: int
    left_out: int
    """How many more there are."""


@dataclass(frozen=True)
class Dot:
    """A thing of a network."""

    iri: str
    label: Label
    x: float
    y: float
    anchor: str
    """On which side of the dot its name begins: ``start``, ``middle`` or ``end``."""


@dataclass(frozen=True)
class Tie:
    """Two things of a network that belong together, so many times."""

    one: Dot
    other: Dot
    times: int
    width: float


@dataclass(frozen=True)
class Network:
    """Things on a circle, and what ties them."""

    dots: tuple[Dot, ...]
    ties: tuple[Tie, ...]
    left_out: int
    """How many more things there are."""


def picture(rows: Sequence[Row], labels: Labels) -> Timeline | Network | Map | None:
    """What can be drawn of an answer; None if nothing.

    Args:
        rows: the solutions.
        labels: the names of what is drawn are fetched with it.
    """
    return timeline(rows, labels) or network(rows, labels) or world_map(rows, labels)


def timeline(rows: Iterable[Row], labels: Labels) -> Timeline | None:
    """Things in time; None if no row has a thing and a date.

    Args:
        rows: with ``thing`` and ``first``, maybe ``last`` and ``kind``.
        labels: the names of the things are fetched with it.
    """
    spans = []
    for row in rows:
        thing, first = row.get("thing"), row.get("first")
        if not isinstance(thing, ox.NamedNode) or not isinstance(first, ox.Literal):
            continue
        last = row.get("last", first)
        start, end = _years(first.value, end=False), _years(last.value, end=True)
        if start is not None and end is not None:
            kind = row["kind"].value if "kind" in row else ""
            spans.append((start, max(start, end), thing.value, kind, first.value, last.value))
    if not spans:
        return None
    spans.sort()
    shown = spans[-_MOST_BARS:]
    labels.fetch(each[2] for each in shown)
    begin = math.floor(min(each[0] for each in shown))
    end = math.ceil(max(each[1] for each in shown))
    scale = WIDTH / max(1, end - begin)
    step = max(1, math.ceil((end - begin) / 12))
    bars = []
    for number, (start, stop, iri, kind, begins, ends) in enumerate(shown):
        x, width = (start - begin) * scale, max(4.0, (stop - start) * scale)
        label = labels.of(iri)
        bars.append(
            Bar(
                iri, label, kind, begins, ends, round(x, 1), _TOP + number * _LINE, round(width, 1),
                before=x + width + 8 + len(label.text) * _LETTER > WIDTH,
            )
        )  # fmt: skip
    years = tuple((round((year - begin) * scale, 1), year) for year in range(begin, end + 1, step))
    return Timeline(
        tuple(bars), years, _TOP + len(shown) * _LINE + 6, len(spans) - len(shown)
    )  # fmt: skip


def _years(text: str, *, end: bool) -> float | None:
    """A date as a number of years; of an inexact one its first or its last moment."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day = int(match[1]), match[2], match[3]
    if month is None:
        return year + (1.0 if end else 0.0)
    if day is None:
        return year + (int(month) - (0 if end else 1)) / 12
    return year + (int(month) - 1) / 12 + (int(day) - (0 if end else 1)) / 372


def network(rows: Iterable[Row], labels: Labels) -> Network | None:
    """Pairs as a network; None if there are none.

    Args:
        rows: with ``one``, ``other`` and maybe ``times``.
        labels: the names of the things are fetched with it.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for row in rows:
        one, other = row.get("one"), row.get("other")
        if isinstance(one, ox.NamedNode) and isinstance(other, ox.NamedNode) and one != other:
            first, second = sorted((one.value, other.value))
            pairs[first, second] += _times(row)
    if not pairs:
        return None
    weights: Counter[str] = Counter()
    for (one_iri, other_iri), times in pairs.items():
        weights[one_iri] += times
        weights[other_iri] += times
    ranked = sorted(weights, key=lambda iri: (-weights[iri], iri))[:_MOST_NODES]
    labels.fetch(ranked)
    dots = _circle(sorted(ranked, key=lambda iri: labels.of(iri).text.casefold()), labels)
    most = max(pairs.values())
    ties = tuple(
        Tie(dots[one_iri], dots[other_iri], times, round(1 + 5 * times / most, 1))
        for (one_iri, other_iri), times in sorted(pairs.items())
        if one_iri in dots and other_iri in dots
    )
    return Network(tuple(dots.values()), ties, len(weights) - len(dots))


def _times(row: Row) -> int:
    try:
        return max(1, int(row["times"].value)) if "times" in row else 1
    except ValueError:
        return 1


def _circle(iris: Sequence[str], labels: Labels) -> dict[str, Dot]:
    """Things around a circle, the first at the top."""
    dots = {}
    for number, iri in enumerate(iris):
        angle = 2 * math.pi * number / len(iris) - math.pi / 2
        x, y = 500 + 210 * math.cos(angle), 260 + 210 * math.sin(angle)
        anchor = "middle" if abs(x - 500) < 12 else "start" if x > 500 else "end"
        dots[iri] = Dot(iri, labels.of(iri), round(x, 1), round(y, 1), anchor)
    return dots
