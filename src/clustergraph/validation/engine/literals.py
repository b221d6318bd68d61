"""Literals as values: which are well formed (XSD part 2), and how SPARQL's ``<`` orders them."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from clustergraph.validation.engine.nodes import STRING, XSD, is_literal, parts

if TYPE_CHECKING:
    from collections.abc import Callable

_ZONE = r"(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR, _MONTH, _DAY = r"(?P<year>-?(?:[1-9][0-9]{3,}|0[0-9]{3}))", r"(?P<month>[0-9]{2})", "[0-9]{2}"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9](?:\.[0-9]+)?)"
_DATES = r"(?:(?P<years>[0-9]+)Y)?(?:(?P<months>[0-9]+)M)?"
_TIMES = (
    r"(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
    r"(?:(?P<seconds>[0-9]+(?:\.[0-9]+)?)S)?)?"
)
_INTEGER, _FLOAT = (
    r"[+-]?[0-9]+",
    r"(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)",
)

_FORMS = {
    "boolean": "true|false|1|0",
    "integer": _INTEGER,
    "decimal": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
    "float": _FLOAT,
    "double": _FLOAT,
    "date": f"{_YEAR}-{_MONTH}-(?P<day>{_DAY}){_ZONE}",
    "dateTime": f"{_YEAR}-{_MONTH}-(?P<day>{_DAY})T{_TIME}{_ZONE}",
    "dateTimeStamp": f"{_YEAR}-{_MONTH}-(?P<day>{_DAY})T{_TIME}{_ZONE}(?<=[Z0-9])",
    "time": f"{_TIME}{_ZONE}",
    "gYear": f"{_YEAR}{_ZONE}",
    "gYearMonth": f"{_YEAR}-{_MONTH}{_ZONE}",
    "gMonth": f"--{_MONTH}{_ZONE}",
    "gMonthDay": f"--{_MONTH}-(?P<day>{_DAY}){_ZONE}",
    "gDay": f"---(?P<day>{_DAY}){_ZONE}",
    "duration": rf"(?P<sign>-)?P(?=[0-9T]){_DATES}{_TIMES}",
    "dayTimeDuration": rf"(?P<sign>-)?P(?=[0-9T]){_TIMES}",
    "yearMonthDuration": rf"(?P<sign>-)?P(?=[0-9]){_DATES}",
    "hexBinary": "(?:[0-9a-fA-F]{2})*",
    "base64Binary": r"(?:[A-Za-z0-9+/] ?){0,0}(?:(?:[A-Za-z0-9+/] ?){4})*"
    r"(?:(?:[A-Za-z0-9+/] ?){2}= ?=|(?:[A-Za-z0-9+/] ?){3}=)?",
}
_BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-(2**7), 2**7 - 1),
    "nonNegativeInteger": (0, None),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 2**8 - 1),
    "positiveInteger": (1, None),
}
_COMPILED = {XSD + name: re.compile(form) for name, form in _FORMS.items()} | {
    XSD + name: re.compile(_INTEGER) for name in _BOUNDS
}
_LIMITS = {XSD + name: bounds for name, bounds in _BOUNDS.items()}
INTEGERS = frozenset(_LIMITS) | {XSD + "integer"}
_DECIMALS = INTEGERS | {XSD + "decimal"}
_FLOATS = frozenset({XSD + "float", XSD + "double"})
_MOMENTS = {
    XSD + "dateTime": "dateTime",
    XSD + "dateTimeStamp": "dateTime",
    XSD + "date": "date",
    XSD + "time": "time",
    XSD + "gYear": "gYear",
    XSD + "gYearMonth": "gYearMonth",
    XSD + "gMonth": "gMonth",
    XSD + "gMonthDay": "gMonthDay",
    XSD + "gDay": "gDay",
}
_DURATIONS = frozenset(
    {XSD + "duration", XSD + "dayTimeDuration", XSD + "yearMonthDuration"}
)
_DAY_SECONDS = 86_400
_FURTHEST_ZONE = 14 * 3_600

Value: TypeAlias = (
    "int | Decimal | float | bool | str | tuple[Decimal, bool] | tuple[int, Decimal]"
)
Key: TypeAlias = tuple[str, Value]


def is_well_formed(node: str) -> bool:
    """Whether a literal's text is in the lexical space of its datatype; True if unknown."""
    text, datatype, _language = parts(node)
    form = _COMPILED.get(datatype)
    if form is None:
        return True
    match = form.fullmatch(text)
    if match is None:
        return False
    if datatype in _LIMITS:
        low, high = _LIMITS[datatype]
        number = int(text)
        return (low is None or number >= low) and (high is None or number <= high)
    if datatype in _MOMENTS:
        return _is_moment(match) and not (datatype.endswith("Stamp") and match["zone"] is None)
    return not (datatype in _DURATIONS and text.endswith("T"))


