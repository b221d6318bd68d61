"""Joins in the order that the data suggest.

The engine orders the patterns of a group by their shape, as if every predicate stood for as many
triples. Where figures are known (``Known``), the order that looks at the fewest rows is written
down with LATERAL, which the engine keeps: what stands before it is evaluated first, and each of its
solutions is put into what stands behind it. For a triple pattern that is the join (SEP-0006).

Two facts of the graph help further: where a predicate has no literal as an object, ``!=`` compares
terms; and the strings of a predicate that can pass a filter are looked up in one piece of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.rewriting import needles, orders
from clustergraph.rewriting.triples import Splitter, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.grammar import Node
    from clustergraph.rewriting.known import Known
    from clustergraph.rewriting.reading import Reading

RULES = frozenset(
    {
        "Bind", "BuiltInCall", "ConditionalAndExpression", "DataBlockValue", "DatasetClause",
        "Expression", "Filter", "GraphGraphPattern", "GroupGraphPattern",
        "GroupOrUnionGraphPattern", "InlineData", "LateralGraphPattern", "LimitClause",
        "MinusGraphPattern", "ObjectPath", "OptionalGraphPattern", "PropertyPath",
        "RelationalExpression", "SelectClause", "SelectItem", "ServiceGraphPattern", "SubSelect",
        "TriplesSameSubjectPath",
    }
)  # fmt: skip
_AFTER = frozenset({"Bind", "MinusGraphPattern", "OptionalGraphPattern"})
"""What may follow the patterns that are ordered: it takes their solutions as they come."""
_MOST = 8
"""Patterns of a group that are ordered; beyond, the engine's own order stands."""
_WRITTEN = 3.0
"""What it costs to have a term written into the query, where to look a row up costs 1."""
_WORTH = 8
"""A list of terms is written into a query if so many times as many would have to be looked at."""


def faster(reading: Reading, known: Known) -> str:
    """A query with the same answer, often the same text.

    Args:
        reading: of a query that the gate let through, by ``RULES``, for the stored dataset.
        known: what is known of its default graph.
    """
    if not known.predicates or any(each.rule == "DatasetClause" for each in _all(reading.tree)):
        return reading.text
    splitter = Splitter.of(reading, known)
    return reading.text if splitter is None else _Planner(reading, known, splitter).text()


def _all(tree: Node) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.parts


