"""Places in a text: lines and columns, counted in characters from 1."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, order=True)
class Place:
    """A stretch of a file; ``end_column`` is the column after its last character.

    A ``line`` of 0 means the file as a whole, for formats that are not read with positions.
    """

    path: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    text: str = ""
    """The whole first line, without its end."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    @property
    def length(self) -> int:
        """How many characters of the first line it covers; at least one."""
        end = self.end_column if self.end_line == self.line else len(self.text) + 1
        return max(1, end - self.column)


class Lines:
    """The lines of a text; they end as editors see it, with LF, CRLF or CR."""

    def __init__(self, text: str) -> None:
        self._text = text
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(each.end() for each in ends)]
        self._ends = [*(each.start() for each in ends), len(text)]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at ``offset``."""
        number = bisect_right(self._starts, offset)
        return number, offset - self._starts[number - 1] + 1

    def text(self, line: int) -> str:
        """A line without its end."""
        return self._text[self._starts[line - 1] : self._ends[line - 1]]

    def offset(self, line: int, column: int) -> int:
        """Where a line and column are in the text; within it for those that are beyond it."""
        line = min(max(line, 1), len(self._starts))
        return min(self._starts[line - 1] + max(column, 1) - 1, self._ends[line - 1])

    def place(self, path: str, start: int, end: int) -> Place:
        """The place of the characters from ``start`` to before ``end``."""
        line, column = self.position(start)
        end_line, end_column = self.position(end)
        return Place(path, line, column, end_line, end_column, self.text(line))
