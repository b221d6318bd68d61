"""How the triple patterns of a query hang together: chains of them from one of its variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from clustergraph.validation.engine import paths, patterns
from clustergraph.validation.engine.nodes import TYPE

if TYPE_CHECKING:
    from clustergraph.sparql import Token
    from clustergraph.validation.engine.prebinding import Query

_PREFIX = re.compile(r"PREFIX\s+([^\s:]*):\s*<([^>]*)>", re.IGNORECASE)
_MOST = 64

Scope: TypeAlias = tuple[int, ...]
Chain: TypeAlias = "tuple[tuple[paths.Path | None, bool], ...]"


class UnboundedError(Exception):
    """What is read cannot be told from the focus nodes."""


def _predicates(path: paths.Path) -> set[str]:
    if isinstance(path, paths.Step):
        return {path.predicate}
    if isinstance(path, paths.Sequence | paths.Alternative):
        return {each for member in path.members for each in _predicates(member)}
    if isinstance(path, paths.Repeated) and path.mark == "+":
        return _predicates(path.member)
    raise UnboundedError  # a path without a step leads from any node of the graph to itself


class Edge(NamedTuple):
    """A pattern between two nodes of the query; nodes of a subquery bear its number."""

    scope: Scope
    start: str
    path: paths.Path | None
    end: str


class Reading:
    """The patterns of a query as edges."""

    def __init__(self, query: Query) -> None:
        self._prefixes = dict(_PREFIX.findall(query.header + query.text))
        self._edges: list[Edge] = []
        self._scopes = 0
        self._group(query.structure.group, (), "")

    def chains(self, start: str) -> set[Chain]:
        """All chains of patterns from a variable; each pattern ends one at least.

        A chain to a pattern goes only through patterns that hold wherever that one counts: those of
        its own group and of the groups around it, not of another branch.

        Raises:
            UnboundedError: a pattern has no chain, or there are too many.
        """
        found: set[Chain] = set()
        for target in self._edges:
            usable = [each for each in self._edges if target.scope[: len(each.scope)] == each.scope]
            ends = [chain for chain in self._simple(f"?{start}", target, usable) if chain]
            if not ends or len(found) > _MOST:
                raise UnboundedError
            found.update(ends)
        return found

    def predicates(self) -> set[str]:
        """The predicates of all triples that the query can match.

        Raises:
            UnboundedError: it can match any, or asks for nodes that are in no such triple.
        """
        found: set[str] = set()
        for edge in self._edges:
            if edge.path is None:
                raise UnboundedError
            found |= _predicates(edge.path)
        return found

    @staticmethod
    def _simple(start: str, target: Edge, usable: list[Edge]) -> list[Chain]:
        """The chains that end with the target and pass no variable twice."""
        found: list[Chain] = []
        todo: list[tuple[str, frozenset[str], Chain]] = [(start, frozenset({start}), ())]
        while todo:
            at, seen, chain = todo.pop()
            for edge in usable:
                for one, other, back in (
                    (edge.start, edge.end, False),
                    (edge.end, edge.start, True),
                ):
                    if one != at:
                        continue
                    longer = (*chain, (edge.path, back))
                    if edge == target:
                        found.append(longer)
                    elif other.startswith("?") and other not in seen:
                        todo.append((other, seen | {other}, longer))
            if len(todo) + len(found) > _MOST:
                raise UnboundedError
        return found

    def _group(self, group: patterns.Group, scope: Scope, within: str) -> None:
        for element in group.elements:
            if isinstance(element, patterns.Pattern):
                start, end = self._node(element.subject, within), self._node(element.value, within)
                self._edges.append(Edge(scope, start, self._path(element.path), end))
            elif isinstance(element, patterns.Select):
                self._subquery(element, scope, within)
            else:
                if isinstance(element, patterns.Branch) and element.keyword == "GRAPH":
                    raise UnboundedError
                for each in element.groups:
                    self._scopes += 1
                    plain = isinstance(element, patterns.Branch) and len(element.groups) == 1
                    inner = plain and getattr(element, "keyword", "") == "UNION"
                    self._group(each, scope if inner else (*scope, self._scopes), within)

    def _subquery(self, select: patterns.Select, scope: Scope, within: str) -> None:
        """Variables that a subquery does not select are not those of the same name outside."""
        self._scopes += 1
        first = len(self._edges)
        self._group(select.group, scope, f"{within}_{self._scopes}")
        selected = {
            self._node(token, f"{within}_{self._scopes}"): self._node(token, within)
            for token in select.projection
            if token.kind == "variable"
        }
        self._edges[first:] = [
            each._replace(
                start=selected.get(each.start, each.start), end=selected.get(each.end, each.end)
            )
            for each in self._edges[first:]
        ]

    @staticmethod
    def _node(token: Token, within: str) -> str:
        return f"?{token.text[1:]}{within}" if token.kind == "variable" else token.text

    def _path(self, found: tuple[Token, ...]) -> paths.Path | None:
        if found[0].kind == "variable":
            return None
        path, rest = self._alternative(list(found))
        if rest:
            raise UnboundedError
        return path

    def _alternative(self, found: list[Token]) -> tuple[paths.Path, list[Token]]:
        member, rest = self._sequence(found)
        members = [member]
        while rest and rest[0].text == "|":
            member, rest = self._sequence(rest[1:])
            members.append(member)
        return (paths.Alternative(tuple(members)) if len(members) > 1 else member), rest

    def _sequence(self, found: list[Token]) -> tuple[paths.Path, list[Token]]:
        member, rest = self._element(found)
        members = [member]
        while rest and rest[0].text == "/":
            member, rest = self._element(rest[1:])
            members.append(member)
        return (paths.Sequence(tuple(members)) if len(members) > 1 else member), rest

    def _element(self, found: list[Token]) -> tuple[paths.Path, list[Token]]:
        if not found:
            raise UnboundedError
        token, rest = found[0], found[1:]
        if token.text == "^":
            inner, rest = self._element(rest)
            return inner.inverse(), rest
        if token.text == "(":
            path, rest = self._alternative(rest)
            rest = rest[1:]
        else:
            path = paths.Step(self._iri(token))
        if rest and rest[0].kind == "punctuation" and rest[0].text in "*+?":
            path, rest = paths.Repeated(path, rest[0].text), rest[1:]
        return path, rest

    def _iri(self, token: Token) -> str:
        if token.kind == "iri":
            return token.text
        if token.text == "a":
            return TYPE
        prefix, colon, local = token.text.partition(":")
        if not colon or prefix not in self._prefixes:
            raise UnboundedError
        return f"<{self._prefixes[prefix]}{local}>"
