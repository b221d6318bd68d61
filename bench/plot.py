"""Plots of docs/benchmarks.json: ``python plot.py JSON FOLDER``, by a Python that has matplotlib.

Needs nothing else of this project. Writes benchmarks-ratios.svg (how many times our time the peers
take) and, of more than one size, benchmarks-growth.svg (time by size, a panel for each query).
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

OURS = "clustergraph"
COLOURS = {
    OURS: "#0b6e4f", "oxigraph": "#c1440e", "virtuoso": "#3a6ea5", "rdflib-endpoint": "#8a6fb0",
    "comunica": "#b8860b",
}  # fmt: skip
_GREY = "#777777"
_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "clustergraph", "font.size": 8, "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY, "xtick.color": _GREY, "ytick.color": _GREY, "text.color": _GREY,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
}  # fmt: skip


def median(measured: dict[str, Any] | None) -> float | None:
    """The median in seconds; None where something went wrong."""
    if not measured or measured["failure"] or measured["wrong"] or measured["limit"]:
        return None
    return statistics.median(measured["seconds"]) if measured["seconds"] else None


def ratios(run: dict[str, Any], path: Path) -> None:
    """For each query a dot for each peer, at the largest size; left of the line we are slower.

    A triangle stands where an answer was given up: it takes longer than that.
    """
    name, size = max(run["sizes"].items(), key=lambda each: each[1]["quads"])
    ours = size["peers"][OURS]["queries"]
    kinds = list(ours)[::-1]
    figure, axes = plt.subplots(figsize=(7, 4))
    for peer, colour in COLOURS.items():
        found = size["peers"].get(peer, {}).get("queries", {})
        dots = [
            (theirs / mine, row)
            for row, kind in enumerate(kinds)
            if (mine := median(ours[kind])) and (theirs := median(found.get(kind)))
        ]
        if dots and peer != OURS:
            axes.plot(*zip(*dots, strict=True), "o", color=colour, label=peer, markersize=4)
        more = [
            (found[kind]["limit"] / mine, row)
            for row, kind in enumerate(kinds)
            if (mine := median(ours[kind])) and found.get(kind, {}).get("limit")
        ]
        if more:
            axes.plot(*zip(*more, strict=True), ">", color=colour, markersize=5)
    axes.axvline(1, color=COLOURS[OURS], linewidth=1)
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(_plain)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xlabel(
        f"times our time, {name} quads (left of the line: faster than we are; triangle: given up)"
    )
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4)
    _save(figure, path)


def growth(run: dict[str, Any], path: Path) -> None:
    """A panel for each query: time by size, both in powers of ten."""
    sizes = sorted(run["sizes"].values(), key=lambda each: each["quads"])
    kinds = list(sizes[0]["peers"][OURS]["queries"])
    figure, panels = plt.subplots(
        4, 4, figsize=(8, 7), sharex=True, sharey=True, layout="constrained"
    )
    for kind, axes in zip(kinds, panels.flat, strict=False):
        for peer, colour in COLOURS.items():
            points = [
                (size["quads"], time)
                for size in sizes
                if (time := median(size["peers"].get(peer, {}).get("queries", {}).get(kind)))
            ]
            if points:
                axes.plot(*zip(*points, strict=True), "o-", color=colour, label=peer, markersize=3)
        axes.set(xscale="log", yscale="log", title=kind)
        axes.title.set_fontsize(8)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(_short)
        axes.yaxis.set_major_formatter(_plain)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    figure.supxlabel("quads")
    figure.supylabel("seconds")
    _save(figure, path)


def _plain(value: float, _position: int) -> str:
    """A power of ten in few characters."""
    return f"{value:,.0f}" if 1 <= value < 1e4 else f"{value:g}"


def _short(value: float, _position: int) -> str:
    """A number of quads."""
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k"


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", "utf-8")
    plt.close(figure)


def main() -> None:
    """Draw what there is."""
    source, folder = map(Path, sys.argv[1:])
    run = json.loads(source.read_text(encoding="utf-8"))
    with mpl.rc_context(_STYLE):
        ratios(run, folder / "benchmarks-ratios.svg")
        if len(run["sizes"]) > 1:
            growth(run, folder / "benchmarks-growth.svg")


if __name__ == "__main__":
    main()
