"""What is wrong with a query that the engine refused: the place, what stands there, what could.

The engine tells the furthest place that its parser has looked at, which can be lines after the
mistake, and names what it tried there. So a refused text is parsed once more, by the grammar of the
specification (``sparql.ebnf``); the engine stays the judge of what is valid.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import sparql
from clustergraph.errors import QueryError
from clustergraph.grammar import END, Grammar, Mistake, Node
from clustergraph.vocab import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.sparql import Token

_KINDS = {
    "iri": "iri", "name": "name", "variable": "var", "string": "string", "number": "number",
    "tag": "tag", "blank": "blank",
}  # fmt: skip
_SHOWN = {
    "iri": "an IRI", "name": "a prefixed name", "ns": "a prefix", "var": "a variable",
    "string": "a string", "number": "a number", "signed": "a number", "tag": "a language tag",
    "blank": "a blank node", "nil": "()", "anon": "[]", "TRUE": "true", "FALSE": "false",
    END: "the end of the query",
}  # fmt: skip
_PAIRS = frozenset({"||", "&&", "!=", "<=", ">=", "^^"})
_SIGNS = frozenset({"+", "-"})
_EMPTY = {"()": "nil", "[]": "anon"}
_NEWER = {"<": "<", "{": "|", "|": "}", "~": ""}
"""What begins the syntax of SPARQL 1.2, of which the grammar knows nothing, and what follows it."""
_SCHEME = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:")
_UNTOLD = frozenset({"SERVICE", "LATERAL"})
"""What the grammar knows and nobody is told to write."""
_FUNCTIONS = ("BuiltInCall", "a function")


@functools.cache
def grammar() -> Grammar:
    """The grammar of SPARQL 1.1 queries."""
    path = Path(__file__).resolve().parent / "sparql.ebnf"
    return Grammar(path.read_text(encoding="utf-8"), "Query")


def terminals(text: str) -> Iterator[tuple[str, Token]]:
    """The tokens of a text with the names that the grammar has for them."""
    waiting: tuple[str, Token] | None = None
    for token in _split(sparql.tokens(text)):
        terminal = _terminal(token)
        if waiting is not None:
            kind, former = waiting
            adjacent = former.start + len(former.text) == token.start
            both = former.text + token.text
            if both in _EMPTY:
                waiting = (_EMPTY[both], _joined(former, token, text))
                continue
            if adjacent and (both in _PAIRS or (kind in _SIGNS and terminal == "number")):
                waiting = (both if both in _PAIRS else "signed", _joined(former, token, text))
                continue
            yield kind, former
        waiting = (terminal, token)
    if waiting is not None:
        yield waiting


def _joined(former: Token, token: Token, text: str) -> Token:
    end = token.start + len(token.text)
    return sparql.Token("punctuation", text[former.start : end], former.start)


def _split(found: Iterable[Token]) -> Iterator[Token]:
    """Names and numbers do not end with the dot of their triple (rules 138 and 146)."""
    for token in found:
        body = token.text.rstrip(".")
        if token.kind not in {"name", "number", "blank"} or body == token.text:
            yield token
            continue
        if body.endswith("\\"):  # an escaped dot
            body += "."
        yield sparql.Token(token.kind, body, token.start)
        for index in range(len(body), len(token.text)):
            yield sparql.Token("punctuation", ".", token.start + index)


def _terminal(token: Token) -> str:
    if token.kind == "name" and token.text.endswith(":") and token.text.count(":") == 1:
        return "ns"
    if token.kind == "word":
        return "a" if token.text == "a" else token.text.upper()
    return _KINDS.get(token.kind, token.text)


def parse(
    text: str, rules: frozenset[str] = frozenset()
) -> tuple[list[tuple[str, Token]], Node | Mistake]:
    """The tokens of a text, and its parts that follow certain rules, or its first mistake."""
    found = list(terminals(text))
    return found, grammar().parse([terminal for terminal, _ in found], rules)


def explained(error: QueryError, text: str) -> QueryError:
    """An error of the engine, told by what is wrong in the text.

    Args:
        error: of the engine.
        text: what it refused.
    """
    found, tree = parse(text)
    tokens = [token for _, token in found]
    if isinstance(tree, Mistake):
        return _mistake(found, tree, text) or error
    return _undeclared(tokens, text) or _relative(tokens, text) or _rule(error, tokens, text)


def _relative(found: Sequence[Token], text: str) -> QueryError | None:
    """The first relative IRI, where no BASE says to what."""
    for token in found:
        if token.kind == "word" and token.text.upper() == "BASE":
            return None
        if token.kind == "iri" and not _SCHEME.match(token.text):
            line, column = sparql.position(text, token.start)
            return QueryError(
                f"{token.text[:60]} is a relative IRI, and nothing says to what.",
                line=line,
                column=column,
                hint="Write it whole, or begin the query with BASE <IRI>.",
            )
    return None


def _rule(error: QueryError, found: Sequence[Token], text: str) -> QueryError:
    """What follows the grammar and breaks a rule; where, the engine does not tell."""
    if "SELECT clause" in error.reason:
        selects = [each for each in found if each.kind == "word" and each.text.upper() == "SELECT"]
        if len(selects) > 1:
            return QueryError(error.reason, hint=error.hint)
        line, column = sparql.position(text, selects[0].start)
        return QueryError(error.reason, line=line, column=column, hint=error.hint)
    return QueryError(
        "The query follows the grammar of SPARQL, but breaks one of its rules.",
        hint="Look for a variable that BIND or AS sets a second time, a row of VALUES with too "
        "many or too few values, SELECT * with GROUP BY, a blank node used in two groups, "
        "characters that an IRI cannot have.",
    )


def _mistake(found: Sequence[tuple[str, Token]], mistake: Mistake, text: str) -> QueryError | None:
    expected = _readable(mistake.expected)
    hint = f"Expected: {expected}."
    if mistake.token == len(found):
        line, column = sparql.position(text, len(text.rstrip()))
        return QueryError("The query ends too early.", line=line, column=column, hint=hint)
    terminal, token = found[mistake.token]
    following = [each.text for _, each in found[mistake.token + 1 : mistake.token + 2]]
    newer = _NEWER.get(terminal)
    if newer is not None and (newer == "" or following == [newer]):
        return None
    line, column = sparql.position(text, token.start)
    if terminal in {'"', "'"}:
        return QueryError(
            "A string begins here that is not closed on its line.",
            line=line,
            column=column,
            hint="Close it, or put three quotes around a text of several lines.",
        )
    if terminal == "<" and "iri" in mistake.expected:
        hint = 'What begins with < is no IRI: one has neither spaces nor <>"{}|^`\\.'
    near = nearest(token.text, mistake.expected) if token.kind == "word" else []
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    shown = token.text if len(token.text) <= 40 else token.text[:39] + "…"
    return QueryError(f"'{shown}' cannot stand here.", line=line, column=column, hint=hint)


def _readable(expected: frozenset[str]) -> str:
    """What could stand somewhere, in words, the most likely first."""
    rest = set(expected - _UNTOLD)
    words: list[str] = []
    functions = grammar().first(_FUNCTIONS[0])
    if functions <= rest:
        rest -= functions
        words.append(_FUNCTIONS[1])
    if {"iri", "name", "ns"} <= rest:
        rest.discard("ns")
    ordered = sorted(rest, key=lambda each: (each in _SHOWN, each.isalpha(), each))
    words = list(dict.fromkeys([*(_SHOWN.get(each, each) for each in ordered), *words]))
    if len(words) > 1:
        return ", ".join(words[:-1]) + " or " + words[-1]
    return "".join(words)


def undeclared(text: str) -> QueryError | None:
    """The first name in a text whose prefix nobody has declared, as an error."""
    return _undeclared(list(sparql.tokens(text)), text)


def _undeclared(found: Sequence[Token], text: str) -> QueryError | None:
    """The same, of tokens."""
    prefix, token = next(sparql.undeclared(found), ("", None))
    if token is None:
        return None
    line, column = sparql.position(text, token.start)
    near = nearest(prefix, PREFIXES)
    return QueryError(
        f"The prefix '{prefix}:' is not declared.",
        line=line,
        column=column,
        hint=f"Did you mean {' or '.join(f'{each}:' for each in near)}?"
        if near
        else f"Declare it at the head of the query: PREFIX {prefix}: <IRI>",
    )


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The words of ``known`` that are written almost like one, the nearest first.

    Near is what a third of the letters (at least one, at most three) turn into it.
    """
    limit = max(1, min(3, len(word) // 3))
    measured = (
        (distance(word.lower(), each.lower(), limit), each)
        for each in known
        if abs(len(each) - len(word)) <= limit
    )
    return [each for away, each in sorted(measured) if away <= limit][:most]


def distance(one: str, other: str, limit: int) -> int:
    """How many letters are inserted, deleted, changed or swapped; above ``limit``, some number."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        former, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, former[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
