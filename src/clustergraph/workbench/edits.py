"""Edits of a text at exact places: how a literal is written anew, where a statement is put in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.positions import lexer, reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from clustergraph.positions import Source
    from clustergraph.positions.reader import Record

_NUMBER = re.compile(r"[+-]?(?:\d+|\d*\.\d+|(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+)")
_ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}


@dataclass(frozen=True, order=True)
class Edit:
    """Characters from ``start`` to before ``end`` of a file that become another text."""

    path: Path
    start: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made that do not overlap."""
    parts: list[str] = []
    at = 0
    for each in sorted(edits):
        parts += (text[at : each.start], each.text)
        at = each.end
    return "".join((*parts, text[at:]))


def change(before: Source, after: Source) -> tuple[Counter[Record], Counter[Record]]:
    """The statements that went and those that came, without their places."""
    old, new = (
        Counter((*record[:4], 0, 0, 0, 0) for record in source.reading.records)
        for source in (before, after)
    )
    return old - new, new - old


# -- literals


def rewritten(raw: str, value: str) -> str | None:
    """A literal as it stands in a file, with another text; None if that cannot be written.

    What can stay as it is written stays: the quotes, escapes, language and datatype.
    """
    body, quotes, inner = _parts(raw)
    if not quotes:
        return value if _NUMBER.fullmatch(raw) and _NUMBER.fullmatch(value) else None
    mark = raw[:quotes]
    for candidate in (_trimmed(inner), _normal(_trimmed(inner)), _escaped(value, mark)):
        written = mark + candidate + mark
        if _says(written, value):
            return written + raw[len(body) :]
    return None


def _parts(raw: str) -> tuple[str, int, str]:
    """The text with its quotes, how many quotes there are, and what is between them."""
    if raw[:1] not in {'"', "'"}:
        return raw, 0, raw
    found = lexer.token().match(raw)
    end = found.end("text") if found and found.lastgroup == "text" else len(raw)
    body = raw[:end]
    quotes = 3 if body[:3] in {'"""', "'''"} and len(body) > 5 else 1
    return body, quotes, body[quotes:-quotes]


def _trimmed(inner: str) -> str:
    start = re.match(r"(?:\s|\\[tnrfb])+", inner)
    inner = inner[start.end() :] if start else inner
    while inner:
        if inner[-1].isspace():
            inner = inner[:-1]
        elif re.search(r"(?<!\\)(?:\\\\)*\\[tnrfb]\Z", inner):
            inner = inner[:-2]
        else:
            break
    return inner


def _normal(inner: str) -> str:
    from unicodedata import normalize  # noqa: PLC0415

    return normalize("NFC", inner)


def _escaped(value: str, mark: str) -> str:
    is_long = len(mark) == 3
    kept = {"\n", "\r", "\t"} if is_long else {"\t"}
    written = []
    for each, following in zip(value, value[1:] + mark[0], strict=True):
        if each == mark[0] and (following == each or not is_long):
            written.append("\\" + each)
        else:
            written.append(each if each in kept else _ESCAPES.get(each, each))
    return "".join(written)


def _says(written: str, value: str) -> bool:
    """Whether what is written is one literal with this text."""
    if reader.end_of(written, 0) != len(written):
        return False
    inner = _parts(written)[2]
    try:
        return lexer.unescaped(inner) == value
    except ValueError:
        return False


# -- language tags


def tag_edits(path: Path, text: str) -> Iterator[Edit]:
    """The edits that write language tags in their usual case (RFC 5646 section 2.1.1)."""
    kinds, starts, ends = lexer.tokens(text)
    for number in range(1, len(kinds)):
        if kinds[number] == "at" and kinds[number - 1] == "text":
            start, end = starts[number] + 1, ends[number]
            usual = usual_case(text[start:end])
            if usual != text[start:end]:
                yield Edit(path, start, end, usual)


def usual_case(tag: str) -> str:
    """A language tag with the case that RFC 5646 recommends: ``en-GB``, ``zh-Hant``."""
    tag, dashes, direction = tag.partition("--")
    parts: list[str] = []
    for number, part in enumerate(tag.split("-")):
        small = part.lower()
        if number and all(len(each) > 1 for each in parts):
            if len(part) == 2:
                small = part.upper()
            elif len(part) == 4:
                small = small.title()
        parts.append(small)
    return "-".join(parts) + dashes + direction


# -- statements


def insertion(path: Path, source: Source, subject: Record, predicate: str, value: str) -> Edit:
    """The edit that adds a statement about a subject beside one that there is.

    Args:
        path: the file.
        source: the same, read with positions.
        subject: a statement about the thing; its first one, best.
        predicate: how the property is written in this file.
        value: how the value is written in this file.
    """
    text = source.text
    if source.suffix in {"nt", "nq"}:
        stop = _after(text, source, subject)
        name = text[subject[4] : reader.end_of(text, subject[4])]
        graph = ""
        if subject[7] >= 0:
            graph = " " + text[subject[7] : reader.end_of(text, subject[7])]
        end = "\r\n" if text[stop : stop + 2] == "\r\n" else "\n"
        return Edit(path, stop, stop, f"{end}{name} {predicate} {value}{graph} .")
    same = [record for record in source.reading.records if record[4] == subject[4]]
    for record in same:
        if text[record[6]] in "[(":  # it ends behind its bracket
            continue
        end_of_value = reader.end_of(text, record[6])
        following = lexer.token().match(text, end_of_value)
        if following and following["mark"] in {";", "."}:
            gap = _gap(text, same)
            added = f" ;{gap}{_aligned(text, record, predicate)} {value}"
            return Edit(path, end_of_value, end_of_value, added)
    at = same[0][5]
    return Edit(path, at, at, f"{predicate} {value} ;{_gap(text, same)}")


def _aligned(text: str, record: Record, predicate: str) -> str:
    """A property with spaces behind it, if the values around it stand in a column."""
    beside = text[record[5] : record[6]]
    return predicate.ljust(len(beside) - 1) if beside.endswith("  ") else predicate


def _gap(text: str, same: list[Record]) -> str:
    """What stands between two properties of the thing: a line end and the indent, or a space."""
    for record in same[1:]:
        before = text[: record[5]]
        bare = before.rstrip(" \t")
        if bare.endswith("\n"):
            return ("\r\n" if bare.endswith("\r\n") else "\n") + before[len(bare) :]
    return " "


def _after(text: str, source: Source, record: Record) -> int:
    """The end of a line of N-Triples, behind its comment."""
    line, _column = source.lines.position(reader.end_of(text, max(record[4:8])))
    return source.lines.offset(line, len(source.lines.text(line)) + 1)
