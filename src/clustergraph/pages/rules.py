"""By which rule a statement follows: the inference rules, asked for that one statement alone.

A rule is a CONSTRUCT query. Where a triple of its template fits the statement, its pattern is asked
with what that fixes; the solutions are what the rule was applied to.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from clustergraph import inference, project, sparql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clustergraph.queries import StoredQuery
    from clustergraph.rdf import Term
    from clustergraph.settings import Settings
    from clustergraph.sparql import Token
    from clustergraph.store import Backend, Row

_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_EACH = 3
"""Ways that are shown in which one rule gives the statement."""
RULE = "rule"
"""The variable that tells the rule of a solution."""


@dataclass(frozen=True)
class Rule:
    """A rule taken apart."""

    name: str
    title: str
    description: str
    heads: tuple[tuple[str, str, str], ...]
    """The triples that it gives: variables and IRIs, as SPARQL writes them."""
    body: tuple[tuple[str, str], ...]
    """Its pattern, token by token: the space before, and the text, with IRIs for prefixed names."""


_rules: WeakKeyDictionary[Backend, Mapping[str, Rule]] = WeakKeyDictionary()


def rules(backend: Backend, settings: Settings) -> Mapping[str, Rule]:
    """The rules by name, read once for a release.

    Args:
        backend: the store of the release.
        settings: of the project.

    Raises:
        SourceError: a file of the project cannot be read.
    """
    found = _rules.get(backend)
    if found is None:
        stored = {**inference.owl_rules(settings), **project.rules(settings)}
        read = {name: _read(name, each) for name, each in sorted(stored.items())}
        found = _rules[backend] = {name: each for name, each in read.items() if each is not None}
    return found


def applied(
    backend: Backend, known: Mapping[str, Rule], subject: Term, predicate: Term, value: Term
) -> list[Row]:
    """What gives a statement: solutions, each with the name of its ``rule``; one query.

    Args:
        backend: the store of the release.
        known: the rules.
        subject: of the statement; nothing is known of blank nodes.
        predicate: of the statement.
        value: of the statement.
    """
    if isinstance(subject, ox.BlankNode) or isinstance(value, ox.BlankNode):
        return []
    statement = (str(subject), str(predicate), str(value))
    pieces = [
        piece
        for rule in known.values()
        for head in rule.heads
        if (piece := _piece(rule, head, statement)) and _is_sound(piece)
    ]
    if not pieces:
        return []
    return backend.select(sparql.parse(f"SELECT * {{ {' UNION '.join(pieces)} }}"))


def _piece(rule: Rule, head: Sequence[str], statement: Sequence[str]) -> str:
    """The pattern of a rule, where it gives the statement; nothing if it cannot."""
    fixed: dict[str, str] = {}
    for wanted, given in zip(head, statement, strict=True):
        if wanted[0] not in "?$":
            if wanted != given:
                return ""
        elif fixed.setdefault(wanted[1:], given) != given:
            return ""
    texts = [text for _space, text in rule.body]
    is_selecting = any(text.upper() == "SELECT" for text in texts)
    computed = {after[1:] for before, after in itertools.pairwise(texts) if before.upper() == "AS"}
    # a term cannot stand where a variable is given its value, so that is compared afterwards
    compared = {name for name in fixed if is_selecting or name in computed}
    bound = fixed.keys() - compared
    body = "".join(
        space + (fixed[text[1:]] if text[0] in "?$" and text[1:] in bound else text)
        for space, text in rule.body
    )
    tests = " ".join(f"FILTER(sameTerm(?{name}, {fixed[name]}))" for name in sorted(compared))
    named = f'BIND("{rule.name}" AS ?{RULE})'
    return f"{{ SELECT DISTINCT * {{ {body} {tests} {named} }} LIMIT {_EACH} }}"


def _is_sound(piece: str) -> bool:
    """Whether it is SPARQL still: no literal may have become a subject."""
    try:
        ox.Store().query(f"SELECT * {{ {piece} }}")
    except SyntaxError:
        return False
    return True


def _read(name: str, stored: StoredQuery) -> Rule | None:
    """A rule taken apart; None for one whose template is more than triples of names."""
    query = sparql.parse(stored.text)
    known = sparql.prefixes(query.text)
    found = list(sparql.tokens(query.text))
    texts = [_written(token, known) for token in found]
    begin = next(
        (at for at, token in enumerate(found) if token.text.upper() == "CONSTRUCT"), len(found)
    )
    if begin + 1 >= len(texts) or texts[begin + 1] != "{":
        return None
    close = texts.index("}", begin)
    heads = tuple(_triples(texts[begin + 2 : close]))
    rest = texts[close + 1 :]
    if rest and rest[0].upper() == "WHERE":
        rest = rest[1:]
    if not heads or not rest or rest[0] != "{" or rest[-1] != "}":
        return None
    ends = [0, *(token.start + len(token.text) for token in found)]
    spaces = [" " if token.start > end else "" for token, end in zip(found, ends, strict=False)]
    body = tuple(zip(spaces[-len(rest) :], rest, strict=True))
    return Rule(name, stored.title, stored.description, heads, body)


def _written(token: Token, known: Mapping[str, str]) -> str:
    """A token that needs no prefix."""
    if token.kind == "name":
        prefix, _colon, local = token.text.partition(":")
        return f"<{known.get(prefix, '')}{local.replace(chr(92), '')}>"
    return token.text


def _triples(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The triples of a template; nothing from where it is more than variables and IRIs."""
    held: list[str] = []
    for text in (*texts, "."):
        if text in {".", ";", ","}:
            if len(held) == 3:
                yield held[0], held[1], held[2]
            elif held:
                return
            held = held[: {".": 0, ";": 1, ",": 2}[text]]
        elif text[0] in "?$<" or text == "a":
            held.append(_TYPE if text == "a" else text)
        else:
            return
