"""How well a name suits a text, from 0 to 100."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from clustergraph.reconciliation import names

if TYPE_CHECKING:
    from collections.abc import Callable

EXACT = 100.0
_JOINED, _ORDER = 98.0, 97.0
_LETTERS, _TWO_LETTERS = 88.0, 72.0
_PARTLY = 94.0  # no likeness of words gives more
_OTHER_NUMBERS = 0.85  # what is left of a score where the numbers are others: 2015, 2016
_ABBREVIATED = 0.85
_UNLIKE = 0.6  # below, two words have nothing to do with each other
_BY_RANK = (0.0, 0.0, 0.5, 0.5, 0.5, 1.0, 1.5, 2.0)
"""What a name of a lesser kind (an alternative one, a misspelling) is behind the best kind."""


def score(asked: str, known: str, rank: int, weight: Callable[[str], float]) -> float:
    """How well a name suits a text.

    Args:
        asked: the text, folded.
        known: the name, folded.
        rank: of the name.
        weight: how much a word tells.
    """
    found = _likeness(asked, known, weight)
    return max(0.0, found - _BY_RANK[min(rank, len(_BY_RANK) - 1)])


def _likeness(asked: str, known: str, weight: Callable[[str], float]) -> float:
    if asked == known:
        return EXACT
    if asked.replace(" ", "") == known.replace(" ", ""):
        return _JOINED
    here, there = asked.split()[: names.MOST_WORDS], known.split()[: names.MOST_WORDS]
    if sorted(here) == sorted(there):
        return _ORDER
    if _numbers(here) and _numbers(there) and _numbers(here).isdisjoint(_numbers(there)):
        return _OTHER_NUMBERS * _inexact(asked, known, weight)
    return _inexact(asked, known, weight)


def _numbers(words: list[str]) -> set[str]:
    return {each for each in words if each.isdigit()}


def _inexact(asked: str, known: str, weight: Callable[[str], float]) -> float:
    here, there = asked.split()[: names.MOST_WORDS], known.split()[: names.MOST_WORDS]
    joined, short = "".join(here), "".join(there)
    spelled = max(fuzz.token_sort_ratio(asked, known), fuzz.ratio(joined, short))
    found = max(_by_words(here, there, weight), min(_PARTLY, spelled))
    if joined in names.initials(known) or (len(there) == 1 and short in names.initials(asked)):
        found = max(found, _LETTERS if min(len(joined), len(short)) > 2 else _TWO_LETTERS)
    return found


def _by_words(here: list[str], there: list[str], weight: Callable[[str], float]) -> float:
    """How much of the text the name has, and how much of the name the text has, word by word."""
    if not here or not there:
        return 0.0
    covered = _covered(here, there, weight)
    back = _covered(there, here, weight)
    return _PARTLY * covered * covered * (0.78 + 0.22 * back)


def _covered(here: list[str], there: list[str], weight: Callable[[str], float]) -> float:
    total = found = 0.0
    known = set(there)
    for word in here:
        each = weight(word)
        total += each
        if word in known:
            found += each
            continue
        best = max(_alike(word, other) for other in there)
        found += each * best * best if best >= _UNLIKE else 0.0
    return found / total if total else 0.0


def _alike(word: str, other: str) -> float:
    likeness = fuzz.ratio(word, other) / 100
    if likeness < _ABBREVIATED and (
        names.is_short_for(word, other) or names.is_short_for(other, word)
    ):
        return _ABBREVIATED
    return likeness


_folded = lru_cache(20_000)(names.folded)


def text_likeness(asked: str, known: str) -> float:
    """How like two texts are that are no names, from 0 to 1."""
    one, other = _folded(asked), _folded(known)
    if not one or not other:
        return 1.0 if asked.strip() == known.strip() else 0.0
    return fuzz.token_sort_ratio(one, other) / 100 if one != other else 1.0
