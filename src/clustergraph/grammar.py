"""Grammars in which one token decides (LL(1)): read from EBNF, and texts parsed by them.

The parser keeps its stack in memory of its own, so that no nesting exhausts the program's; it takes
linear time, stops at the first token that cannot stand where it stands, and knows which could.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_EBNF = re.compile(r"'(?P<quoted>[^']+)'|(?P<name>\w+)|(?P<sign>[()|?*+])")
END = ""
"""The terminal after the last token."""
_CLOSE = "\0"
"""On the stack: here the innermost part ends."""

Production: TypeAlias = tuple[str, ...]
_Stack: TypeAlias = "tuple[str, _Stack] | None"


@dataclass(eq=False)
class Node:
    """A part of a text: which rule it follows, and its tokens, from ``start`` to before ``end``."""

    rule: str
    start: int
    end: int = 0
    parts: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Mistake:
    """The first token that cannot stand where it stands (by number), and what could."""

    token: int
    expected: frozenset[str]


class Grammar:
    """A grammar whose rules are told apart by the next token."""

    def __init__(self, text: str, start: str) -> None:
        """Read a grammar.

        Args:
            text: one rule a line: ``Name ::= ...``, in the notation of the W3C; terminals in
                quotes, or names that no rule has. Lines that begin with ``#`` say nothing.
            start: the rule that a whole text follows.

        Raises:
            ValueError: one token does not decide.
        """
        self._start = start
        self._rules: dict[str, list[Production]] = {}
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, right = line.partition("::=")
                self._read(name.strip(), right)
        self.terminals = frozenset(
            symbol
            for productions in self._rules.values()
            for each in productions
            for symbol in each
            if symbol not in self._rules
        )
        self._first: dict[str, set[str]] = {name: set() for name in self._rules}
        self._nullable: set[str] = set()
        self._compute_first()
        self._table = self._decisions(self._follow())

    def first(self, rule: str) -> frozenset[str]:
        """The terminals that a part of that rule can begin with."""
        return frozenset(self._first[rule])

    # -- reading -------------------------------------------------------------------------------

    def _read(self, name: str, right: str) -> None:
        symbols = [
            (match.lastgroup or "", match[match.lastgroup or 0]) for match in _EBNF.finditer(right)
        ]
        self._rules[name] = self._alternatives(name, symbols)

    def _alternatives(self, name: str, symbols: list[tuple[str, str]]) -> list[Production]:
        """The alternatives of a rule up to the end or the closing bracket; takes what it reads."""
        found: list[Production] = []
        current: list[str] = []
        while symbols:
            kind, text = symbols.pop(0)
            if (kind, text) == ("sign", ")"):
                break
            if (kind, text) == ("sign", "|"):
                found.append(tuple(current))
                current = []
            elif (kind, text) == ("sign", "("):
                group = self._new(name)
                self._rules[group] = self._alternatives(name, symbols)
                current.append(group)
            elif kind == "sign":
                current.append(self._repeated(name, current.pop(), text))
            else:
                current.append(text)
        return [*found, tuple(current)]

    def _repeated(self, name: str, symbol: str, sign: str) -> str:
        again = self._new(name)
        self._rules[again] = [(symbol,), ()] if sign == "?" else [(symbol, again), ()]
        if sign != "+":
            return again
        once = self._new(name)
        self._rules[once] = [(symbol, again)]
        return once

    def _new(self, name: str) -> str:
        made = f"{name}#{len(self._rules)}"
        self._rules[made] = []
        return made

    # -- what can come first, and next ------------------------------------------------------------

    def _first_of(self, production: Iterable[str]) -> tuple[set[str], bool]:
        """What a sequence can begin with, and whether it can be empty."""
        found: set[str] = set()
        for symbol in production:
            found |= self._first.get(symbol, {symbol})
            if symbol not in self._nullable:
                return found, False
        return found, True

    def _compute_first(self) -> None:
        changed = True
        while changed:
            changed = False
            for name, productions in self._rules.items():
                before = len(self._first[name]), len(self._nullable)
                for each in productions:
                    first, empty = self._first_of(each)
                    self._first[name] |= first
                    if empty:
                        self._nullable.add(name)
                changed |= before != (len(self._first[name]), len(self._nullable))

    def _follow(self) -> dict[str, set[str]]:
        follow: dict[str, set[str]] = {name: set() for name in self._rules}
        follow[self._start].add(END)
        changed = True
        while changed:
            changed = False
            for name, productions in self._rules.items():
                for each in productions:
                    for index, symbol in enumerate(each):
                        if symbol not in follow:
                            continue
                        first, empty = self._first_of(each[index + 1 :])
                        more = first | (follow[name] if empty else set())
                        changed |= not more <= follow[symbol]
                        follow[symbol] |= more
        return follow

    def _decisions(self, follow: Mapping[str, set[str]]) -> dict[tuple[str, str], Production]:
        table: dict[tuple[str, str], Production] = {}
        for name, productions in self._rules.items():
            for each in productions:
                first, empty = self._first_of(each)
                for terminal in first | (follow[name] if empty else set()):
                    if table.setdefault((name, terminal), each) != each:
                        raise ValueError(f"{name}: {terminal!r} does not decide")
        return table

    # -- parsing ---------------------------------------------------------------------------------

    def parse(self, terminals: Sequence[str], rules: frozenset[str]) -> Node | Mistake:
        """The parts of a text that follow certain rules, as a tree, or its first mistake.

        Args:
            terminals: of the text, in order.
            rules: those whose parts are wanted.
        """
        root = Node("", 0, len(terminals))
        open_nodes = [root]
        stack: _Stack = (self._start, None)
        before = stack
        position = 0
        while stack is not None:
            symbol, stack = stack
            terminal = terminals[position] if position < len(terminals) else END
            if symbol == _CLOSE:
                open_nodes.pop().end = position
            elif symbol not in self._rules:
                if symbol != terminal:
                    return Mistake(position, self._expected(before))
                position += 1
                before = stack
            else:
                production = self._table.get((symbol, terminal))
                if production is None:
                    return Mistake(position, self._expected(before))
                if symbol in rules:
                    node = Node(symbol, position)
                    open_nodes[-1].parts.append(node)
                    open_nodes.append(node)
                    stack = (_CLOSE, stack)
                for each in reversed(production):
                    stack = (each, stack)
        if position < len(terminals):
            return Mistake(position, self._expected(before))
        return root

    def _expected(self, stack: _Stack) -> frozenset[str]:
        """What could stand next."""
        found: set[str] = set()
        while stack is not None:
            symbol, stack = stack
            if symbol == _CLOSE:
                continue
            found |= self._first.get(symbol, {symbol})
            if symbol not in self._nullable:
                return frozenset(found)
        return frozenset(found | {END})
