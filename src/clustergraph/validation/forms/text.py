"""For people, in the manner of compilers: the place, the line with a mark under it, what helps."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clustergraph.positions import Place
    from clustergraph.validation.report import Finding, Report

_COLOURS = {"error": 31, "warning": 33, "note": 36, "help": 32}
"""Of terminals (ECMA-48 section 8.3.117)."""
_TAB = 4
_WIDEST = 160
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s()|^*?>]+")


def write(report: Report, *, colour: bool = False) -> str:
    """The findings one after the other, a summary last."""
    blocks = [_block(report, each, colour=colour) for each in dict.fromkeys(report.findings)]
    return "\n\n".join([*blocks, summary(report)]) + "\n"


def summary(report: Report) -> str:
    """How much was found, in a line."""
    counts = ", ".join(
        f"{report_count} {word}{'' if report_count == 1 else 's'}"
        for report_count, word in zip(
            report.counts().values(), ("error", "warning", "note"), strict=True
        )
    )
    return ("conforms: " if report.conforms else "does not conform: ") + counts


def _block(report: Report, each: Finding, *, colour: bool) -> str:
    def paint(text: str, what: str) -> str:
        return f"\x1b[1;{_COLOURS[what]}m{text}\x1b[0m" if colour else text

    word = each.severity.word
    head = f"{paint(f'{word}[{each.rule}]', word)} {each.message}"
    name = report.show(each.focus) + (f" '{each.label}'" if each.label else "")
    facts = [("node", name)]
    if each.path:
        facts.append(("path", each.path if each.place is None else _short_path(report, each.path)))
    if each.value is not None and each.value != each.focus:
        facts.append(("value", report.show(each.value)))
    if each.place is None:
        lines = [head] + [f"  {'at' if key == 'node' else key:<4} {text}" for key, text in facts]
        return "\n".join(lines + ([f"  help {each.help}"] if each.help else []))
    numbers = [each.place.line, *(other.place.line for other in each.related)]
    width = len(str(max(numbers)))
    lines = [f"{each.place}: {head}", *_excerpt(each.place, width, "^")]
    if each.rule != "syntax":
        lines += [f"{' ' * width} = {key}: {text}" for key, text in facts]
    if each.help:
        lines.append(f"{' ' * width} = {paint('help', 'help')}: {each.help}")
    for other in each.related:
        lines += [f"{' ' * width} ::: {other.place}: {other.message}"]
        lines += _excerpt(other.place, width, "-")[1:] if other.is_quoted else []
    return "\n".join(lines)


def _short_path(report: Report, path: str) -> str:
    return _IRI.sub(lambda match: report.short(match[0]), path)


def _excerpt(place: Place, width: int, mark: str) -> list[str]:
    """The source line with a mark under the term; nothing for a file without lines."""
    if not place.line:
        return []
    cut = max(0, place.column - _WIDEST // 2) if len(place.text) > _WIDEST else 0
    shown = place.text[cut : cut + _WIDEST]
    column = place.column - 1 - cut
    before, marked = shown[:column], shown[column : column + place.length]
    gutter = " " * width
    marks = " " * _columns(before) + mark * max(1, _columns(marked))
    return [
        f"{gutter} |",
        f"{place.line:>{width}} | {shown.replace(chr(9), ' ' * _TAB)}",
        f"{gutter} | {marks}",
    ]


def _columns(text: str) -> int:
    """How wide a text is on a terminal."""
    return sum(
        _TAB
        if each == "\t"
        else 0
        if unicodedata.combining(each)
        else 2
        if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )
