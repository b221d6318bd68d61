"""The term under the cursor, and what stands before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clustergraph.positions import lexer
from clustergraph.positions.iri import resolve
from clustergraph.positions.terms import RDF
from clustergraph.vocab import PREFIXES

_PREFIX = re.compile(r"^[ \t]*@?prefix[ \t]+([^\s:]*):\s*<([^>\s]*)>", re.IGNORECASE | re.MULTILINE)
_BASE = re.compile(r"^[ \t]*@?base[ \t]+<([^>\s]*)>", re.IGNORECASE | re.MULTILINE)
_TYPED = re.compile(r"(?:([^\s:;,.<>\"'()\[\]{}#]*):)?([^\s:;,<>\"'()\[\]{}#]*)$")
_KNOWN = {name: start for name, start in PREFIXES.items() if ":" in start}


@dataclass(frozen=True)
class Names:
    """The prefixes that a text declares, and its base."""

    prefixes: dict[str, str]
    base: str

    @classmethod
    def of(cls, text: str, base: str) -> Names:
        """Those of a text, be it wrong elsewhere."""
        declared = _BASE.search(text)
        root = resolve(declared[1], base) if declared else base
        found = {each[1]: resolve(each[2], root) for each in _PREFIX.finditer(text)}
        return cls(found, root)

    def iri(self, kind: str, raw: str) -> str:
        """What a token stands for; empty if it is no IRI."""
        if kind == "iri":
            return resolve(raw[1:-1], self.base)
        if kind == "word" and raw == "a":
            return RDF + "type"
        prefix, _, local = raw.partition(":")
        if kind != "name" or prefix not in self.prefixes:
            return ""
        return self.prefixes[prefix] + lexer.unescaped_local(local)

    def short(self, iri: str) -> str:
        """An IRI with the longest prefix that fits, also a usual one, or between angle brackets."""
        for declared in (self.prefixes, _KNOWN):
            fitting = [each for each in declared.items() if each[1] and iri.startswith(each[1])]
            if fitting:
                prefix, start = max(fitting, key=lambda each: len(each[1]))
                return f"{prefix}:{iri[len(start) :]}"
        return f"<{iri}>"


@dataclass(frozen=True)
class Under:
    """A term and where it stands."""

    iri: str
    start: int
    end: int


def under(text: str, offset: int, names: Names) -> Under | None:
    """The IRI at an offset, or right before it.

    Only its line is taken apart: what looks like a name in a text of several lines is shown too.
    """
    begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    for each in lexer.token().finditer(text, begin):
        kind = each.lastgroup or "bad"
        start, end = each.span(kind)
        if start > offset or kind == "end":
            return None
        if offset <= end:
            iri = names.iri(kind, text[start:end])
            if iri:
                return Under(iri, start, end)
    return None


def typed(line: str) -> tuple[str | None, str, int] | None:
    """What is being typed at the end of a line: prefix, local part, and where they begin.

    The prefix is None while there is no colon. None within a text, an IRI or a comment.
    """
    kinds, starts, _ends = lexer.tokens(line)
    opened = [
        at for kind, at in zip(kinds, starts, strict=True) if kind == "bad" and line[at] in "\"'<"
    ]
    if opened or ("#" in line and _in_comment(line)):
        return None
    found = _TYPED.search(line)
    return (found[1], found[2], found.start()) if found else None


def _in_comment(line: str) -> bool:
    """Whether the line's last token ends before a ``#`` that begins a comment."""
    kinds, _starts, ends = lexer.tokens(line)
    last = ends[-2] if len(kinds) > 1 else 0
    return "#" in line[last:]
