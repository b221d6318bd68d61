"""Filters that ask whether a pattern exists, as joins.

The engine evaluates the pattern of ``FILTER NOT EXISTS`` anew for each solution, with its joins in
an order that knows nothing of the solution. Where that is the same, the pattern is evaluated once:
as MINUS, or as a join for ``FILTER EXISTS``, with what must hold of the solutions beside it where
that brings no further variables (they would only multiply what is looked at).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.grammar import Node
    from clustergraph.rewriting.reading import Reading

RULES = frozenset(
    {
        "Bind", "Filter", "GraphGraphPattern", "GroupGraphPattern", "GroupOrUnionGraphPattern",
        "InlineData", "LateralGraphPattern", "MinusGraphPattern", "ObjectPath",
        "OptionalGraphPattern", "ServiceGraphPattern", "SubSelect", "TriplesSameSubjectPath",
    }
)  # fmt: skip
_WALKED = frozenset(
    {"GroupOrUnionGraphPattern", "MinusGraphPattern", "OptionalGraphPattern", "SubSelect"}
)
"""Patterns that are evaluated on their own (SPARQL 1.1 Query section 18.2.2), so that the groups in
them may be rewritten as if they stood alone; under GRAPH, a projection would lose the graph."""
_EXISTS = re.compile(r"\bEXISTS\b", re.IGNORECASE)


def might(text: str) -> bool:
    """Whether a query can have such a filter."""
    return _EXISTS.search(text) is not None


def faster(reading: Reading) -> str:
    """A query with the same answer, often the same text.

    Sound because (SPARQL 1.1 Query sections 8.3 and 18.6) a pattern of triples and of filters over
    its own variables, which shares some variables with the group that it stands in, all of them
    bound by triple patterns on both sides, has a solution that is compatible with one of the group
    exactly if it still has one once that is put in for the variables.

    Args:
        reading: of a query that the gate let through, by ``RULES``.
    """
    reader = _Reader(reading)
    edits = sorted(edit for group in _groups(reading.tree) for edit in reader.edits(group))
    pieces, end = [], 0
    for start, stop, new in edits:
        pieces += [reading.text[end:start], new]
        end = stop
    return "".join([*pieces, reading.text[end:]])


def _groups(tree: Node) -> Iterator[Node]:
    """The groups whose filters may be rewritten; OPTIONAL's own see what stands outside."""
    waiting = [(tree, True)]
    while waiting:
        node, alone = waiting.pop()
        if node.rule == "GroupGraphPattern" and alone:
            yield node
        for part in node.parts:
            if part.rule == "GroupGraphPattern":
                waiting.append((part, node.rule != "OptionalGraphPattern"))
            elif part.rule in _WALKED:
                waiting.append((part, True))


class _Reader:
    def __init__(self, reading: Reading) -> None:
        self._kinds, self._tokens = reading.kinds, reading.tokens
        self._variables, self._span = reading.variables, reading.span
        self._slice = reading.slice

    def edits(self, group: Node) -> Iterator[tuple[int, int, str]]:
        """What is replaced in a group: where, and by what."""
        triples = [each for each in group.parts if each.rule == "TriplesSameSubjectPath"]
        bound = {name for each in triples for name in self._variables(each.start, each.end)}
        last = self._tokens[group.end - 1].start
        for each in group.parts:
            inner = self._exists(each) if each.rule == "Filter" else None
            if inner is None:
                continue
            outside = {
                *self._variables(group.start, each.start), *self._variables(each.end, group.end)
            }  # fmt: skip
            shared = self._shared(inner, outside, bound)
            if shared:
                beside = [
                    self._slice(part.start, part.end)
                    for part in triples
                    if "blank" not in self._kinds[part.start : part.end]
                    and set() < set(self._variables(part.start, part.end)) <= shared
                ]
                pattern = " . ".join([*beside, self._slice(inner.start + 1, inner.end - 1)])
                start, stop = self._span(each.start, each.end)
                yield start, stop, "FILTER(true)"
                word = "MINUS" if "NOT" in self._kinds[each.start : inner.start] else ""
                names = " ".join(sorted(shared))
                yield last, last, f" {word} {{ SELECT DISTINCT {names} {{ {pattern} }} }} "

    def _exists(self, node: Node) -> Node | None:
        """The group of a filter that is EXISTS or NOT EXISTS and nothing else."""
        inner = next((each for each in node.parts if each.rule == "GroupGraphPattern"), None)
        if inner is None:
            return None
        before = [each for each in self._kinds[node.start + 1 : inner.start] if each != "("]
        after = [each for each in self._kinds[inner.end : node.end] if each != ")"]
        return inner if before in (["EXISTS"], ["NOT", "EXISTS"]) and not after else None

    def _shared(self, inner: Node, outside: set[str], bound: set[str]) -> set[str]:
        """The variables by which a pattern hangs on its surroundings; none if it must stay."""
        triples = [each for each in inner.parts if each.rule == "TriplesSameSubjectPath"]
        filters = [each for each in inner.parts if each.rule == "Filter"]
        own = {name for each in triples for name in self._variables(each.start, each.end)}
        tested = {name for each in filters for name in self._variables(each.start, each.end)}
        shared = own & outside
        is_plain = (
            len(triples) + len(filters) == len(inner.parts)
            and not any(part.parts for part in filters)
            and tested <= own
            and shared <= bound
            and not any(self._is_zero_length(each) for each in triples)
        )
        return shared if is_plain and self._is_join(triples) else set()

    def _is_zero_length(self, triples: Node) -> bool:
        """Whether a path may have no step: it then holds of terms that the graph has not."""
        return not {"*", "?"}.isdisjoint(self._kinds[triples.start : triples.end])

    def _is_join(self, triples: Sequence[Node]) -> bool:
        """Whether there are several triple patterns: one is looked up at once, as it stands."""
        objects = 0
        for each in triples:
            waiting = [each]
            while waiting:
                node = waiting.pop()
                objects += node.rule == "ObjectPath"
                waiting += node.parts
        return objects > 1
