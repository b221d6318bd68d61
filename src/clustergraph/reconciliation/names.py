"""Names as they are compared: folded, cut into words, abbreviated.

Nothing here knows a language: accents, case, punctuation, width and ligatures are folded as Unicode
knows them; what Unicode does not take apart stands in a short table.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 256
"""Characters of a name that are compared."""
MOST_WORDS = 16
"""Words of a name that are compared."""

_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ħ": "h",
     "\u0131": "i", "ŋ": "n", "ŧ": "t", "'": None, "\u2019": None, "\u02bc": None, "`": None,
     "&": " "}
)  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_HAS_UMLAUT = re.compile("[äöüåø]")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""Scripts that set no blanks between words: Thai, Lao, kana, Han."""
_ELISION = re.compile(r"(?<!\w)([A-Za-z]{1,2})['\u2019](?=\w)")


def folded(text: str) -> str:
    """A name as its words are compared: no accents, case, punctuation, doubled blanks."""
    text = _ELISION.sub(r"\1 ", text[:LONGEST])
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", plain).casefold().translate(_LETTERS)  # some have both
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return " ".join(words_of(plain))


def variants(text: str) -> list[str]:
    """The folded forms of a name, the usual one first: München is also written Muenchen."""
    usual = folded(text)
    lowered = unicodedata.normalize("NFC", text[:LONGEST].casefold())
    if not _HAS_UMLAUT.search(lowered):
        return [usual]
    return list(dict.fromkeys([usual, folded(lowered.translate(_UMLAUTS))]))


def words_of(plain: str) -> list[str]:
    """The words of a text; of scripts without blanks, overlapping pairs of characters."""
    found: list[str] = []
    for word in _WORD.findall(plain):
        match = _UNSPACED.search(word)
        if match is None:
            found.append(word)
            continue
        rest = 0
        for match in _UNSPACED.finditer(word):
            found += [word[rest : match.start()]] if match.start() > rest else []
            run = match[0]
            found += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
            rest = match.end()
        found += [word[rest:]] if rest < len(word) else []
    return found


def initials(plain: str) -> set[str]:
    """What a folded name may be abbreviated to: its initials, with and without short words."""
    words = plain.split()[:MOST_WORDS]
    if len(words) < 2:
        return set()
    of_all = "".join(word[0] for word in words)
    of_long = "".join(word[0] for word in words if len(word) > 3)
    return {each for each in (of_all, of_long) if len(each) >= 2}


def trigrams(word: str) -> set[str]:
    """The groups of three characters of a word, its beginning marked."""
    padded = f" {word}"
    return {padded[at : at + 3] for at in range(max(1, len(padded) - 2))}


def is_short_for(short: str, long: str) -> bool:
    """Whether a word may be an abbreviation of another: ``univ``, ``intl``, ``dept``."""
    if not 2 <= len(short) < len(long) or short[0] != long[0]:
        return False
    if long.startswith(short):
        return len(short) >= 3
    if not 3 <= len(short) <= 5 or short[-1] not in {long[-1], long[-2]}:
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)
