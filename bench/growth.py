"""How time grows with the size of the graph: the exponent that fits best."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.results import Measured, Run

STEEP = 1.15
"""Exponents above this are marked: not near linear."""


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The ``e`` of ``time = c * size ** e``, by least squares of logarithms.

    Args:
        points: size and time; those whose time is NaN do not count.

    Returns:
        The exponent; NaN with fewer than two sizes.
    """
    logs = [(math.log(size), math.log(time)) for size, time in points if not math.isnan(time)]
    if len({size for size, _time in logs}) < 2:
        return math.nan
    middle = [sum(column) / len(logs) for column in zip(*logs, strict=True)]
    above = sum((size - middle[0]) * (time - middle[1]) for size, time in logs)
    return above / math.fsum((size - middle[0]) ** 2 for size, _time in logs)


def series(run: Run, peer: str, kind: str) -> list[tuple[float, float]]:
    """Size and median time of a query at a peer, over all sizes of a run."""
    return [
        (size.quads, size.peers[peer].of(kind).median if peer in size.peers else math.nan)
        for size in run.sizes.values()
    ]


def grows(run: Run, peer: str, kind: str) -> float:
    """The exponent of a query at a peer; NaN where there are no two sizes."""
    return exponent(series(run, peer, kind))


def kinds(run: Run) -> list[str]:
    """All queries of a run, in order."""
    found: dict[str, Measured] = {}
    for size in run.sizes.values():
        for peer in size.peers.values():
            found |= peer.queries
    return list(found)
