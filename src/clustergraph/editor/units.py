"""Characters of a text as the positions of editors, which count in UTF-16 if nothing is agreed."""

from __future__ import annotations

from lsprotocol import types as lsp

from clustergraph.positions import Lines

_WIDTHS = {"utf-8": "utf-8", "utf-16": "utf-16-le"}


def _width(text: str, encoding: str) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    codec = _WIDTHS.get(encoding, "utf-16-le")
    return len(text.encode(codec, "surrogatepass")) // (1 if codec == "utf-8" else 2)


def position(lines: Lines, offset: int, encoding: str) -> lsp.Position:
    """The editor's position of a character (LSP 3.17, Position)."""
    line, column = lines.position(offset)
    before = lines.text(line)[: column - 1]
    return lsp.Position(line - 1, _width(before, encoding))


def stretch(lines: Lines, start: int, end: int, encoding: str) -> lsp.Range:
    """The editor's range of the characters from ``start`` to before ``end``."""
    return lsp.Range(position(lines, start, encoding), position(lines, end, encoding))


def difference(old: str, new: str, encoding: str) -> tuple[lsp.Range, str]:
    """The stretch of a text that another one has otherwise, and what stands there."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    lines = Lines(old)
    return stretch(lines, start, len(old) - end, encoding), new[start : len(new) - end]


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def offset(lines: Lines, where: lsp.Position, encoding: str) -> int:
    """The character at an editor's position; the nearest one for those beyond the text."""
    begin = lines.offset(where.line + 1, 1)
    text = lines.text(lines.position(begin)[0])
    count = 0
    for number, character in enumerate(text):
        if count >= where.character:
            return begin + number
        count += _width(character, encoding)
    return begin + len(text)
