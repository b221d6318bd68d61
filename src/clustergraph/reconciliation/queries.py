"""Reconciliation queries as clients write them, in version 0.2 and in the draft of 1.0.

Both become one ``Query``. What is wrong in one query of a batch is told for that query alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from clustergraph.errors import TooLargeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BATCH = 100
"""Queries in a batch."""
MOST = 100
"""Candidates of a query, whatever limit it names."""
USUAL = 10
"""Candidates of a query that names no limit."""
_TEXTS = 5
_CONDITIONS = 20
_VALUES = 20
_ALL_VALUES = 60
_LONGEST = 1000
_QUANTIFIERS = ("any", "all", "none")
_STRICT = ("any", "should", "all")


@dataclass(frozen=True)
class Condition:
    """What a property of the thing should be."""

    property: str
    values: tuple[Any, ...]
    """Texts, numbers, booleans, or ``{"id": ...}`` for things."""
    required: bool = False
    quantifier: str = "any"


@dataclass(frozen=True)
class Query:
    """One thing that is looked for."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    strict: str = "any"
    """``any`` of the types, ``all`` of them, or one that it ``should`` have."""
    conditions: tuple[Condition, ...] = ()
    limit: int = USUAL

    def to_fields(self) -> dict[str, Any]:
        """The query as JSON can carry it."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Query:
        """The query that ``to_fields`` took apart."""
        conditions = tuple(
            Condition(**{**each, "values": tuple(each["values"])}) for each in fields["conditions"]
        )
        texts = {name: tuple(fields[name]) for name in ("names", "ids", "types")}
        return cls(**{**fields, **texts, "conditions": conditions})


def loaded(text: str, name: str) -> Any:
    """What a parameter holds in JSON.

    Args:
        text: the JSON.
        name: what it is called when it is wrong.

    Raises:
        UsageError: it is no JSON.
    """
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()  # halves of characters cannot be answered
        return found
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON: {str(error)[:100]}.") from error


def batch(found: object) -> dict[str, object]:
    """The queries of a batch of version 0.2, by their keys; section 4.3.

    Raises:
        UsageError: it is no object.
        TooLargeError: it holds too many.
    """
    if not isinstance(found, dict):
        raise UsageError("A batch of queries is a JSON object: its keys name the queries.")
    _check_size(len(found))
    return found


def draft_batch(found: object) -> list[object]:
    """The queries of a batch of the draft, in their order; section 4.1.

    Raises:
        UsageError: it is no object with an array of queries.
        TooLargeError: it holds too many.
    """
    queries = found.get("queries") if isinstance(found, dict) else None
    if not isinstance(queries, list):
        raise UsageError('A batch of queries is a JSON object: {"queries": [...]}.')
    _check_size(len(queries))
    return queries


def _check_size(number: int) -> None:
    if number > BATCH:
        raise TooLargeError(
            f"A batch holds {BATCH} queries at most, this one {number}.", hint="Send several."
        )


def old(found: object) -> Query:
    """A query of version 0.2 (section 4.1), or a text alone as version 0.1 takes it.

    Raises:
        UsageError: it is none.
    """
    if isinstance(found, str):
        found = {"query": found}
    if not isinstance(found, dict):
        raise UsageError("A query is a JSON object.")
    text = _text(found.get("query", ""), "query")
    given = _list(found.get("properties"), "properties", _CONDITIONS)
    conditions = []
    for each in given:
        pid = each.get("pid") if isinstance(each, dict) else None
        if not isinstance(pid, str) or not pid or "v" not in each:
            raise UsageError('Each of the properties is an object with "pid" and "v".')
        conditions.append(Condition(_text(pid, "pid"), _values(each["v"], "v")))
    _check_values(conditions)
    if not text.strip() and not conditions:
        raise UsageError('A query has a "query" that is not empty, or "properties".')
    strict = found.get("type_strict", "any")
    if strict not in _STRICT:
        raise UsageError('"type_strict" is any, all or should.')
    types = found.get("type")
    return Query(
        names=(text,) if text.strip() else (),
        types=_types([types] if isinstance(types, str | dict) else types),
        strict=strict,
        conditions=tuple(conditions),
        limit=_limit(found.get("limit")),
    )


def draft(found: object) -> Query:
    """A query of the draft of 1.0 (section 4.1).

    Raises:
        UsageError: it is none.
    """
    if not isinstance(found, dict):
        raise UsageError("A query is a JSON object.")
    given = _list(found.get("conditions"), "conditions", _CONDITIONS)
    if not given:
        raise UsageError('A query has at least one of its "conditions".')
    names: list[str] = []
    ids: list[str] = []
    conditions: list[Condition] = []
    for each in given:
        kind = each.get("matchType") if isinstance(each, dict) else None
        if kind not in {"name", "id", "property"}:
            raise UsageError('"matchType" is name, id or property.')
        if "propertyValue" not in each:
            raise UsageError('A condition has a "propertyValue".')
        values = _values(each["propertyValue"], "propertyValue")
        if kind == "property":
            conditions.append(_condition(each, values))
        else:
            (names if kind == "name" else ids).extend(_plain(value) for value in values)
    _check_values(conditions)
    if not (any(name.strip() for name in names) or ids or conditions):
        raise UsageError("All conditions are empty.")
    return Query(
        names=tuple(name for name in names if name.strip())[:_TEXTS],
        ids=tuple(ids)[:_VALUES],
        types=_types([found["type"]] if found.get("type") else None),
        conditions=tuple(conditions),
        limit=_limit(found.get("limit")),
    )


def _condition(each: Mapping[str, Any], values: tuple[Any, ...]) -> Condition:
    pid = each.get("propertyId")
    if not isinstance(pid, str) or not pid:
        raise UsageError('A condition on a property has a "propertyId".')
    quantifier = each.get("matchQuantifier", "any")
    if quantifier not in _QUANTIFIERS:
        raise UsageError('"matchQuantifier" is any, all or none.')
    required = each.get("required", False)
    if not isinstance(required, bool):
        raise UsageError('"required" is true or false.')
    return Condition(_text(pid, "propertyId"), values, required, quantifier)


def _check_values(conditions: Sequence[Condition]) -> None:
    if sum(len(each.values) for each in conditions) > _ALL_VALUES:
        raise UsageError(f"A query compares {_ALL_VALUES} values at most.")


def _plain(value: object) -> str:
    return str(value.get("name") or value["id"]) if isinstance(value, dict) else str(value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f'"{name}" is a text.')
    return value[:_LONGEST]


def _list(value: object, name: str, most: int) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise UsageError(f'"{name}" is an array.')
    if len(value) > most:
        raise UsageError(f'"{name}" holds {most} at most.')
    return value


def _types(value: object) -> tuple[str, ...]:
    found = []
    for each in _list(value, "type", _VALUES):
        iri = each.get("id") if isinstance(each, dict) else each
        if not isinstance(iri, str):
            raise UsageError('"type" is the identifier of a type, or an array of them.')
        if iri:
            found.append(iri[:_LONGEST])
    return tuple(found)


def _values(value: object, name: str) -> tuple[Any, ...]:
    given = value if isinstance(value, list) else [value]
    found: list[Any] = []
    for each in _list(given, name, _VALUES):
        if isinstance(each, dict):
            if not isinstance(each.get("id"), str):
                raise UsageError(f'A thing among "{name}" has an "id".')
            label = each.get("name", "")
            found.append({"id": each["id"][:_LONGEST], "name": str(label)[:_LONGEST]})
        elif isinstance(each, str):
            found.append(each[:_LONGEST])
        elif isinstance(each, bool | int | float):
            found.append(each)
        else:
            raise UsageError(f'"{name}" is a text, a number, true or false, or a thing.')
    return tuple(found)


def _limit(value: object) -> int:
    if value is None:
        return USUAL
    if isinstance(value, str) and value.strip().isdecimal():  # as some clients write it
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1:
        raise UsageError('"limit" is a number from 1.')
    return int(min(value, MOST))
