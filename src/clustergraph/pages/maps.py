"""Places on a map of the world: countries by ISO 3166 code, points by longitude and latitude.

The shapes are those of Natural Earth, drawn once by ``tools/world.py``; the projection is theirs.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.pages.view import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clustergraph.pages.labels import Labels
    from clustergraph.store import Row

WIDTH, HEIGHT = 1000, 450
_SCALE = WIDTH / 2 / (math.pi * 0.8707)
_TOP = 262
"""Of the equator."""
_CODE = re.compile(r"([A-Z]{2})(?:-[A-Z0-9]{1,3})?$")
_POINT = re.compile(r"(?:<[^>]*>\s*)?POINT\s*Z?\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)", re.IGNORECASE)
_SHAPES = Path(__file__).resolve().parent / "world.json"
_MARGIN = 40
_SMALLEST = (260, 150)
"""Of what a map shows: a country says little without its surroundings."""
_MOST = 200
_MOST_NAMED = 40
"""Things that are named at one place."""


@dataclass(frozen=True)
class Area:
    """A country, and what is there."""

    code: str
    d: str
    """Its path, as SVG writes it."""
    x: float
    y: float
    """Its middle."""
    things: tuple[Named, ...]
    number: int
    """How many there are: not all are named."""


@dataclass(frozen=True)
class Spot:
    """A point, and what is there."""

    x: float
    y: float
    things: tuple[Named, ...]
    number: int
    """How many there are: not all are named."""


@dataclass(frozen=True)
class Map:
    """Things where they are."""

    areas: tuple[Area, ...]
    spots: tuple[Spot, ...]
    left: float
    top: float
    width: float
    height: float
    left_out: int = 0
    """Points that are not shown."""

    @property
    def unit(self) -> float:
        """A thousandth of what is shown: how thick lines are."""
        return self.width / WIDTH


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """Where a point is on the map (Natural Earth projection, Šavrič and others 2011)."""
    across, up = math.radians(longitude), math.radians(latitude)
    square = up * up
    fourth = square * square
    x = across * (
        0.8707
        - 0.131979 * square
        + fourth * (-0.013791 + fourth * (0.003971 * square - 0.001529 * fourth))
    )
    y = up * (
        1.007226
        + square * (0.015085 + fourth * (-0.044475 + 0.028874 * square - 0.005916 * fourth))
    )
    return WIDTH / 2 + _SCALE * x, _TOP - _SCALE * y


def world_map(rows: Iterable[Row], labels: Labels) -> Map | None:
    """Things on the map; None if no row has one and a place that is known.

    Args:
        rows: with ``thing`` (or ``s``) and ``code`` (ISO 3166-1, or -2 for a part of a country),
            ``wkt`` (a point), or ``long`` and ``lat``.
        labels: the names of the things are fetched with it.
    """
    shapes = _shapes()
    areas: dict[str, dict[str, None]] = defaultdict(dict)
    spots: dict[tuple[float, float], dict[str, None]] = defaultdict(dict)
    for row in rows:
        thing = row.get("thing", row.get("s"))
        if not isinstance(thing, ox.NamedNode):
            continue
        point, code = _point(row), _code(row)
        if point is not None:
            spots[point][thing.value] = None
        elif code in shapes:
            areas[code][thing.value] = None
    if not areas and not spots:
        return None
    shown = sorted(spots.items())[:_MOST]
    told = {id(each): list(each)[:_MOST_NAMED] for each in (*areas.values(), *dict(shown).values())}
    labels.fetch({iri for iris in told.values() for iri in iris})

    def named(things: Mapping[str, None]) -> tuple[Named, ...]:
        return _ordered(Named(iri, labels.of(iri)) for iri in told[id(things)])

    boxes = [shapes[code]["box"] for code in areas] + [[x, y, x, y] for (x, y), _things in shown]
    left, top, width, height = _frame(boxes)
    return Map(
        tuple(
            _area(code, shapes[code], named(things), len(things))
            for code, things in sorted(areas.items())
        ),
        tuple(Spot(x, y, named(things), len(things)) for (x, y), things in shown),
        left, top, width, height,
        len(spots) - len(shown),
    )  # fmt: skip


def _area(code: str, shape: dict[str, Any], things: tuple[Named, ...], number: int) -> Area:
    x, y = shape["middle"]
    return Area(code, shape["d"], x, y, things, number)


def _ordered(things: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(sorted(things, key=lambda each: (each.label.text.casefold(), each.iri)))


def _frame(boxes: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """The part of the world to show, in the shape of a map: left, top, width, height."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, low = max(box[2] for box in boxes), max(box[3] for box in boxes)
    width = max(right - left + 2 * _MARGIN, _SMALLEST[0], (low - top) * WIDTH / HEIGHT)
    width = min(width, WIDTH)
    height = width * HEIGHT / WIDTH
    x = min(max(0, (left + right - width) / 2), WIDTH - width)
    y = min(max(0, (top + low - height) / 2), HEIGHT - height)
    return round(x, 1), round(y, 1), round(width, 1), round(height, 1)


def _code(row: Row) -> str:
    term = row.get("code")
    match = _CODE.match(term.value) if isinstance(term, ox.Literal) else None
    return match[1] if match else ""


def _point(row: Row) -> tuple[float, float] | None:
    wkt = row.get("wkt")
    match = _POINT.match(wkt.value) if isinstance(wkt, ox.Literal) else None
    texts = (match[1], match[2]) if match else tuple(
        term.value for name in ("long", "lat") if isinstance(term := row.get(name), ox.Literal)
    )  # fmt: skip
    try:
        longitude, latitude = (float(text) for text in texts)
    except ValueError:
        return None
    if abs(longitude) > 180 or abs(latitude) > 90:
        return None
    x, y = project(longitude, latitude)
    return round(x, 1), round(y, 1)


@cache
def _shapes() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_SHAPES.read_text(encoding="ascii"))
    return found
