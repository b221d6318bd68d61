"""Pieces of text without which a filter lets nothing through.

They are of ASCII, and are found whatever their case: so they hold for LCASE, UCASE and regular
expressions that ignore case too. (Letters beyond ASCII that turn into ASCII are the business of who
looks the pieces up.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.grammar import Node
    from clustergraph.rewriting.reading import Reading

_SHORTEST = 3
_PLAIN = re.compile(r"[A-Za-z0-9 ,;:_~=@#%&<>!/-]+")
"""Characters that stand for themselves in strings and regular expressions, and as SPARQL writes
strings."""
_QUANTIFIERS = frozenset("?*")
_CLASS = re.compile(r"\[\^?[A-Za-z0-9 _-]+\]")
_REPEATED = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_GROUP = re.compile(r"\([^()]*\)")
_SPECIAL = frozenset("|()[]{}")
_FUNCTIONS = frozenset({"CONTAINS", "STRSTARTS", "STRENDS"})
_CASES = frozenset({"STR", "LCASE", "UCASE"})


def required(reading: Reading, filters: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """The variables of filters, each with text that its value must have in it.

    Args:
        reading: of a query.
        filters: of one of its groups.
    """
    for each in filters:
        for call in _conjuncts(each):
            found = _of_call(reading, call)
            if found is not None and len(found[1]) >= _SHORTEST:
                yield found


def _conjuncts(node: Node) -> Iterator[Node]:
    """The calls that must all be true: the filter's only one, or those joined by &&."""
    for part in node.parts:
        if part.rule == "BuiltInCall":
            if part.start == node.start + (node.rule == "Filter") and part.end == node.end:
                yield part
        elif part.rule in {"Expression", "ConditionalAndExpression", "RelationalExpression"}:
            if node.rule == "Expression" and len(node.parts) > 1:  # joined by ||
                continue
            if node.rule in {"ConditionalAndExpression", "Expression"} or len(node.parts) == 1:
                yield from _conjuncts(part)


def _of_call(reading: Reading, call: Node) -> tuple[str, str] | None:
    name = reading.kinds[call.start]
    arguments = [range(each.start, each.end) for each in call.parts if each.rule == "Expression"]
    if name in _FUNCTIONS and len(arguments) == 2:
        needle = _string(reading, arguments[1], _CASES)
        pieces = [] if needle is None else _PLAIN.findall(needle)
    elif name == "REGEX" and len(arguments) in {2, 3}:
        needle = _string(reading, arguments[1], frozenset())
        flags = _string(reading, arguments[2], frozenset()) if len(arguments) == 3 else ""
        if needle is None or flags is None or not set(flags) <= set("ims"):
            return None
        pieces = _literal(needle)
    else:
        return None
    variable = _inner(reading, arguments[0], _CASES)
    if variable is None or reading.kinds[variable] != "var" or not pieces:
        return None
    return f"?{reading.tokens[variable].text[1:]}", max(pieces, key=len)


def _inner(reading: Reading, tokens: range, functions: frozenset[str]) -> int | None:
    """The token around which nothing but some functions of one argument stands."""
    start, stop = tokens.start, tokens.stop
    while stop - start > 1:
        if (
            stop - start < 4
            or reading.kinds[start] not in functions
            or reading.kinds[start + 1] != "("
            or reading.kinds[stop - 1] != ")"
        ):
            return None
        start, stop = start + 2, stop - 1
    return start


def _string(reading: Reading, tokens: range, functions: frozenset[str]) -> str | None:
    """The string that stands there without escapes, language or datatype."""
    number = _inner(reading, tokens, functions)
    if number is None or reading.kinds[number] != "string":
        return None
    text = reading.tokens[number].text
    quote = text[:3] if text[:3] in {'"""', "'''"} else text[:1]
    return None if "\\" in text else text[len(quote) : -len(quote)]


def _literal(pattern: str) -> list[str]:
    """Pieces that every match of a regular expression has in it, in its top level.

    What is not understood for certain gives none.
    """
    if "\\" in pattern or "(?" in pattern:
        return []
    plain = _REPEATED.sub("*", _CLASS.sub(".", pattern))
    while (shorter := _GROUP.sub(".", plain)) != plain:
        plain = shorter
    if not _SPECIAL.isdisjoint(plain):
        return []
    pieces: list[str] = []
    current = ""
    for number, letter in enumerate(plain):
        following = plain[number + 1 : number + 2]
        if _PLAIN.fullmatch(letter) and following not in _QUANTIFIERS:
            current += letter
            if following != "+":
                continue
        pieces.append(current)
        current = ""
    return [each for each in [*pieces, current] if each]
