"""Content negotiation by RFC 9110 sections 12.4 and 12.5: Accept and Accept-Language."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from clustergraph.rdf import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)')
_RANGE = re.compile(r"^\s*([\w!#$%&'*+.^`|~-]+)/([\w!#$%&'*+.^`|~-]+)\s*$")
_QUALITY = re.compile(r"^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$")
_LANGUAGE = re.compile(r"^\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*$")
_LONGEST = 500
"""Characters of an Accept header that is remembered."""
_IGNORED = frozenset({"profile", "version", "odata.metadata"})
"""Parameters that ask for a flavour of a type; we give the type."""

HTML = Format("HTML", "text/html", "html")

F = TypeVar("F", bound=Format)


@dataclass(frozen=True)
class MediaRange:
    """One element of an Accept header."""

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...]
    quality: float

    def specificity(self, media_type: str) -> int | None:
        """How closely it names a media type: 3 exactly with parameters ... 0 ``*/*``; or None."""
        kind, _, name = media_type.partition("/")
        if self.type == "*":
            return 0 if self.subtype == "*" else None
        if self.type != kind:
            return None
        if self.subtype == "*":
            return 1
        if self.subtype != name or not self._satisfiable():
            return None
        return 3 if self.parameters else 2

    def _satisfiable(self) -> bool:
        return all(
            name in _IGNORED
            or (name == "charset" and value.lower() in {"utf-8", "utf8"})
            or (name == "header" and value.lower() == "present")  # of CSV (RFC 4180): it is
            for name, value in self.parameters
        )


def parse_accept(header: str) -> list[MediaRange]:
    """The media ranges of an Accept header; elements that are none are ignored."""
    ranges: list[MediaRange] = []
    for element in _ELEMENT.findall(header):
        head, semicolon, _ = element.partition(";")
        match = _RANGE.match(head)
        if match is None:
            continue
        found = [
            (name.lower(), value.strip('"'))
            for name, value in _PARAMETER.findall(element[len(head) :])
        ] if semicolon else []  # fmt: skip
        quality = next((value for name, value in found if name == "q"), "1")
        if not _QUALITY.match(quality):
            continue
        parameters = tuple(each for each in found if each[0] != "q")
        ranges.append(MediaRange(match[1].lower(), match[2].lower(), parameters, float(quality)))
    return ranges


def choose(header: str | None, offered: Sequence[F]) -> F | None:
    """The offered format that suits an Accept header best, or None if none is acceptable.

    No header, or an empty one, accepts anything. The most specific range that matches a format
    decides its weight; a weight of 0 excludes it. Of equal weights, the one named more closely
    wins, then the one offered first. A format is also found by its aliases.
    """
    if header is None or not header.strip():
        return offered[0] if offered else None
    find = _remembered if len(header) <= _LONGEST else _chosen
    position = find(header, tuple(offered))
    return None if position is None else offered[position]


@functools.lru_cache(maxsize=512)
def _remembered(header: str, offered: tuple[Format, ...]) -> int | None:
    """The same, remembered: most clients send one of a few headers.

    It gives a position, since formats that are equal need not be the same object.
    """
    return _chosen(header, offered)


def _chosen(header: str, offered: tuple[Format, ...]) -> int | None:
    ranges = parse_accept(header)
    best: tuple[float, int, int] | None = None
    chosen: int | None = None
    for position, fmt in enumerate(offered):
        weight = _weight(fmt.media_type, ranges)
        if weight is None or weight[1] < 2:  # named by a wildcard at most: by an alias rather?
            aliases = (_weight(alias, ranges) for alias in fmt.aliases)
            named = [each for each in aliases if each and each[1] >= 2]
            excluded = weight is not None and weight[0] == 0
            if named and not excluded:
                weight = max(named)
        if weight is None or weight[0] == 0:
            continue
        rank = (weight[0], weight[1], -position)
        if best is None or rank > best:
            best, chosen = rank, position
    return chosen


def _weight(media_type: str, ranges: Sequence[MediaRange]) -> tuple[float, int] | None:
    """Quality and specificity of the closest range."""
    matching = [
        (specificity, each.quality)
        for each in ranges
        if (specificity := each.specificity(media_type)) is not None
    ]
    if not matching:
        return None
    specificity, quality = max(matching)
    return quality, specificity


def languages(header: str | None, asked: str | None, available: Sequence[str]) -> list[str]:
    """The languages in which a reader wants labels, the best first (RFC 4647 section 3.4).

    Args:
        header: Accept-Language.
        asked: the language named in the address, which wins.
        available: the languages of the project, its preferred one first; they come last.
    """
    wanted: list[tuple[float, int, str]] = []
    for position, element in enumerate((header or "").split(",")):
        tag, _, rest = element.partition(";")
        match = _LANGUAGE.match(tag)
        quality = rest.strip().removeprefix("q=").strip() if rest else "1"
        if match and _QUALITY.match(quality) and float(quality) > 0 and match[1] != "*":
            wanted.append((-float(quality), position, match[1].lower()))
    tags = ([asked.lower()] if asked and _LANGUAGE.match(asked) else []) + [
        tag for _, _, tag in sorted(wanted)
    ]
    expanded = [part for tag in tags for part in (tag, tag.split("-")[0])]
    return list(dict.fromkeys([*expanded, *(each.lower() for each in available)]))
