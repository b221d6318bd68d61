"""The structure of a SPARQL query: groups, triple patterns, filters, subqueries.

No more than is needed to know what a query reads and where it binds a variable; the store's own
parser checks the grammar. See https://www.w3.org/TR/sparql11-query/#sparqlGrammar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from clustergraph.errors import QueryError
from clustergraph.sparql import Token, tokens, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

AGGREGATES = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"})


@dataclass(frozen=True)
class Pattern:
    """A triple pattern or property path pattern; ``path`` has one token if it is a plain one."""

    subject: Token
    path: tuple[Token, ...]
    value: Token

    @property
    def may_be_empty(self) -> bool:
        """Whether the path may have no step, so that it matches nodes that are not there."""
        return any(token.kind == "punctuation" and token.text in "*?" for token in self.path)


@dataclass(frozen=True)
class Filter:
    """FILTER: its expression's tokens and the groups of its EXISTS."""

    tokens: tuple[Token, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Bind:
    """BIND: the expression with ``AS`` and the variable, and the groups of its EXISTS."""

    tokens: tuple[Token, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Branch:
    """OPTIONAL, GRAPH and MINUS, by ``keyword``; a plain group and UNION have the keyword UNION."""

    keyword: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Select:
    """A SELECT or ASK, at the top or within; modifiers are told by their tokens."""

    projection: tuple[Token, ...]
    group: Group
    modifiers: tuple[Token, ...]


Element: TypeAlias = Pattern | Filter | Bind | Branch | Select


@dataclass(frozen=True)
class Group:
    """A group graph pattern: its elements in order."""

    elements: list[Element] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """All elements at any depth."""
        for element in self.elements:
            yield element
            inner: tuple[Group, ...] = ()
            if isinstance(element, Select):
                inner = (element.group,)
            elif not isinstance(element, Pattern):
                inner = element.groups
            for group in inner:
                yield from group.walk()


def read(text: str) -> Select:
    """The structure of a query; prefixed names stay as they are.

    Raises:
        QueryError: it is not SELECT or ASK, or so broken that its structure cannot be told.
    """
    reader = _Reader([*tokens(unescape(text)), Token("end", "", len(text))])
    reader.skip_prologue()
    return reader.select()


class _Reader:
    """A recursive descent over the tokens of a query."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._fresh = count()

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    @property
    def _word(self) -> str:
        return self._next.text.upper() if self._next.kind in {"word", "punctuation"} else ""

    def _take(self) -> Token:
        token = self._next
        if token.kind == "end":
            raise QueryError("The query ends too early.")
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        if self._take().text.upper() != text:
            raise QueryError(f"The query lacks '{text}'.")

    def skip_prologue(self) -> None:
        """Leave PREFIX and BASE behind."""
        while self._word in {"PREFIX", "BASE"}:
            for _ in range(3 if self._word == "PREFIX" else 2):
                self._take()

    def select(self) -> Select:
        """A query or subquery."""
        if self._take().text.upper() not in {"SELECT", "ASK"}:
            raise QueryError("The query is neither SELECT nor ASK.")
        projection: list[Token] = []
        while self._word not in {"WHERE", "{"}:
            projection.append(self._take())
        if self._word == "WHERE":
            self._take()
        group = self._group()
        modifiers: list[Token] = []
        while self._next.kind != "end" and self._word != "}":
            modifiers.append(self._take())
        return Select(tuple(projection), group, tuple(modifiers))

    def _group(self) -> Group:
        self._expect("{")
        group = Group()
        if self._word == "SELECT":
            group.elements.append(self.select())
        while self._word != "}":
            self._element(group)
        self._take()
        return group

    def _element(self, group: Group) -> None:
        word = self._word
        if word == ".":
            self._take()
        elif word == "{":
            self._union(group)
        elif word in {"OPTIONAL", "MINUS", "GRAPH", "SERVICE"}:
            self._take()
            while self._word != "{":
                self._take()
            group.elements.append(Branch(word, (self._group(),)))
        elif word in {"FILTER", "BIND"}:
            self._take()
            found, groups = self._expression()
            kind = Filter if word == "FILTER" else Bind
            group.elements.append(kind(tuple(found), tuple(groups)))
        elif word == "VALUES":
            raise QueryError("VALUES cannot stand in this query.")
        else:
            self._triples(group)

    def _union(self, group: Group) -> None:
        groups = [self._group()]
        while self._word == "UNION":
            self._take()
            groups.append(self._group())
        group.elements.append(Branch("UNION", tuple(groups)))

    def _expression(self) -> tuple[list[Token], list[Group]]:
        """A bracketed expression, a function call or EXISTS with its group."""
        found: list[Token] = []
        groups: list[Group] = []
        while self._word not in {"(", "{"}:
            found.append(self._take())
        depth = 0
        while True:
            if self._word == "{":
                groups.append(self._group())
            else:
                token = self._take()
                found.append(token)
                depth += {"(": 1, ")": -1}.get(token.text, 0) if _is_mark(token) else 0
            if depth == 0:
                return found, groups

    # triples

    def _triples(self, group: Group) -> None:
        subject = self._node(group)
        if self._word not in {".", "}"}:
            self._properties(subject, group)

    def _properties(self, subject: Token, group: Group) -> None:
        while True:
            path = self._path()
            while True:
                group.elements.append(Pattern(subject, path, self._node(group)))
                if self._word != ",":
                    break
                self._take()
            while self._word == ";":
                self._take()
            if self._tokens[self._at - 1].text != ";" or self._word in {".", "}", "]"}:
                return

    def _path(self) -> tuple[Token, ...]:
        """A verb: all tokens until the node that follows it."""
        found = [self._take()]
        if found[0].kind == "variable":
            return tuple(found)
        depth = 1 if _is_mark(found[0], "(") else 0
        while depth or _is_mark(found[-1], "^!/|") or _is_mark(self._next, "*+?/|"):
            token = self._take()
            if _is_mark(token):
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            found.append(token)
        return tuple(found)

    def _node(self, group: Group) -> Token:
        token = self._take()
        if _is_mark(token, "["):
            node = Token("variable", f"?_blank{next(self._fresh)}", token.start)
            if self._word != "]":
                self._properties(node, group)
            self._expect("]")
            return node
        if _is_mark(token, "("):
            raise QueryError("Lists in a query are not read here.")
        if token.kind == "blank":
            return Token("variable", f"?_blank_{token.text[2:]}", token.start)
        if _is_mark(token, "+-"):
            token = Token("number", token.text + self._take().text, token.start)
        if token.kind == "string":
            if self._next.kind == "tag":
                token = Token("string", token.text + self._take().text, token.start)
            elif _is_mark(self._next, "^"):
                self._take()
                self._take()
                token = Token("string", f"{token.text}^^{self._take().text}", token.start)
        return token


def _is_mark(token: Token, among: str = "") -> bool:
    return token.kind == "punctuation" and (not among or token.text in among)


def mentions(found: tuple[Token, ...], name: str) -> bool:
    """Whether a variable stands among the tokens."""
    return any(token.kind == "variable" and token.text[1:] == name for token in found)


def has_word(found: tuple[Token, ...], words: frozenset[str]) -> bool:
    """Whether one of the keywords stands among the tokens."""
    return any(token.kind == "word" and token.text.upper() in words for token in found)
