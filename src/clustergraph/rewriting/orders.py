"""The order of joins that looks at the fewest rows, by estimates.

Each pattern has a number of solutions, and of different values of each of its variables, which
it takes from a stock: what stands there with the same predicate, whatever the constant beside it. A
join has as many solutions as if the values of the smaller stock all stood in the other (as is usual
since Selinger and others, 1979). Estimates are rounded to powers of two, so that queries that
differ little share one search.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PASSED = 0.3
"""The share of solutions that a filter is taken to let through."""
_LOOKED_UP, _FOUND, _TESTED = 1.0, 0.4, 0.3
"""What it costs to look a solution up in a pattern, to take up what is found, to test it."""


@dataclass(frozen=True)
class Sized:
    """A pattern by its size, in powers of two."""

    rows: int
    values: tuple[tuple[str, int, int], ...]
    """Different values of each variable, and how many it takes them from."""
    is_source: bool
    """Whether it can only come first."""


def sized(rows: float, values: Mapping[str, tuple[float, float]], *, is_source: bool) -> Sized:
    """A pattern of so many solutions, and so many values of each variable of so many."""
    powers = ((name, _power(each), _power(stock)) for name, (each, stock) in values.items())
    return Sized(_power(rows), tuple(powers), is_source)


def _power(number: float) -> int:
    return round(math.log2(max(number, 0.01)))


@dataclass
class _State:
    """What has been joined so far: how many solutions, and different values of each variable."""

    rows: float
    cost: float
    values: dict[str, tuple[float, float]]

    def joined(self, pattern: Sized, tests: Sequence[frozenset[str]]) -> _State:
        """After another pattern and the filters that it decides."""
        rows = self.rows * 2.0**pattern.rows
        values = dict(self.values)
        for name, power, stock_power in pattern.values:
            number, stock = 2.0**power, 2.0**stock_power
            if name in values:
                former, former_stock = values[name]
                stock = min(former_stock, stock)
                rows /= max(former, number, stock, 1.0)
                number = min(former, number)
            values[name] = number, stock
        cost = self.cost + self.rows * _LOOKED_UP + rows * _FOUND
        for test in tests:
            if test <= values.keys() and not test <= self.values.keys():
                cost += rows * _TESTED
                rows *= _PASSED
        left = {name: (min(each, rows), stock) for name, (each, stock) in values.items()}
        return _State(rows, cost, left)


@functools.lru_cache(maxsize=1024)
def best(
    patterns: tuple[Sized, ...], tests: tuple[frozenset[str], ...]
) -> tuple[float, tuple[int, ...]] | None:
    """The best order that was found, as numbers of the patterns, and what it costs.

    Args:
        patterns: to be joined.
        tests: variables of the filters.

    Returns:
        None if one of them has no variable in common with the others, or two must come first.
    """
    sources = [number for number, each in enumerate(patterns) if each.is_source]
    if len(sources) > 1:
        return None
    found = [
        each
        for first in sources or range(len(patterns))
        if (each := _greedy(first, patterns, tests)) is not None
    ]
    return min(found) if found else None


def _greedy(
    first: int, patterns: Sequence[Sized], tests: Sequence[frozenset[str]]
) -> tuple[float, tuple[int, ...]] | None:
    """From one pattern on, the next is what leaves the least to do."""
    order = [first]
    state = _State(1.0, 0.0, {}).joined(patterns[first], tests)
    waiting = [number for number in range(len(patterns)) if number != first]
    while waiting:
        joining = [
            (state.joined(patterns[number], tests), number)
            for number in waiting
            if any(name in state.values for name, *_sizes in patterns[number].values)
        ]
        if not joining:
            return None
        state, chosen = min(joining, key=lambda each: (each[0].cost + each[0].rows, each[1]))
        order.append(chosen)
        waiting.remove(chosen)
    return state.cost, tuple(order)
