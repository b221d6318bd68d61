"""The tokens of Turtle, TriG, N-Triples and N-Quads (RDF 1.2), by one regular expression.

Every character belongs to a token or to the space between tokens, so reading never stops; what
can be no token is of the kind ``bad``. Nothing is read twice: the time is linear in the text.
"""

from __future__ import annotations

import re
from functools import cache

_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHARS = _BASE + "_0-9\u00b7\u0300-\u036f\u203f\u2040\\-"
_CHAR = f"[{_CHARS}]"
_LOCAL = rf"(?:[{_CHARS}:]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])"

_TOKEN = rf"""[ \t\r\n]*+(?:\#[^\r\n]*+[ \t\r\n]*+)*+(?:
      (?P<iri><[^\x00-\x20<>"{{}}|^`]*+>)
    | (?P<text>\"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\"
             |'''(?:[^'\\]|\\.|'(?!''))*+'''
             |"(?:[^"\\\r\n]|\\[^\r\n])*+"
             |'(?:[^'\\\r\n]|\\[^\r\n])*+')
    | (?P<at>@[a-zA-Z]+(?:-[a-zA-Z0-9]+)*(?:--[a-zA-Z]+)?)
    | (?P<blank>_:[{_BASE}_0-9]{_CHAR}*+(?:\.++{_CHAR}++)*+)
    | (?P<name>(?:[{_BASE}]{_CHAR}*+(?:\.++{_CHAR}++)*+)?:
               (?:(?!-){_LOCAL}(?:{_LOCAL})*+(?:\.++{_LOCAL}++)*+)?)
    | (?P<number>[+-]?(?:\d+\.?\d*[eE][+-]?\d+|\.\d+[eE][+-]?\d+|\d*\.\d+|\d+))
    | (?P<word>[A-Za-z]{_CHAR}*+)
    | (?P<mark>\^\^|<<\(|\)>>|<<|>>|\{{\||\|\}}|[.;,()\[\]{{}}~])
    | (?P<end>\Z)
    | (?P<bad>.))"""

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LOCAL_ESCAPE = re.compile(r"\\(.)")
_PLAIN = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}
_HIGHEST = 0x10FFFF


@cache
def token() -> re.Pattern[str]:
    """One token after the space before it; compiled when it is first needed, which takes time."""
    return re.compile(_TOKEN, re.VERBOSE | re.DOTALL)


def tokens(text: str) -> tuple[list[str], list[int], list[int]]:
    """Kind, start and end of each token; a mark's kind is the mark, the last kind is ``end``."""
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for each in token().finditer(text):
        kind = each.lastgroup or "bad"
        start, end = each.span(kind)
        kinds.append(text[start:end] if kind == "mark" else kind)
        starts.append(start)
        ends.append(end)
        if kind == "end":
            break
    return kinds, starts, ends


def unescaped(text: str) -> str:
    """The text of an IRI or literal without escapes.

    Raises:
        ValueError: an escape stands for no character.
    """
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def unescaped_local(text: str) -> str:
    r"""The local part of a prefixed name, in which ``\`` stands before a mark."""
    return _LOCAL_ESCAPE.sub(r"\1", text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        number = int(code, 16)
        if number > _HIGHEST or 0xD800 <= number <= 0xDFFF:
            raise ValueError(f"{match[0]} stands for no character")
        return chr(number)
    if match[3] in _PLAIN:
        return _PLAIN[match[3]]
    if match[3] in "\"'\\":
        return match[3]
    raise ValueError(f"\\{match[3]} is no escape")
