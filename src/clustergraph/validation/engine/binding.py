"""Whether a query binds a variable by itself, so that it may run once with the variable unbound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.validation.engine import patterns

if TYPE_CHECKING:
    from clustergraph.sparql import Token
    from clustergraph.validation.engine.patterns import Bind, Branch, Filter, Group, Select


class _UnsafeError(Exception):
    """With the variable unbound, the query could give other solutions."""


def binds_itself(query: Select, name: str) -> bool:
    """Whether unbound and pre-bound evaluation agree on the solutions in which it is bound.

    They do if every solution of the query binds the variable by a triple pattern, and wherever an
    expression, an optional part or a grouping looks at it, it is bound by then.
    """
    try:
        return _Reading(name).query(query)
    except _UnsafeError:
        return False


class _Reading:
    def __init__(self, name: str) -> None:
        self._name = name

    def query(self, query: Select) -> bool:
        """Whether each solution binds the variable."""
        if patterns.has_word(query.modifiers, frozenset({"LIMIT", "OFFSET", "VALUES"})):
            raise _UnsafeError
        counts = patterns.has_word(query.projection, patterns.AGGREGATES) or patterns.has_word(
            query.modifiers, frozenset({"GROUP", "HAVING"})
        )
        if counts and not self._groups_by(query.modifiers):
            raise _UnsafeError
        if not self._group(query.group):
            raise _UnsafeError
        return True

    def _groups_by(self, modifiers: tuple[Token, ...]) -> bool:
        """Whether the variable is among the plain ones of GROUP BY."""
        found = [token.text.upper() for token in modifiers]
        if "GROUP" not in found:
            return False
        for token in modifiers[found.index("GROUP") + 2 :]:
            if token.kind != "variable":
                break
            if token.text[1:] == self._name:
                return True
        return False

    def _group(self, group: Group, *, outer: bool = False) -> bool:
        """Whether the group binds the variable; ``outer``: its filters see it bound already."""
        bound = False
        filters: list[Filter] = []
        for element in group.elements:
            if isinstance(element, patterns.Pattern):
                bound = bound or self._binds(element)
            elif isinstance(element, patterns.Filter):
                filters.append(element)
            elif isinstance(element, patterns.Bind):
                self._expression(element, bound=bound)
            elif isinstance(element, patterns.Select):
                bound = self.query(element) or bound
            else:
                bound = self._branch(element, bound=bound) or bound
        for each in filters:
            self._expression(each, bound=bound or outer)
        return bound

    def _binds(self, pattern: patterns.Pattern) -> bool:
        """A path that may be empty also matches what is not in the graph: it binds nothing."""
        return not pattern.may_be_empty and patterns.mentions(
            (pattern.subject, *pattern.path, pattern.value), self._name
        )

    def _branch(self, branch: Branch, *, bound: bool) -> bool:
        if branch.keyword == "UNION":
            every = [self._group(group) for group in branch.groups]  # each must be safe
            return all(every)
        if branch.keyword != "OPTIONAL":
            raise _UnsafeError
        (group,) = branch.groups
        if self._mentions(group) and not bound:
            raise _UnsafeError
        self._group(group, outer=bound)
        return False

    def _expression(self, part: Filter | Bind, *, bound: bool) -> None:
        inner = any(self._mentions(group) for group in part.groups)
        if (inner or patterns.mentions(part.tokens, self._name)) and not bound:
            raise _UnsafeError
        for group in part.groups:
            self._group(group, outer=bound)

    def _mentions(self, group: Group) -> bool:
        for element in group.walk():
            if isinstance(element, patterns.Pattern):
                found = (element.subject, *element.path, element.value)
            elif isinstance(element, patterns.Select):
                found = (*element.projection, *element.modifiers)
            elif isinstance(element, patterns.Branch):
                continue
            else:
                found = element.tokens
            if patterns.mentions(found, self._name):
                return True
        return False