def _is_moment(match: re.Match[str]) -> bool:
    """Whether the numbers of a date or time name a day and an hour that exist."""
    found = match.groupdict()
    month, day = int(found.get("month") or 1), int(found.get("day") or 1)
    if not (1 <= month <= 12 and 1 <= day <= _month_days(int(found.get("year") or 2000), month)):
        return False
    hour = int(found.get("hour") or 0)
    return hour < 24 or (
        hour == 24 and not int(found["minute"] or 0) and not Decimal(found["second"] or 0)
    )


def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


@lru_cache(maxsize=65_536)
def key(node: str) -> Key | None:
    """The kind and value by which a literal is compared; None where SPARQL cannot order it."""
    if not is_literal(node) or not is_well_formed(node):
        return None
    text, datatype, _language = parts(node)
    if datatype in _DECIMALS:
        return "number", int(text) if datatype in INTEGERS else Decimal(text)
    if datatype in _FLOATS:
        return "number", float(text)
    if datatype == STRING:
        return "string", text
    if datatype == XSD + "boolean":
        return "boolean", text in {"true", "1"}
    if datatype in _MOMENTS:
        return _MOMENTS[datatype], _moment(_COMPILED[datatype], text)
    if datatype in _DURATIONS:
        return "duration", _duration(_COMPILED[datatype], text)
    return None


def _moment(form: re.Pattern[str], text: str) -> tuple[Decimal, bool]:
    """Seconds on the time line of UTC, and whether a zone was given."""
    match = form.fullmatch(text)
    found = match.groupdict() if match else {}
    year, month = int(found.get("year") or 2000), int(found.get("month") or 1)
    # Python's calendar ends at 9999: whole cycles of 400 years have the same number of days
    cycles, within = divmod(year - 1, 400)
    days = date(within + 1, month, int(found.get("day") or 1)).toordinal() + cycles * 146_097
    seconds = Decimal(days) * _DAY_SECONDS + int(found.get("hour") or 0) * 3_600
    seconds += int(found.get("minute") or 0) * 60 + Decimal(found.get("second") or 0)
    zone = found.get("zone")
    return seconds - _offset(zone), zone is not None


def _offset(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    seconds = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) // timedelta(seconds=1)
    return -seconds if zone[0] == "-" else seconds


def _duration(form: re.Pattern[str], text: str) -> tuple[int, Decimal]:
    """Months and seconds, which cannot be turned into each other."""
    match = form.fullmatch(text)
    found = match.groupdict() if match else {}
    months = int(found.get("years") or 0) * 12 + int(found.get("months") or 0)
    seconds = Decimal(found.get("seconds") or 0) + int(found.get("minutes") or 0) * 60
    seconds += int(found.get("hours") or 0) * 3_600 + int(found.get("days") or 0) * _DAY_SECONDS
    return (-months, -seconds) if found.get("sign") else (months, seconds)


def is_less(one: str, other: str, *, or_equal: bool = False) -> bool:
    """Whether SPARQL's ``one < other`` (or ``<=``) is true; False if they cannot be compared."""
    left, right = key(one), key(other)
    if left is None or right is None or left[0] != right[0]:
        return False
    comparing: Callable[[Value, Value, bool], bool]
    if left[0] == "number":
        comparing = _number_less
    elif left[0] == "duration":
        comparing = _duration_less
    elif left[0] in {"string", "boolean"}:
        comparing = _plain_less
    else:
        comparing = _moment_less
    return comparing(left[1], right[1], or_equal)


def _plain_less(one: Value, other: Value, or_equal: bool) -> bool:
    return one < other or (or_equal and one == other)  # type: ignore[operator]  # of one kind


def _number_less(one: Value, other: Value, or_equal: bool) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        one, other = float(one), float(other)  # type: ignore[arg-type]  # as SPARQL promotes them
        if math.isnan(one) or math.isnan(other):
            return False
    return _plain_less(one, other, or_equal)


def _moment_less(one: Value, other: Value, or_equal: bool) -> bool:
    """Where only one has a zone, the order is known beyond 14 hours only (XSD 3.3.7.4)."""
    (left, left_zone), (right, right_zone) = one, other  # type: ignore[misc]  # moments
    if left_zone == right_zone:
        return _plain_less(left, right, or_equal)
    return bool(left + _FURTHEST_ZONE < right)


_REFERENCES = (date(1696, 9, 1), date(1697, 2, 1), date(1903, 3, 1), date(1903, 7, 1))


def _duration_less(one: Value, other: Value, or_equal: bool) -> bool:
    """One duration is less if it ends earlier from each of XSD's four starts (3.3.6.2)."""
    ends = [(_end(start, one), _end(start, other)) for start in _REFERENCES]
    return all(_plain_less(left, right, or_equal) for left, right in ends)


def _end(start: date, duration: Value) -> Decimal:
    months, seconds = duration  # type: ignore[misc]  # a duration
    count = start.year * 12 + start.month - 1 + months
    cycles, year = divmod(count // 12 - 1, 400)
    days = date(year + 1, count % 12 + 1, 1).toordinal() + cycles * 146_097
    return Decimal(days) * _DAY_SECONDS + seconds
