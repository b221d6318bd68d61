"""Hierarchies as trees, and trees as pictures: boxes in columns, lines from each to those below."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.pages.labels import Label, Labels

_DEEPEST = 12
_ROW, _TALL, _GAP = 30, 22, 44
_LETTER, _PADDING = 7.4, 18
_NARROWEST, _WIDEST = 90, 260


@dataclass(frozen=True)
class Branch:
    """A thing of a hierarchy with what stands below it."""

    iri: str
    label: Label
    below: tuple[Branch, ...]


@dataclass(frozen=True)
class Box:
    """A thing in the picture of a hierarchy."""

    iri: str
    label: Label
    text: str
    """Its name, short enough for the box."""
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Diagram:
    """A hierarchy as boxes and lines."""

    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    """Paths, as SVG writes them."""
    width: int
    height: int


def forest(above: Mapping[str, Iterable[str]], labels: Labels) -> tuple[Branch, ...]:
    """The trees of a hierarchy, by name. What has several things above it stands below each.

    Args:
        above: for each thing what stands above it; what is no key stands at the top.
        labels: with the names of all.
    """
    below: dict[str, set[str]] = defaultdict(set)
    for iri, parents in above.items():
        for parent in parents:
            below[parent].add(iri)
    tops = {iri for iri, parents in above.items() if not list(parents)}
    tops |= below.keys() - above.keys()
    placed: set[str] = set()

    def branch(iri: str, path: tuple[str, ...]) -> Branch:
        placed.add(iri)
        wanted = below[iri].difference(path, (iri,)) if len(path) < _DEEPEST else set()
        return Branch(iri, labels.of(iri), tuple(ordered(wanted, (*path, iri))))

    def ordered(iris: Iterable[str], path: tuple[str, ...]) -> list[Branch]:
        named = sorted(iris, key=lambda each: (labels.of(each).text.casefold(), each))
        return [branch(each, path) for each in named]

    found = ordered(tops, ())
    while rest := above.keys() - placed:  # a circle has no top
        found.append(branch(min(rest), ()))
    return tuple(found)


def diagram(trees: Iterable[Branch]) -> Diagram | None:
    """The picture of some trees, those without branches left out; None if nothing is left."""
    drawn = [each for each in trees if each.below]
    if not drawn:
        return None
    widths: dict[int, float] = defaultdict(float)

    def measure(branch: Branch, depth: int) -> None:
        wanted = len(branch.label.text) * _LETTER + _PADDING
        widths[depth] = max(widths[depth], _NARROWEST, min(wanted, _WIDEST))
        for each in branch.below:
            measure(each, depth + 1)

    for each in drawn:
        measure(each, 0)
    lefts = {depth: sum(widths[at] + _GAP for at in range(depth)) for depth in widths}
    boxes: list[Box] = []
    lines: list[str] = []
    row = 0.0

    def place(branch: Branch, depth: int) -> float:
        """Put a branch behind those before; the middle of its box."""
        nonlocal row
        middles = [place(each, depth + 1) for each in branch.below]
        if middles:
            middle = (middles[0] + middles[-1]) / 2
        else:
            middle = row * _ROW + _ROW / 2
            row += 1
        right = lefts[depth] + widths[depth]
        for each in middles:
            bend = right + _GAP / 2
            lines.append(
                f"M{right:g} {middle:g}C{bend:g} {middle:g} {bend:g} {each:g} "
                f"{lefts[depth + 1]:g} {each:g}"
            )
        room = int((widths[depth] - _PADDING) / _LETTER)
        name = branch.label.text
        boxes.append(
            Box(
                branch.iri, branch.label, name if len(name) <= room else f"{name[: room - 1]}…",
                lefts[depth], middle - _TALL / 2, widths[depth],
            )
        )  # fmt: skip
        return middle

    for each in drawn:
        place(each, 0)
        row += 0.4  # a little space between trees
    width = max(box.x + box.width for box in boxes)
    return Diagram(tuple(boxes), tuple(lines), round(width) + 2, round(row * _ROW))
