"""Queries taken apart into groups and triple patterns, to be written again with more in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from clustergraph import sparql, syntax
from clustergraph.errors import QueryError
from clustergraph.grammar import Mistake, Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.sparql import Token

_RULES = frozenset(
    {
        "Bind", "ConstructTemplate", "DatasetClause", "Filter", "GraphGraphPattern", "GroupClause",
        "GroupGraphPattern", "GroupOrUnionGraphPattern", "HavingClause", "InlineData",
        "LateralGraphPattern", "LimitOffsetClauses", "MinusGraphPattern", "ObjectPath",
        "OptionalGraphPattern", "Prologue", "PropertyPath", "SelectClause", "SelectItem",
        "ServiceGraphPattern", "SubSelect", "TriplesSameSubjectPath", "ValuesClause",
    }
)  # fmt: skip
_PREFIX = re.compile(r"PREFIX\s+([^\s:]*):\s*<([^>]*)>", re.IGNORECASE)
_UNFIT = frozenset({"anon", "blank", "BNODE", "NOW", "RAND", "STRUUID", "UUID", "BASE"})
"""Nodes without a name, and functions that do not give the same twice."""
_AGGREGATES = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"})
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class UnfitError(Exception):
    """A query of which it cannot be told what a change does to it."""


class Step(NamedTuple):
    """One way in which a statement can be part of a path: which of the path's ends are its own."""

    predicate: str | None
    """None for any."""
    back: bool = False
    from_start: bool = True
    to_end: bool = True


@dataclass(frozen=True)
class Atom:
    """A triple pattern or path. Terms are ``?variable``, ``<IRI>``, or empty for a literal."""

    subject: str
    steps: tuple[Step, ...]
    """Empty where the predicate is a variable."""
    predicate: str
    """The variable, or empty."""
    object: str
    graph: str
    """The GRAPH in which it stands; empty for the default graph."""
    text: str

    @cached_property
    def variables(self) -> frozenset[str]:
        """Those that it binds, whatever else it stands with."""
        terms = (self.subject, self.predicate, self.object, self.graph)
        return frozenset(each for each in terms if each.startswith("?"))


@dataclass(frozen=True)
class Test:
    """FILTER, BIND or VALUES."""

    kind: str
    text: str
    variables: frozenset[str]
    target: str = ""
    """What BIND binds."""
    exists: tuple[tuple[bool | None, Group], ...] = ()
    """The groups of EXISTS: whether one must match; None where that depends on the rest."""


@dataclass(frozen=True)
class Nested:
    """UNION (also of one: a plain group), OPTIONAL, MINUS and GRAPH."""

    kind: str
    groups: tuple[Group, ...]
    head: str = ""
    """``GRAPH`` and the graph."""


@dataclass(frozen=True)
class Select:
    """A subquery, or the whole query."""

    items: str
    """What it selects, without DISTINCT; of CONSTRUCT, the template."""
    projected: frozenset[str] | None
    """The variables that it hands on as they are; None for all."""
    named: tuple[str, ...]
    """The variables that its solutions have."""
    keys: frozenset[str] | None
    """What it groups by; None if it does not group."""
    is_cut: bool
    """Whether it has LIMIT or OFFSET."""
    head: str
    group: Group
    tail: str

    def hands_on(self, variable: str) -> bool:
        """Whether solutions with another value of a variable can be left out before."""
        if self.is_cut or (self.keys is not None and variable not in self.keys):
            return False
        return self.projected is None or variable in self.projected


Element: TypeAlias = Atom | Test | Nested | Select


@dataclass(frozen=True, eq=False)
class Group:
    """A group graph pattern: its elements in order."""

    graph: str = ""
    """``GRAPH`` and the graph in which it stands."""
    elements: list[Element] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    """All that are named in it, at any depth."""


Chain: TypeAlias = "tuple[tuple[Element, Group], ...]"
"""Where an atom stands: each group around it with what holds that group, outermost first."""


def read(text: str) -> tuple[str, Select]:
    """A query's prologue and its structure.

    Raises:
        UnfitError: it has something by which what a change does to it cannot be told.
    """
    return _Reader(sparql.unescape(text)).query()


