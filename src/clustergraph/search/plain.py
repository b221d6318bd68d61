"""Texts as they are compared: without case, accents and other marks."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
_SEPARATE = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d"})
"""Letters that a mark has become a part of."""


def plain(text: str) -> str:
    """A text without case, marks and repeated space; letters of all scripts stay."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_SEPARATE)
    kept = "".join(each for each in folded if not unicodedata.combining(each))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def words(text: str) -> list[str]:
    """The words of a text, plain."""
    return _WORD.findall(plain(text))
