"""A run beside the run before: what got slower by more than its spread."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import OURS, Measured, Peer, Run, geometric_mean


@dataclass(frozen=True)
class Change:
    """Something of ours that takes another time than before."""

    size: str
    name: str
    before: float
    after: float
    """Seconds, as the machine of before would have taken."""

    @property
    def factor(self) -> float:
        """How many times the time of before."""
        return self.after / self.before


def slower(before: Run, after: Run) -> list[Change]:
    """What is slower than before: its middle half lies wholly above the one of before.

    What the peers became slower or faster by, in the geometric mean, is the machine's doing, and
    taken off.
    """
    return [each for each in _apart(before, after) if each.factor > 1]


def faster(before: Run, after: Run) -> list[Change]:
    """What is faster, likewise."""
    return [each for each in _apart(before, after) if each.factor < 1]


def drift(before: Run, after: Run, size: str) -> float:
    """How many times as long the same takes at the peers; 1 where none was in both runs."""
    factors = []
    for name, peer in after.sizes[size].peers.items():
        earlier = before.sizes[size].peers.get(name)
        if name == OURS or earlier is None or earlier.version != peer.version:
            continue
        factors += [
            now.median / then.median for _name, then, now in _both(earlier, peer) if then.median > 0
        ]
    mean = geometric_mean(factors)
    return 1.0 if math.isnan(mean) else mean


def _apart(before: Run, after: Run) -> Iterator[Change]:
    for size in after.sizes:
        if size not in before.sizes:
            continue
        pace = drift(before, after, size)
        ours = [each.sizes[size].peers.get(OURS, Peer()) for each in (before, after)]
        for name, then, now in _both(*ours):
            low, high = (each / pace for each in now.quartiles)
            if low > then.quartiles[1] or high < then.quartiles[0]:
                yield Change(size, name, then.median, now.median / pace)


def _both(before: Peer, after: Peer) -> Iterator[tuple[str, Measured, Measured]]:
    """What was measured rightly in both."""
    earlier = before.queries | before.work
    for name, now in (after.queries | after.work).items():
        then = earlier.get(name, Measured())
        if not math.isnan(then.median + now.median):
            yield name, then, now
