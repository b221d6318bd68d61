"""Literals as values: which are well formed (XSD part 2), and how SPARQL's ``<`` orders them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from clustergraph.validation.engine.nodes import STRING, XSD, is_literal, parts

if TYPE_CHECKING:
    from collections.abc import Callable

_ZONE = r"(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR, _MONTH, _DAY = (
    r"(?P<year>-?(?:[1-9][0-9]{3,}|0[0-9]{3}))",
    r"(?P<month>[0-9]{2})",
    "[0-9]{2}",
)
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
    "base64Binary": r"(?:(?:[A-Za-z0-9+/] ?){4})*"
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
_DURATIONS = frozenset({XSD + "duration", XSD + "dayTimeDuration", XSD + "yearMonthDuration"})
_DAY_SECONDS = 86_400
_FURTHEST_ZONE = 14 * 3_600


class Value(ABC):
    """What a literal stands for, as far as order goes."""

    @abstractmethod
    def is_less(self, other: Value, *, or_equal: bool) -> bool:
        """SPARQL's ``<`` (or ``<=``); False if the two cannot be compared."""


@dataclass(frozen=True)
class Plain(Value):
    """A text or a boolean; only those of one kind are compared."""

    kind: str
    text: str

    def is_less(self, other: Value, *, or_equal: bool) -> bool:
        """See ``Value``."""
        if not isinstance(other, Plain) or other.kind != self.kind:
            return False
        return self.text < other.text or (or_equal and self.text == other.text)


@dataclass(frozen=True)
class Number(Value):
    """A number; with a float, any number is one, as SPARQL promotes them."""

    number: int | Decimal | float

    def is_less(self, other: Value, *, or_equal: bool) -> bool:
        """See ``Value``."""
        if not isinstance(other, Number):
            return False
        left, right = self.number, other.number
        if isinstance(left, float) or isinstance(right, float):
            left, right = float(left), float(right)  # comparing NaN gives False by itself
        return left < right or (or_equal and left == right)


@dataclass(frozen=True)
class Moment(Value):
    """A date or time: seconds on the time line of UTC, and whether a zone was given."""

    kind: str
    seconds: Decimal
    has_zone: bool

    def is_less(self, other: Value, *, or_equal: bool) -> bool:
        """See ``Value``; where only one has a zone, the order is known beyond 14 hours only."""
        if not isinstance(other, Moment) or other.kind != self.kind:
            return False
        if self.has_zone != other.has_zone:  # XSD part 2, section 3.3.7.4
            return self.seconds + _FURTHEST_ZONE < other.seconds
        return self.seconds < other.seconds or (or_equal and self.seconds == other.seconds)


@dataclass(frozen=True)
class Duration(Value):
    """Months and seconds, which cannot be turned into each other."""

    months: int
    seconds: Decimal

    def is_less(self, other: Value, *, or_equal: bool) -> bool:
        """See ``Value``; less is what ends earlier from each of four starts (XSD 3.3.6.2)."""
        if not isinstance(other, Duration):
            return False
        ends = [(self._end(start), other._end(start)) for start in _STARTS]
        return all(one < two for one, two in ends) or (
            or_equal and all(one == two for one, two in ends)
        )

    def _end(self, start: date) -> Decimal:
        year, month = divmod(start.year * 12 + start.month - 1 + self.months, 12)
        return Decimal(_days(year, month + 1, 1)) * _DAY_SECONDS + self.seconds


_STARTS = (date(1696, 9, 1), date(1697, 2, 1), date(1903, 3, 1), date(1903, 7, 1))


def _days(year: int, month: int, day: int) -> int:
    """The number of a day; Python's calendar ends at 9999, but repeats every 400 years."""
    cycles, within = divmod(year - 1, 400)
    return date(within + 1, month, day).toordinal() + cycles * 146_097


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


_PLAIN: dict[str, Callable[[str], Value]] = {
    **dict.fromkeys(INTEGERS, lambda text: Number(int(text))),
    **dict.fromkeys(_FLOATS, lambda text: Number(float(text))),
    XSD + "decimal": lambda text: Number(Decimal(text)),
    XSD + "boolean": lambda text: Plain("boolean", "1" if text in {"true", "1"} else "0"),
    STRING: lambda text: Plain("string", text),
}


@lru_cache(maxsize=65_536)
def value_of(node: str) -> Value | None:
    """What a node is compared by; None where SPARQL cannot order it."""
    if not is_literal(node) or not is_well_formed(node):
        return None
    text, datatype, _language = parts(node)
    if datatype in _PLAIN:
        return _PLAIN[datatype](text)
    match = _COMPILED[datatype].fullmatch(text) if datatype in _COMPILED else None
    if match is not None and datatype in _MOMENTS:
        return _moment(_MOMENTS[datatype], match.groupdict())
    if match is not None and datatype in _DURATIONS:
        return _duration(match.groupdict())
    return None


def _moment(kind: str, found: dict[str, str | None]) -> Moment:
    year, month = int(found.get("year") or 2000), int(found.get("month") or 1)
    seconds = Decimal(_days(year, month, int(found.get("day") or 1))) * _DAY_SECONDS
    seconds += int(found.get("hour") or 0) * 3_600 + int(found.get("minute") or 0) * 60
    zone = found.get("zone")
    return Moment(
        kind, seconds + Decimal(found.get("second") or 0) - _offset(zone), zone is not None
    )


def _offset(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3_600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def _duration(found: dict[str, str | None]) -> Duration:
    months = int(found.get("years") or 0) * 12 + int(found.get("months") or 0)
    seconds = Decimal(found.get("seconds") or 0) + int(found.get("minutes") or 0) * 60
    seconds += int(found.get("hours") or 0) * 3_600 + int(found.get("days") or 0) * _DAY_SECONDS
    return Duration(-months, -seconds) if found.get("sign") else Duration(months, seconds)


def is_less(one: str, other: str, *, or_equal: bool = False) -> bool:
    """Whether SPARQL's ``one < other`` (or ``<=``) is true; False if they cannot be compared."""
    left, right = value_of(one), value_of(other)
    return left is not None and right is not None and left.is_less(right, or_equal=or_equal)
