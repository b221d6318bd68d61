"""A query taken apart: its tokens, and the parts of it that rewriting looks at."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from clustergraph import syntax
from clustergraph.errors import QueryError
from clustergraph.grammar import Mistake, Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.sparql import Token


class Reading:
    """The tokens of a query with the names that the grammar has for them, and its tree."""

    def __init__(self, text: str, found: Sequence[tuple[str, Token]], tree: Node) -> None:
        self.text = text
        self.kinds = [kind for kind, _token in found]
        self.tokens = [token for _kind, token in found]
        self.tree = tree

    def variables(self, start: int, end: int) -> Iterator[str]:
        """The variables among some tokens, as they are written with a question mark."""
        for number in range(start, end):
            if self.kinds[number] == "var":
                yield f"?{self.tokens[number].text[1:]}"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where some tokens stand in the text."""
        last = self.tokens[end - 1]
        return self.tokens[start].start, last.start + len(last.text)

    def slice(self, start: int, end: int) -> str:
        """The text of some tokens."""
        if start >= end:
            return ""
        first, last = self.span(start, end)
        return self.text[first:last]


def read(text: str, rules: frozenset[str]) -> Reading | None:
    """Take a query apart; None if it cannot be.

    Args:
        text: of the query.
        rules: of the grammar, whose parts the tree is to tell.
    """
    try:
        found = list(syntax.terminals(text))
    except QueryError:
        return None
    tree = _tree(tuple(kind for kind, _token in found), rules)
    return None if tree is None else Reading(text, found, tree)


@functools.lru_cache(maxsize=256)
def _tree(kinds: tuple[str, ...], rules: frozenset[str]) -> Node | None:
    """Texts that differ in names and values alone have one tree, which is worked out once."""
    tree = syntax.grammar().parse(kinds, rules)
    return None if isinstance(tree, Mistake) else tree
