"""A cursor over the tokens of a text, and what it says of a token that should not be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from clustergraph.positions import lexer

Record: TypeAlias = "tuple[str, str, str, str, int, int, int, int]"
"""Keys of subject, predicate, object and graph name, then where each begins.

The graph name is empty, and begins at -1, in the default graph.
"""


@dataclass(frozen=True)
class Fault:
    """A syntax error, from ``start`` to before ``end``."""

    message: str
    start: int
    end: int
    hint: str = ""


@dataclass
class Reading:
    """What a text says, and where."""

    text: str
    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)


class Wrong(Exception):  # noqa: N818  # is not seen outside this package
    """A statement cannot be read any further."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(message, start, end, hint)


class Cursor:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self.reading = Reading(text)
        self._text = text
        self._kinds, self._starts, self._ends = lexer.tokens(text)
        self._at = 0

    def _raw(self) -> str:
        at = self._at
        return self._text[self._starts[at] : self._ends[at]]

    def _is(self, mark: str) -> bool:
        return self._kinds[self._at] == mark

    def _take(self, mark: str) -> bool:
        if self._kinds[self._at] == mark:
            self._at += 1
            return True
        return False

    def _wrong(self, message: str, hint: str = "") -> Wrong:
        return Wrong(message, self._starts[self._at], self._ends[self._at], hint)

    def _found(self) -> str:
        if self._kinds[self._at] == "end":
            return "the end of the file"
        raw = self._raw().split("\n", 1)[0]
        return raw if len(raw) <= 40 else raw[:39] + "…"

    def _missing(self, mark: str, opened: int | None = None) -> Wrong:
        """Something should stand after the token before this one."""
        before = self._ends[self._at - 1] if self._at else 0
        hint = ""
        if opened is not None:
            line = self._text.count("\n", 0, opened) + 1
            hint = f"It closes the bracket opened in line {line}."
        return Wrong(f"{mark} is missing before {self._found()}", before, before, hint)

    def _is_first_of_line(self) -> bool:
        before = self._text[self._ends[self._at - 1] if self._at else 0 : self._starts[self._at]]
        return "\n" in before or "\r" in before or self._kinds[self._at] == "end"

    def _starts_statement(self) -> bool:
        """Whether the token looks like the first of a statement that others run into.

        It stands at the margin of its line, or a blank line is above it.
        """
        at = self._at
        kind = self._kinds[at]
        if not at or kind not in {"iri", "name", "blank", "at", "word"}:
            return False
        before = self._text[self._ends[at - 1] : self._starts[at]]
        continues = self._kinds[at - 1] in {";", ","}
        return (
            "\n" in before
            and not continues
            and (before.endswith("\n") or "\n\n" in before.replace("\r", ""))
        )

    def _unexpected(self, role: str) -> Wrong:
        kind = self._kinds[self._at]
        raw = self._raw()
        hint = ""
        if kind in {"end", ".", ";", ",", "]", ")", "}"}:
            before = self._ends[self._at - 1] if self._at else 0
            return Wrong(f"The {role} is missing before {self._found()}", before, before)
        if kind == "bad" and raw in "\"'":
            end = self._text.find("\n", self._starts[self._at])
            end = len(self._text) if end < 0 else end
            return Wrong(
                "This text is not closed in its line",
                self._starts[self._at],
                end,
                f"Close it with {raw}, or put a text of several lines between {raw * 3}.",
            )
        if kind == "bad" and raw == "<":
            end = self._text.find(">", self._starts[self._at])
            line = self._text.find("\n", self._starts[self._at])
            line = len(self._text) if line < 0 else line
            return Wrong(
                "This is no IRI",
                self._starts[self._at],
                end + 1 if -1 < end < line else self._ends[self._at],
                "An IRI holds no spaces or quotes; write them as %20 or %22.",
            )
        if kind == "word":
            lower = raw.lower()
            hint = (
                f"Write {lower} in small letters."
                if lower in {"true", "false", "a"} and raw != lower
                else "Put a text in quotes; a name needs a prefix."
            )
        elif kind == "bad" and raw == "\ufeff":
            hint = "Save the file as UTF-8 without a byte order mark."
        elif kind in {"text", "number"}:
            return self._wrong(f"The literal {self._found()} can be no {role}")
        return self._wrong(f"{self._found()} is no {role}", hint)
