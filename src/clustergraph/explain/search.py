"""The smallest sets of conditions that nothing satisfies.

More conditions never have more solutions, so a set is smallest if it has a solution as soon as any
of its conditions goes. FILTER and MINUS are looked at when all that binds their variables is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.explain.patterns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clustergraph.explain.patterns import Condition

    Fails = Callable[[Sequence[Condition]], bool]

_SINGLES = 24
"""Conditions that are looked at one by one."""


def smallest(conditions: Sequence[Condition], fails: Fails) -> list[list[Condition]]:
    """Sets of conditions to blame: each single one that fails, else one set of several.

    Args:
        conditions: of a group that has no solution.
        fails: whether nothing satisfies some of them together.
    """
    joined = [each for each in conditions if each.kind in {Kind.TRIPLE, Kind.GROUP}]
    singles = [[each] for each in joined[:_SINGLES] if fails([each])]
    if singles:
        return singles
    bound = [each for each in conditions if each.kind is not Kind.TEST]
    if fails(bound):
        return [_several(bound, joined, fails)]
    return _tests(conditions, fails)


def _several(bound: Sequence[Condition], joined: list[Condition], fails: Fails) -> list[Condition]:
    """A smallest set of conditions that fail together."""
    low, high = 1, len(joined)  # the first so many that fail
    while low < high:
        middle = (low + high) // 2
        if fails(_upto(bound, joined, middle)):
            high = middle
        else:
            low = middle + 1
    kept = _upto(bound, joined, high)
    for each in list(kept[:-1]):
        fewer = [other for other in kept if other is not each]
        if fails(fewer):
            kept = fewer
    return kept


def _upto(bound: Sequence[Condition], joined: Sequence[Condition], number: int) -> list[Condition]:
    """The conditions up to the last of the first so many that join."""
    last = next(index for index, each in enumerate(bound) if each is joined[number - 1])
    return list(bound[: last + 1])


def _tests(conditions: Sequence[Condition], fails: Fails) -> list[list[Condition]]:
    """The tests that leave nothing: each single one that does, else several."""
    tests = [each for each in conditions if each.kind is Kind.TEST]

    def leaves_nothing(kept: Sequence[Condition]) -> bool:
        return fails([each for each in conditions if each.kind is not Kind.TEST or each in kept])

    singles = [[each] for each in tests[:_SINGLES] if leaves_nothing([each])]
    if singles or not leaves_nothing(tests):
        return singles
    kept = tests
    for each in list(tests):
        fewer = [other for other in kept if other is not each]
        if leaves_nothing(fewer):
            kept = fewer
    return [kept]
