"""What a solution of a query must satisfy, condition by condition, as pieces of its text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from clustergraph import syntax
from clustergraph.errors import QueryError, UsageError
from clustergraph.grammar import Mistake, Node
from clustergraph.sparql import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.sparql import Query, Token

_RULES = frozenset(
    {
        "Bind", "DatasetClause", "Filter", "GraphGraphPattern", "GroupGraphPattern",
        "GroupOrUnionGraphPattern", "HavingClause", "InlineData", "LateralGraphPattern",
        "LimitOffsetClauses", "MinusGraphPattern", "ObjectPath", "OptionalGraphPattern", "Prologue",
        "PropertyPath", "SelectClause", "SubSelect", "TriplesSameSubjectPath", "ValuesClause",
    }
)  # fmt: skip
LONGEST = 20_000
"""Characters of a query that can be explained: it is taken apart in the process that asks."""
_LITERALS = frozenset({"string", "number", "signed", "TRUE", "FALSE"})
_NAMES = frozenset({"iri", "name", "ns", "a"})
_UNNAMED = frozenset({"blank", "anon"})


class Kind(Enum):
    """What a condition does to the solutions."""

    TRIPLE = "triple"
    GROUP = "group"
    """Joins too: GRAPH, UNION, a group, a subquery, VALUES."""
    TEST = "test"
    """Takes solutions away: FILTER, MINUS."""
    NEUTRAL = "neutral"
    """Takes none away, and may set variables: OPTIONAL, BIND."""


@dataclass(frozen=True)
class Term:
    """A subject, predicate or object, as it is written."""

    text: str
    is_literal: bool = False
    is_variable: bool = False
    names: tuple[str, ...] = ()
    """The IRIs in it, as they are written; several in a path."""

    @property
    def is_constant(self) -> bool:
        """Whether it is one IRI."""
        return self.names == (self.text,)


@dataclass(frozen=True)
class Triple:
    """The three parts of a triple pattern."""

    subject: Term
    predicate: Term
    object: Term


@dataclass(frozen=True)
class Condition:
    """One of the things that all solutions of a group satisfy."""

    kind: Kind
    text: str
    triple: Triple | None = None
    inner: tuple[Node, ...] = ()
    """The groups in it: one, or the alternatives of a UNION."""
    around: tuple[str, str] = ("", "")
    """What stands before and after it: the GRAPH in which it holds."""
    variables: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    """The strings that a test names."""

    def __str__(self) -> str:
        dot = " ." if self.triple is not None else ""
        return f"{self.around[0]}{self.text}{dot}{self.around[1]}"


def written(conditions: Iterable[Condition]) -> str:
    """Conditions as the inside of a group."""
    return "\n".join(str(each) for each in conditions)


class Pattern:
    """A query taken apart."""

    def __init__(self, query: Query) -> None:
        """Read a query.

        Raises:
            QueryError: it does not follow the grammar of SPARQL 1.1.
            UsageError: it is too long, or has no pattern.
        """
        if len(query.text) > LONGEST:
            raise UsageError(
                f"Queries of up to {LONGEST} characters can be explained.",
                hint="Take long lists of values out of it.",
            )
        self._text = query.text
        self._found, self._root = _parsed(self._text)
        if query.form is Form.CONSTRUCT and self._group() is None:  # CONSTRUCT WHERE { ... }
            token = self._found[self._only("Prologue").end][1]
            self._text = f"{query.text[: token.start]}ASK {query.text[token.start + 9 :]}"
            self._found, self._root = _parsed(self._text)
        group = self._group()
        if group is None:
            raise UsageError("The query has no pattern that data could match.")
        self.prologue = self._part(self._only("Prologue"))
        self.dataset = " ".join(self._part(each) for each in self._all("DatasetClause"))
        self.conditions = self.within(group)
        values = self._all("ValuesClause")
        if values and values[-1].end > values[-1].start:
            self.conditions.append(Condition(Kind.GROUP, self._part(values[-1])))
        self.modifiers = [
            self._part(each)
            for each in (*self._all("HavingClause"), *self._all("LimitOffsetClauses"))
        ]
        self.subquery = ""
        """The whole as a subquery, with its modifiers; empty if it is no SELECT."""
        if query.form is Form.SELECT:
            start, end = self._all("SelectClause")[0], len(self._found)
            clauses = [(each.start, each.end) for each in self._all("DatasetClause")]
            last = clauses[-1][1] if clauses else group.start
            head = self._slice(start.start, start.end)
            self.subquery = f"{head} {self._slice(last, end)}"

    def _all(self, rule: str) -> list[Node]:
        return [each for each in self._root.parts if each.rule == rule]

    def _only(self, rule: str) -> Node:
        return self._all(rule)[0]

    def _group(self) -> Node | None:
        return next(iter(self._all("GroupGraphPattern")), None)

    def _part(self, node: Node) -> str:
        return self._slice(node.start, node.end)

    def _slice(self, start: int, end: int) -> str:
        if start >= end:
            return ""
        last = self._found[end - 1][1]
        return self._text[self._found[start][1].start : last.start + len(last.text)]

    def within(self, group: Node, around: tuple[str, str] = ("", "")) -> list[Condition]:
        """The conditions of a group."""
        found: list[Condition] = []
        for each in group.parts:
            if each.rule == "SubSelect" and len(group.parts) == 1:
                inner = next(part for part in each.parts if part.rule == "GroupGraphPattern")
                return self.within(inner, around)
            made = (
                self._triples(each)
                if each.rule == "TriplesSameSubjectPath"
                else [self._other(each)]
            )
            found += (replace(condition, around=around) for condition in made)
        return found

    def inside(self, condition: Condition) -> list[list[Condition]]:
        """The conditions of the groups in one: of its only group, or of each alternative."""
        before, after = condition.around
        if condition.text[:5].upper() == "GRAPH":
            head = condition.text[: condition.text.index("{")]
            before, after = f"{before}{head}{{ ", f" }}{after}"
        return [self.within(each, (before, after)) for each in condition.inner]

    def _other(self, node: Node) -> Condition:
        kinds = {
            "Filter": Kind.TEST, "MinusGraphPattern": Kind.TEST, "Bind": Kind.NEUTRAL,
            "OptionalGraphPattern": Kind.NEUTRAL, "LateralGraphPattern": Kind.NEUTRAL,
        }  # fmt: skip
        kind = kinds.get(node.rule, Kind.GROUP)
        inner = tuple(each for each in node.parts if each.rule == "GroupGraphPattern")
        return Condition(
            kind,
            self._part(node),
            inner=inner if kind is Kind.GROUP else (),
            variables=self._texts("var", node),
            literals=self._texts("string", node) if node.rule == "Filter" else (),
        )

    def _triples(self, node: Node) -> Iterator[Condition]:
        """One condition for each object; a whole where the subject is a list or has properties."""
        verbs = [each for each in node.parts if each.rule == "PropertyPath"]
        if not verbs or self._found[node.start][0] in {"[", "("}:
            yield self._condition(node.start, node.end, None)
            return
        subject = self._term(node.start, verbs[0].start)
        if self._found[node.start][0] == "anon":  # one node in all triples
            subject = replace(subject, text=f"?_anonymous{node.start}")
        for verb in verbs:
            objects = [each for each in verb.parts if each.rule == "ObjectPath"]
            predicate = self._term(verb.start, objects[0].start)
            for each in objects:
                triple = Triple(subject, predicate, self._term(each.start, each.end))
                yield self._condition(node.start, each.end, triple)

    def _condition(self, start: int, end: int, triple: Triple | None) -> Condition:
        if triple is None:
            return Condition(
                Kind.GROUP,
                self._slice(start, end) + " .",
                variables=self._texts("var", Node("", start, end)),
            )
        parts = (triple.subject, triple.predicate, triple.object)
        return Condition(
            Kind.TRIPLE,
            " ".join(each.text for each in parts),
            triple,
            variables=tuple(each.text for each in parts if each.is_variable),
        )

    def _texts(self, kind: str, node: Node) -> tuple[str, ...]:
        """The tokens of one kind in a part."""
        found = (token.text for each, token in self._found[node.start : node.end] if each == kind)
        return tuple(dict.fromkeys(found))

    def _term(self, start: int, end: int) -> Term:
        kinds = [kind for kind, _ in self._found[start:end]]
        single = len(kinds) == 1
        return Term(
            self._slice(start, end),
            is_literal=kinds[0] in _LITERALS,
            is_variable=single and kinds[0] in {"var", *_UNNAMED},
            names=tuple(
                dict.fromkeys(
                    token.text for kind, token in self._found[start:end] if kind in _NAMES
                )
            )
            if kinds[0] not in _LITERALS
            else (),
        )


def _parsed(text: str) -> tuple[Sequence[tuple[str, Token]], Node]:
    found, tree = syntax.parse(text, _RULES)
    if isinstance(tree, Mistake):
        raise syntax.explained(
            QueryError("The query is not valid SPARQL 1.1, and cannot be explained."), text
        )
    return found, tree