class _Planner:
    def __init__(self, reading: Reading, known: Known, splitter: Splitter) -> None:
        self._reading = reading
        self._known = known
        self._splitter = splitter
        self._edits: list[tuple[int, int, str]] = []

    def text(self) -> str:
        """The whole query."""
        for group in self._groups():
            planned = self._planned(group)
            if planned is not None:
                self._edits.append((*self._reading.span(group.start, group.end), planned))
        return self._rendered(0, len(self._reading.text))

    def _rendered(self, start: int, stop: int) -> str:
        """A piece of the text with what was changed in it, which is then done with."""
        inside = sorted(each for each in self._edits if start <= each[0] and each[1] <= stop)
        self._edits = [each for each in self._edits if each not in inside]
        pieces = []
        for first, last, new in inside:
            pieces += [self._reading.text[start:first], new]
            start = last
        return "".join([*pieces, self._reading.text[start:stop]])

    def _part(self, node: Node) -> str:
        return self._rendered(*self._reading.span(node.start, node.end))

    def _groups(self) -> Iterator[Node]:
        """Groups that nothing outside of them binds a variable for, the innermost first."""
        found: list[Node] = []
        waiting = [(self._reading.tree, False)]
        while waiting:
            node, whole = waiting.pop()
            if node.rule == "GroupGraphPattern" and whole:
                found.append(node)
            others = [each for each in node.parts if each.rule != "Filter"]
            for part in others:
                if part.rule == "GroupGraphPattern":
                    waiting.append((part, self._is_whole(node, whole)))
                elif part.rule in {"SubSelect", "MinusGraphPattern"}:
                    waiting.append((part, True))
                elif part.rule == "GroupOrUnionGraphPattern":
                    waiting.append((part, whole and len(others) == 1))
                elif part.rule == "OptionalGraphPattern":
                    waiting.append((part, False))
        return reversed(found)

    def _is_whole(self, node: Node, whole: bool) -> bool:
        """Whether the group of a part is evaluated by itself."""
        if node.rule in {"", "SubSelect"}:  # VALUES behind it would be joined with it
            group = next(each for each in node.parts if each.rule == "GroupGraphPattern")
            return "VALUES" not in self._reading.kinds[group.end : node.end]
        return node.rule == "MinusGraphPattern" or (
            node.rule == "GroupOrUnionGraphPattern" and whole
        )

    def _planned(self, group: Node) -> str | None:
        """A group with its patterns in order; None if it must stay as it is."""
        found: list[Unit] = []
        rest: list[Node] = []
        for part in group.parts:
            if part.rule == "Filter" or part.rule in _AFTER:
                rest.append(part)
                continue
            units = self._splitter.units(part)
            if units is None or any(each.rule in _AFTER for each in rest):
                return None
            found += units
        if not found or len(found) > _MOST:
            return None
        filters = [each for each in rest if each.rule == "Filter"]
        tests = tuple(
            frozenset(names)
            for each in filters
            if (names := list(self._reading.variables(each.start, each.end)))
        )
        order = self._best(found, tests, filters)
        if order is None:
            return None
        self._compare_terms(found, filters)
        first, *others = [each.text or self._part(each.node) for each in order]
        chain = " ".join([first, *(f"LATERAL {{ {each} }}" for each in others)])
        return " ".join(["{", chain, *map(self._part, rest), "}"])

    def _best(
        self, units: Sequence[Unit], tests: tuple[frozenset[str], ...], filters: Sequence[Node]
    ) -> list[Unit] | None:
        """The order that looks at the fewest rows; None if the text may stay."""
        found = orders.best(tuple(each.size for each in units), tests)
        if found is None:
            return None
        cost, order = found
        best = [units[number] for number in order]
        for each in self._looked_up(units, filters, int(cost / (_WRITTEN + 2))):
            found = orders.best((each.size, *(other.size for other in units)), tests)
            if found is not None and found[0] + each.rows * _WRITTEN < cost:
                cost = found[0] + each.rows * _WRITTEN
                best = [units[number - 1] if number else each for number in found[1]]
        return best if len(best) > 1 else None

    def _looked_up(self, units: Sequence[Unit], filters: Sequence[Node], most: int) -> list[Unit]:
        """Lists of at most so many terms, those that can pass a filter on text."""
        found = []
        for name, needle in needles.required(self._reading, filters):
            for unit in units:
                texts = self._known.texts.get(unit.predicate) if unit.object == name else None
                if texts is None:
                    continue
                terms = texts.holding(needle, min(most, int(unit.values[name][0] / _WORTH)))
                if terms is not None:
                    rows = float(len(terms))
                    written = f"VALUES {name} {{ {' '.join(terms)} }}"
                    found.append(
                        Unit(
                            unit.node,
                            written,
                            rows,
                            {name: (rows, unit.values[name][1])},
                            is_triple=False,
                        )
                    )
        return found

    def _compare_terms(self, units: Sequence[Unit], filters: Sequence[Node]) -> None:
        """Let variables of which one is no literal be compared as terms (section 17.4.1.7)."""
        resources = {unit.subject for unit in units if unit.is_triple}
        resources |= {unit.object for unit in units if unit.is_triple and not unit.may_be_literal}
        for node in (each for test in filters if not _asks(test) for each in _all(test)):
            if node.rule != "RelationalExpression" or node.end - node.start != 3:
                continue
            names = sorted(set(self._reading.variables(node.start, node.end)))
            sign = self._reading.kinds[node.start + 1]
            if sign in {"=", "!="} and len(names) == 2 and not resources.isdisjoint(names):
                written = f"{'!' if sign == '!=' else ''}sameTerm({names[0]}, {names[1]})"
                self._edits.append((*self._reading.span(node.start, node.end), written))


def _asks(test: Node) -> bool:
    """Whether a filter has a pattern in it, whose variables can be others."""
    return any(each.rule == "GroupGraphPattern" for each in _all(test))
