"""Candidates for a query, scored: names first, then types and properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.reconciliation import names, scoring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clustergraph.reconciliation.queries import Condition, Query
    from clustergraph.reconciliation.things import Things

_SCORED = 120  # names that are compared letter by letter
_CHECKED = 40  # things whose properties are read
_FEWEST = 35.0  # a score that is still worth showing
_SURE = 95.0  # a score at which a thing is certainly meant, if no other comes near
_APART = 2.5  # how far the next thing must be behind then
_NEAR, _FAR_APART = 80.0, 10.0  # the same for names that are less alike, where properties agree
_PROPERTIES = 0.3  # the share that all properties together have in the score
_UNKNOWN = 0.3  # what a property counts that the thing does not have
_AGREES, _CONTRADICTS = 0.8, 0.3
_COMPARED = 25  # values of a property that are compared with each that was asked for
_BY_VALUE = 2000  # statements looked at for a query without a name


def match(things: Things, query: Query, languages: Sequence[str]) -> list[dict[str, Any]]:
    """The candidates of a query, the best first.

    Args:
        things: those of the release.
        query: what is looked for.
        languages: in which candidates are named, the best first.
    """
    types = [things.resolved(each) for each in query.types]
    accepted = _filter(things, types, query.strict)
    named = _named(things, query, accepted)
    if not query.names and not query.ids:
        named = _by_values(things, query.conditions, accepted)
    ordered = sorted(named.items(), key=lambda each: (-each[1], things.iris[each[0]]))
    found = []
    for number, by_name in ordered[: max(_CHECKED, query.limit)]:
        checked = [(each, _agreement(things, number, each)) for each in query.conditions]
        if any(each.required and (value is None or value < _AGREES) for each, value in checked):
            continue
        found.append(_Candidate(number, by_name, checked, _has(things, number, types)))
    if query.strict == "should" and types:
        for each in found:
            each.score *= 1.0 if each.typed else 0.9
    found.sort(key=lambda each: (-each.score, things.iris[each.number]))
    sure = _is_sure(found, named, _exact(things, query))
    return [
        each.told(things, languages, query, types, match=sure and place == 0)
        for place, each in enumerate(found[: query.limit])
    ]


class _Candidate:
    """A thing that may be meant."""

    def __init__(
        self,
        number: int,
        by_name: float,
        checked: list[tuple[Condition, float | None]],
        typed: bool,
    ) -> None:
        self.number, self.by_name, self.checked, self.typed = number, by_name, checked, typed
        self.score = by_name
        if checked:
            values = [_UNKNOWN if value is None else value for _, value in checked]
            mean = sum(values) / len(values)
            self.score = by_name * (1 - _PROPERTIES) + 100 * _PROPERTIES * mean

    @property
    def agrees(self) -> bool:
        """Whether no property that is known contradicts."""
        return all(value is None or value > _CONTRADICTS for _, value in self.checked)

    def told(
        self,
        things: Things,
        languages: Sequence[str],
        query: Query,
        types: Sequence[str],
        *,
        match: bool,
    ) -> dict[str, Any]:
        iri = things.iris[self.number]
        features: list[dict[str, Any]] = []
        if query.names:
            value = round(self.by_name, 2)
            features.append({"id": "name", "name": "Likeness of the name", "value": value})
        if types:
            features.append({"id": "type", "name": "Has the type", "value": self.typed})
        for condition, known in self.checked:
            prop = things.resolved(condition.property)
            value = round(100 * (known or 0.0), 2)
            label = things.name(prop, languages)
            same = {"id": prop, "name": label, "value": value}
            if not any(each["id"] == prop for each in features):
                features.append(same)
        told = {
            "id": iri,
            "name": things.name(iri, languages),
            "type": named(things, things.types_of(self.number), languages),
            "score": round(min(100.0, self.score), 2),
            "match": match,
            "features": features,
        }
        description = things.description(iri, languages)
        return told | ({"description": description} if description else {})


def named(things: Things, iris: Sequence[str], languages: Sequence[str]) -> list[dict[str, str]]:
    """Types or properties with their names."""
    return [{"id": iri, "name": things.name(iri, languages)} for iri in iris]


def _filter(things: Things, types: Sequence[str], strict: str) -> Callable[[int], bool] | None:
    if not types or strict == "should":
        return None
    wanted = frozenset(types)
    if strict == "all":
        return lambda number: wanted.issubset(things.types_of(number))
    return lambda number: not wanted.isdisjoint(things.types_of(number))


def _has(things: Things, number: int, types: Sequence[str]) -> bool:
    return not set(types).isdisjoint(things.types_of(number))


def _named(
    things: Things, query: Query, accepted: Callable[[int], bool] | None
) -> dict[int, float]:
    """Things by the best score of one of their names."""
    found: dict[int, float] = {}
    for text in (*query.ids, *query.names):
        number = things.numbers.get(things.resolved(text))
        if number is not None and (accepted is None or accepted(number)):
            found[number] = scoring.EXACT
    index = things.index
    for text in query.names:
        plain = names.folded(text)
        if not plain:
            continue
        weights: dict[str, float] = {}

        def weight(word: str, held: dict[str, float] = weights) -> float:
            if word not in held:
                held[word] = index.weight(word)
            return held[word]

        for each in index.candidates(plain, accepted, _SCORED):
            name = index.names[each]
            value = scoring.score(plain, name.folded, name.rank, weight)
            if value >= _FEWEST and value > found.get(name.thing, 0.0):
                found[name.thing] = value
    return found


def _exact(things: Things, query: Query) -> bool:
    """Whether the query names a thing by its identifier."""
    return any(things.resolved(each) in things.numbers for each in (*query.ids, *query.names))


def _is_sure(
    found: Sequence[_Candidate],
    by_name: dict[int, float],
    exact: bool,
) -> bool:
    """Whether the first candidate is meant beyond doubt: no other comes near it."""
    if not found or not found[0].agrees:
        return False
    best = found[0]
    if exact and best.by_name >= scoring.EXACT:
        return True
    following = found[1].score if len(found) > 1 else 0.0
    ahead = best.score - following
    if best.by_name >= _SURE:
        others = [value for number, value in by_name.items() if number != best.number]
        alone = not others or max(others) < best.by_name - _APART
        return ahead >= _APART and (alone or bool(best.checked))
    agrees = any(value is not None for _, value in best.checked) and all(
        value is None or value >= _AGREES for _, value in best.checked
    )
    return best.by_name >= _NEAR and agrees and ahead >= _FAR_APART


def _by_values(
    things: Things, conditions: Sequence[Condition], accepted: Callable[[int], bool] | None
) -> dict[int, float]:
    """Things that have one of the values, where no name is given."""
    found: dict[int, float] = {}
    for condition in conditions:
        prop = things.resolved(condition.property)
        if condition.quantifier == "none":
            continue
        for value in condition.values:
            for number in _holders(things, prop, value):
                if accepted is None or accepted(number):
                    found[number] = scoring.EXACT
    return found


def _holders(things: Things, prop: str, value: Any) -> list[int]:
    iri = things.resolved(value["id"] if isinstance(value, dict) else str(value))
    found: list[int] = []
    if ":" in iri:
        try:
            found = things.holders(prop, ox.NamedNode(iri), _BY_VALUE)
        except ValueError:
            found = []
    if found or isinstance(value, dict):
        return found
    return [
        number
        for number, held in things.literals(prop, 10 * _BY_VALUE)
        if _likeness(things, value, held) >= _AGREES
    ][:_BY_VALUE]


def _agreement(things: Things, number: int, condition: Condition) -> float | None:
    """How far the values of a thing agree with a condition, 0 to 1; None if it has none."""
    held = things.values(things.iris[number], things.resolved(condition.property))
    if not held:
        return None
    if not condition.values:
        return None
    each = [
        max(_likeness(things, value, one) for one in held[:_COMPARED]) for value in condition.values
    ]
    if condition.quantifier == "all":
        return min(each)
    return 1.0 - max(each) if condition.quantifier == "none" else max(each)


def _likeness(things: Things, asked: Any, held: Any) -> float:
    """How like a value that was asked for and one that the graph has are."""
    if isinstance(held, ox.NamedNode):
        return _like_thing(things, asked, held.value)
    if not isinstance(held, ox.Literal):
        return 0.0
    if isinstance(asked, dict):
        asked = asked.get("name") or asked["id"]
    if isinstance(asked, bool):
        return 1.0 if held.value == str(asked).lower() else 0.0
    one, other = _number(asked), _number(held.value)
    if one is not None and other is not None:
        largest = max(abs(one), abs(other))
        return 1.0 if one == other else max(0.0, 1 - 10 * abs(one - other) / largest)
    return scoring.text_likeness(str(asked), held.value)


def _like_thing(things: Things, asked: Any, iri: str) -> float:
    if isinstance(asked, dict):
        return 1.0 if things.resolved(asked["id"]) == iri else 0.0
    text = str(asked)
    if things.resolved(text) == iri:
        return 1.0
    number = things.numbers.get(iri)
    if number is None:
        return scoring.text_likeness(text, things.name(iri, ()))
    known = (things.index.names[each].folded for each in things.index.of_thing[number])
    return max((scoring.text_likeness(text, each) for each in known), default=0.0)


def _number(value: object) -> float | None:
    try:
        return float(str(value)) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
