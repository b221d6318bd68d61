"""The countries of the world for maps: ``python tools/world.py`` draws them from Natural Earth.

Reads the package ``world-atlas`` (Natural Earth, public domain, 1:110m) of ``frontend/`` and writes
paths by ISO 3166 code for the server to draw, and an image of all of them.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from babel.core import get_global

from clustergraph.pages.maps import HEIGHT, WIDTH, project

ROOT = Path(__file__).resolve().parents[1]
ATLAS = ROOT / "frontend/node_modules/world-atlas/countries-110m.json"
SHAPES = ROOT / "src/clustergraph/pages/world.json"
IMAGE = ROOT / "src/clustergraph/web/static/world.svg"
_ANTARCTICA = "010"
_UNCODED = {"Kosovo": "XK", "N. Cyprus": "", "Somaliland": ""}


def drawn(topology: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The shape of each country by its code, and the paths of all."""
    arcs = _arcs(topology)
    aliases = get_global("territory_aliases")
    found: dict[str, dict[str, Any]] = {}
    paths = []
    for each in topology["objects"]["countries"]["geometries"]:
        if each.get("id") == _ANTARCTICA:
            continue
        nested = each["arcs"] if each["type"] == "MultiPolygon" else [each["arcs"]]
        rings = [_ring(ring, arcs) for polygon in nested for ring in polygon]
        rings = [ring for ring in rings if len(ring) > 3 and not _goes_around(ring)]
        path = "".join(_path(ring) for ring in rings)
        paths.append(path)
        name = each["properties"]["name"]
        code = _UNCODED.get(name) or next(iter(aliases.get(each.get("id", ""), [])), "")
        if code and path:
            largest = max(rings, key=_area)
            xs, ys = [x for x, _y in largest], [y for _x, y in largest]
            found[code] = {
                "d": path,
                "box": [min(xs), min(ys), max(xs), max(ys)],
                "middle": [round(sum(xs) / len(xs)), round(sum(ys) / len(ys))],
            }
    return dict(sorted(found.items())), paths


def _arcs(topology: dict[str, Any]) -> list[list[tuple[float, float]]]:
    (wide, tall), (left, low) = topology["transform"]["scale"], topology["transform"]["translate"]
    read = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * wide + left, y * tall + low))
        read.append(points)
    return read


def _ring(numbers: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    kept: list[tuple[float, float]] = []
    for longitude, latitude in points:
        x, y = project(longitude, latitude)
        point = (round(x * 2) / 2, round(y * 2) / 2)
        if not kept or kept[-1] != point:
            kept.append(point)
    return kept


def _goes_around(ring: list[tuple[float, float]]) -> bool:
    """Whether it crosses the edge of the map, and would be a line from one side to the other."""
    return any(abs(a[0] - b[0]) > WIDTH / 2 for a, b in pairwise(ring))


def _area(ring: list[tuple[float, float]]) -> float:
    return abs(sum(x * b - a * y for (x, y), (a, b) in pairwise(ring)))


def _path(ring: list[tuple[float, float]]) -> str:
    first = ring[0]
    steps = " ".join(f"{b[0] - a[0]:g},{b[1] - a[1]:g}" for a, b in pairwise(ring[:-1]))
    return f"M{first[0]:g},{first[1]:g}l{steps}z"


def main() -> int:
    """Write both files."""
    countries, paths = drawn(json.loads(ATLAS.read_text(encoding="utf-8")))
    SHAPES.write_text(json.dumps(countries, separators=(",", ":")) + "\n", encoding="ascii")
    IMAGE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}"><path d="{"".join(paths)}" fill="#8a97a5" '
        'fill-opacity=".38" stroke="#8a97a5" stroke-opacity=".7" stroke-width=".5"/></svg>\n',
        encoding="ascii",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
