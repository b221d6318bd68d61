"""An index of names: gives the few that may be meant by a text, of a hundred thousand.

Words lead to names; words that are like those of the text are found by their trigrams. The work of
a question is bounded by the numbers below, whatever is asked.
"""

from __future__ import annotations

import bisect
import heapq
import math
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from clustergraph.reconciliation import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WORDS = 10  # words of a text that are looked for, the rarest
_ALIKE = 68.0  # percent that a word must be like another to stand for it
_LIKE_WORDS = 6  # words that one word may stand for
_BY_PREFIX = 12  # words that a beginning may stand for
_COMPARED = 60  # words that are compared with one word
_FEW_TRIGRAMS = 6  # rarest trigrams by which a word is looked for
_POSTINGS = 10_000  # names looked at for one word
_LOOKED_AT = 30_000  # names looked at for one text


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a thing."""

    thing: int
    text: str
    language: str
    rank: int
    """How good a kind of name it is: 1 the best."""
    folded: str


class Index:
    """Names of things, found by words, initials, beginnings and likeness."""

    def __init__(self, found: Iterable[tuple[int, str, str, int]]) -> None:
        """Index some names.

        Args:
            found: the number of the thing, the name, its language, its rank.
        """
        self.names: list[Name] = []
        self.of_thing: dict[int, list[int]] = defaultdict(list)
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._joined: dict[str, list[int]] = defaultdict(list)
        self._short: dict[str, list[int]] = defaultdict(list)
        self._words: dict[str, array[int]] = {}
        for thing, text, language, rank in found:
            for plain in names.variants(text):
                if plain:
                    self._add(Name(thing, text, language, rank, plain))
        self._vocabulary = sorted(self._words)
        self._trigrams: dict[str, array[int]] = {}
        for number, word in enumerate(self._vocabulary):
            for each in names.trigrams(word):
                self._trigrams.setdefault(each, array("I")).append(number)
        self._starts = sorted((each.folded, number) for number, each in enumerate(self.names))

    def _add(self, name: Name) -> None:
        number = len(self.names)
        self.names.append(name)
        self.of_thing[name.thing].append(number)
        self._exact[name.folded].append(number)
        words = name.folded.split()[: names.MOST_WORDS]
        joined = "".join(words)
        if joined != name.folded:
            self._joined[joined].append(number)
        for each in set(words):
            self._words.setdefault(each, array("I")).append(number)
        for each in names.initials(name.folded):
            self._short[each].append(number)

    def weight(self, word: str) -> float:
        """How much a word tells: rare ones more (inverse document frequency)."""
        return math.log1p(len(self.names) / (1 + len(self._words.get(word, ()))))

    def candidates(
        self, plain: str, accepted: Callable[[int], bool] | None, most: int
    ) -> list[int]:
        """The names that a folded text may mean, the likeliest first.

        Args:
            plain: the text, folded.
            accepted: whether a thing may be meant at all; None: each.
            most: how many.
        """
        found: dict[int, float] = {}
        joined = plain.replace(" ", "")
        for same in (self._exact.get(plain), self._exact.get(joined), self._joined.get(joined)):
            for number in (same or ())[:_POSTINGS]:
                found[number] = 1000.0
        for number in self._abbreviated(plain, joined):
            found.setdefault(number, 500.0)
        words = dict.fromkeys(plain.split()[: names.MOST_WORDS])
        self._by_words(sorted(words, key=self.weight, reverse=True)[:_WORDS], found)
        if accepted is not None:
            held = self.names
            found = {each: value for each, value in found.items() if accepted(held[each].thing)}
        return heapq.nlargest(most, found, key=lambda each: (found[each], -each))

    def _abbreviated(self, plain: str, joined: str) -> Iterator[int]:
        """Names whose initials the text is, and names that are the initials of the text."""
        if 2 <= len(joined) <= 10:
            yield from self._short.get(joined, ())[:_POSTINGS]
        for short in names.initials(plain):
            yield from self._exact.get(short, ())[:_POSTINGS]

    def _by_words(self, words: list[str], found: dict[int, float]) -> None:
        """Add the names that share words with a text, the rarest word first."""
        asked = sorted(
            (
                (self.weight(same) * likeness, same)
                for word in words
                for same, likeness in self.alike(word)
            ),
            reverse=True,
        )
        left = _LOOKED_AT
        for weight, word in asked:
            held = self._words[word]
            if len(held) > min(left, _POSTINGS):  # common: tells only names that are there apart
                if found:
                    common = found.keys() & set(held) if len(held) < 4 * _POSTINGS else ()
                    for number in common:
                        found[number] += weight
                    continue
                held = held[: min(left, _POSTINGS)]
            for number in held:
                found[number] = found.get(number, 0.0) + weight
            left = max(0, left - len(held))

    def alike(self, word: str) -> list[tuple[str, float]]:
        """The known words that a word may stand for, with how like they are (0 to 1)."""
        if len(word) > 40:
            return [(word, 1.0)] if word in self._words else []
        wanted = names.trigrams(word)
        rare = sorted((each for each in wanted if each in self._trigrams),
                      key=lambda each: len(self._trigrams[each]))  # fmt: skip
        shared: Counter[int] = Counter()
        for each in rare[:_FEW_TRIGRAMS]:
            shared.update(self._trigrams[each][:_POSTINGS])
        scored: list[tuple[float, str]] = []
        for number, _ in shared.most_common(_COMPARED):
            other = self._vocabulary[number]
            likeness = fuzz.ratio(word, other, score_cutoff=_ALIKE)
            if likeness and other != word:
                scored.append((likeness / 100, other))
        best = sorted(scored, reverse=True)[:_LIKE_WORDS]
        begun = [(0.8, each) for each in self._beginning(word)] if len(word) >= 3 else []
        result = {each: likeness * likeness for likeness, each in [*begun, *best]}
        if word in self._words:
            result[word] = 1.0
        return sorted(result.items(), key=lambda each: -each[1])

    def _beginning(self, word: str) -> list[str]:
        first = bisect.bisect_left(self._vocabulary, word)
        found = []
        for each in self._vocabulary[first : first + _BY_PREFIX]:
            if each.startswith(word) and each != word:
                found.append(each)
        return found

    def starting(self, plain: str, most: int) -> list[int]:
        """The names that begin with a folded text, in the order of the alphabet."""
        first = bisect.bisect_left(self._starts, (plain, -1))
        found = []
        for start, number in self._starts[first : first + most]:
            if not start.startswith(plain):
                break
            found.append(number)
        return found