def atoms(select: Select) -> Iterator[tuple[Atom, Chain]]:
    """All triple patterns of a query, with where they stand."""
    waiting: list[tuple[Chain, Group]] = [(((select, select.group),), select.group)]
    while waiting:
        chain, group = waiting.pop()
        for each in group.elements:
            inner: Sequence[Group] = ()
            if isinstance(each, Atom):
                yield each, chain
            elif isinstance(each, Select):
                inner = (each.group,)
            elif isinstance(each, Nested):
                inner = each.groups
            else:
                inner = [within for _must, within in each.exists]
            waiting += [((*chain, (each, within)), within) for within in inner]


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        try:
            found, tree = syntax.parse(text, _RULES)
        except QueryError as error:
            raise UnfitError from error
        if isinstance(tree, Mistake):
            raise UnfitError
        self._kinds = [kind for kind, _token in found]
        self._tokens: list[Token] = [token for _kind, token in found]
        self._tree = tree
        self._prefixes = dict(_PREFIX.findall(self._slice(self._only(tree, "Prologue"))))

    def query(self) -> tuple[str, Select]:
        if not _UNFIT.isdisjoint(self._kinds) or self._some(self._tree, "DatasetClause"):
            raise UnfitError
        return self._slice(self._only(self._tree, "Prologue")), self._select(self._tree)

    # -- the tree ------------------------------------------------------------------------------

    @staticmethod
    def _some(node: Node, rule: str) -> list[Node]:
        return [each for each in node.parts if each.rule == rule and each.end > each.start]

    def _only(self, node: Node, rule: str) -> Node:
        found = [each for each in node.parts if each.rule == rule]
        if not found:
            raise UnfitError
        return found[0]

    def _slice(self, node: Node) -> str:
        return self._between(node.start, node.end)

    def _between(self, start: int, end: int) -> str:
        if start >= end:
            return ""
        last = self._tokens[end - 1]
        return self._text[self._tokens[start].start : last.start + len(last.text)]

    def _variables(self, start: int, end: int) -> frozenset[str]:
        return frozenset(
            f"?{self._tokens[at].text[1:]}" for at in range(start, end) if self._kinds[at] == "var"
        )

    # -- parts ---------------------------------------------------------------------------------

    def _select(self, node: Node, graph: str = "") -> Select:
        pattern = self._only(node, "GroupGraphPattern")
        if self._some(node, "ValuesClause") or self._some(node, "HavingClause"):
            raise UnfitError
        group = self._group(pattern, graph)
        tail = self._between(pattern.end, node.end)
        grouped = self._some(node, "GroupClause")
        is_cut = bool(self._some(node, "LimitOffsetClauses"))
        template = self._some(node, "ConstructTemplate")
        if template:
            return Select(
                self._slice(template[0]), None, tuple(sorted(group.variables)),
                self._variables(grouped[0].start, grouped[0].end) if grouped else None,
                is_cut, "CONSTRUCT " + self._slice(template[0]), group, tail,
            )  # fmt: skip
        clause = self._only(node, "SelectClause")
        items = self._some(clause, "SelectItem")
        kinds = self._kinds[clause.start : clause.end]
        is_grouped = bool(grouped) or not _AGGREGATES.isdisjoint(kinds)
        plain = frozenset(
            name for each in items if each.end - each.start == 1
            for name in self._variables(each.start, each.end)
        )  # fmt: skip
        named = tuple(
            f"?{self._tokens[each.end - (1 if each.end - each.start == 1 else 2)].text[1:]}"
            for each in items
        )
        return Select(
            items=" ".join(map(self._slice, items)) or "*",
            projected=plain if items else None,
            named=named or tuple(sorted(group.variables)),
            keys=self._variables(grouped[0].start, grouped[0].end)
            if grouped
            else (frozenset() if is_grouped else None),
            is_cut=is_cut,
            head=self._slice(clause),
            group=group,
            tail=tail,
        )

    def _group(self, node: Node, graph: str) -> Group:
        group = Group(graph)
        group.variables.update(self._variables(node.start, node.end))
        for each in node.parts:
            if each.rule == "TriplesSameSubjectPath":
                group.elements.extend(self._triples(each, graph))
            elif each.rule == "SubSelect":
                group.elements.append(self._select(each, graph))
            else:
                group.elements.append(self._other(each, graph))
        return group

    def _other(self, node: Node, graph: str) -> Element:
        groups = [each for each in node.parts if each.rule == "GroupGraphPattern"]
        if node.rule in {"Filter", "Bind", "InlineData"}:
            return self._test(node, groups, graph)
        if node.rule == "GraphGraphPattern":
            head = self._between(node.start, groups[0].start)
            within = self._group(groups[0], head)
            if not within.elements:
                raise UnfitError  # it gives the graphs that there are
            return Nested("GRAPH", (within,), head)
        kinds = {
            "GroupOrUnionGraphPattern": "UNION", "OptionalGraphPattern": "OPTIONAL",
            "MinusGraphPattern": "MINUS",
        }  # fmt: skip
        if node.rule not in kinds:
            raise UnfitError
        return Nested(kinds[node.rule], tuple(self._group(each, graph) for each in groups))

    def _test(self, node: Node, groups: list[Node], graph: str) -> Test:
        kind = {"Filter": "FILTER", "Bind": "BIND", "InlineData": "VALUES"}[node.rule]
        if kind == "VALUES" and "UNDEF" in self._kinds[node.start : node.end]:
            raise UnfitError
        variables = self._variables(node.start, node.end)
        target = f"?{self._tokens[node.end - 2].text[1:]}" if kind == "BIND" else ""
        exists = []
        for each in groups:
            before = [k for k in self._kinds[node.start + 1 : each.start] if k != "("]
            after = [k for k in self._kinds[each.end : node.end] if k != ")"]
            must: bool | None = None
            if kind == "FILTER" and not after and before in (["EXISTS"], ["NOT", "EXISTS"]):
                must = len(before) == 1
            exists.append((must, self._group(each, graph)))
        return Test(kind, self._slice(node), variables, target, tuple(exists))

    def _triples(self, node: Node, graph: str) -> Iterator[Atom]:
        verbs = self._some(node, "PropertyPath")
        if not verbs or verbs[0].start - node.start != 1:
            raise UnfitError  # a list, or a node with properties
        subject = self._tokens[node.start].text
        for verb in verbs:
            objects = self._some(verb, "ObjectPath")
            start, end = verb.start, objects[0].start
            is_variable = self._kinds[start] == "var"
            path = self._between(start, end)
            for each in objects:
                if {"[", "("} & set(self._kinds[each.start : each.end]):
                    raise UnfitError
                yield Atom(
                    self._term(node.start, node.start + 1),
                    () if is_variable else tuple(self._steps(start, end)),
                    f"?{self._tokens[start].text[1:]}" if is_variable else "",
                    self._term(each.start, each.end),
                    self._graph(graph),
                    f"{subject} {path} {self._slice(each)}",
                )

    def _graph(self, head: str) -> str:
        if not head:
            return ""
        word = head.split(None, 1)[1].strip()
        return f"?{word[1:]}" if word[0] in "?$" else self._iri(word)

    def _term(self, start: int, end: int) -> str:
        kind, text = self._kinds[start], self._tokens[start].text
        if end - start != 1:
            return ""
        if kind == "var":
            return f"?{text[1:]}"
        return self._iri(text) if kind in {"iri", "name", "ns"} else ""

    def _iri(self, text: str) -> str:
        if text.startswith("<"):
            return text
        prefix, _, local = text.partition(":")
        if prefix not in self._prefixes:
            raise UnfitError
        return f"<{self._prefixes[prefix]}{local.replace(chr(92), '')}>"

    def _steps(self, start: int, end: int) -> Iterator[Step]:
        """The ways through a path: exact for one step, for alternatives and for a plain row."""
        kinds = self._kinds[start:end]
        names = [at for at in range(start, end) if self._kinds[at] in {"iri", "name", "ns", "a"}]
        iris = [f"<{_TYPE}>" if self._kinds[at] == "a" else self._iri(self._tokens[at].text)
                for at in names]  # fmt: skip
        back = [at > start and self._kinds[at - 1] == "^" for at in names]
        signs = set(kinds) - {"iri", "name", "ns", "a"}
        if "!" in signs:
            yield Step(None, from_start=False, to_end=False)
        elif signs <= {"|", "^"}:
            for iri, is_back in zip(iris, back, strict=True):
                yield Step(iri, is_back)
        elif signs <= {"/", "^"}:
            for at, (iri, is_back) in enumerate(zip(iris, back, strict=True)):
                yield Step(iri, is_back, at == 0, at == len(iris) - 1)
        else:
            for iri in iris:
                yield Step(iri, from_start=False, to_end=False)
