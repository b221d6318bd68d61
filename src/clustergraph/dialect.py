"""Queries as any engine can be sent them: without a dataset of their own, without its dialect.

Everything works on tokens; no query is parsed. Whatever is taken out of a text leaves blanks, so
that every other word stays where its author wrote it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from clustergraph import sparql
from clustergraph.errors import QueryError, QueryRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clustergraph.sparql import Query, Token

_OPEN, _CLOSE = frozenset("{(["), frozenset("})]")
_FOREIGN = re.compile(r"<(?:bif|sql|proc|java|xpath):", re.IGNORECASE)
"""IRIs by which an engine runs something that is no SPARQL."""


@dataclass(frozen=True)
class Dialect:
    """A query without the dataset that it names, and that dataset."""

    query: Query
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


def guarded(query: Query) -> Dialect:
    """A query as it can be sent to any engine: what it names by FROM is taken out of its text.

    Blanks stand in its place, so that every other word stays where its author wrote it.

    Raises:
        QueryError: a prefix is not declared: engines know some that nobody declared, and what they
            stand for.
        QueryRefusedError: it names what an engine runs beside SPARQL.
    """
    reading = _Reading(query.text)
    for token in sparql.tokens(query.text):
        reading.see(token)
    text = query.text
    for start, end in reading.cuts:
        text = text[:start] + " " * (end - start) + text[end:]
    return Dialect(replace(query, text=text), tuple(reading.default), tuple(reading.named))


class _Reading:
    """A text, token by token: its prefixes, and the graphs that it names."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._declared: dict[str, str] = {}
        self._base = ""
        self._depth = 0
        self._clause: list[Token] = []
        self._former = [sparql.Token("", "", 0)] * 2
        self.default: list[str] = []
        self.named: list[str] = []
        self.cuts: list[tuple[int, int]] = []

    def see(self, token: Token) -> None:
        """Take note of the next token.

        Raises:
            QueryError: a prefix is not declared.
            QueryRefusedError: it names what an engine runs beside SPARQL.
        """
        if token.kind == "iri":
            self._iri(token)
        elif token.kind == "name":
            self._name(token)
        elif token.kind == "punctuation":
            self._depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if self._clause:
            self._named_graph(token)
        elif token.kind == "word" and token.text.upper() == "FROM" and not self._depth:
            self._clause = [token]
        self._former = [self._former[1], token]

    def _iri(self, token: Token) -> None:
        if _FOREIGN.match(token.text):
            raise _foreign(token, self._text)
        before, last = self._former
        if before.kind == "word" and before.text.upper() == "PREFIX":
            namespace = _resolved(self._base, token.text[1:-1])
            self._declared[last.text.removesuffix(":")] = namespace
        elif last.kind == "word" and last.text.upper() == "BASE":
            self._base = _resolved(self._base, token.text[1:-1])

    def _name(self, token: Token) -> None:
        prefix = token.text.partition(":")[0]
        if self._former[1].text.upper() != "PREFIX" and prefix not in self._declared:
            line, column = sparql.position(self._text, token.start)
            raise QueryError(
                f"The prefix {prefix}: is used and not declared.",
                line=line,
                column=column,
                hint="Declare it at the head of the query: PREFIX name: <IRI>",
            )

    def _named_graph(self, token: Token) -> None:
        self._clause.append(token)
        if len(self._clause) == 2 and token.text.upper() == "NAMED":
            return
        name = _graph_name(token, self._declared, self._base)
        if name is not None:
            (self.named if len(self._clause) == 3 else self.default).append(name)
            self.cuts.append((self._clause[0].start, token.start + len(token.text)))
        self._clause = []


def _graph_name(token: Token, declared: Mapping[str, str], base: str) -> str | None:
    if token.kind == "iri":
        return _resolved(base, token.text[1:-1])
    if token.kind == "name":
        prefix, _, local = token.text.partition(":")
        return declared.get(prefix, "") + re.sub(r"\\(.)", r"\1", local)
    return None


def _resolved(base: str, iri: str) -> str:
    return urljoin(base, iri) if base else iri


def _foreign(token: Token, text: str) -> QueryRefusedError:
    line, column = sparql.position(text, token.start)
    return QueryRefusedError(
        f"{token.text[:40]} is no name that can be used here.", line=line, column=column
    )


def with_dataset(query: Query, default_graphs: Iterable[str], named_graphs: Iterable[str]) -> Query:
    """A query that names its dataset itself; it must name none (see ``guarded``)."""
    clause = " ".join(
        [f"FROM <{each}>" for each in default_graphs]
        + [f"FROM NAMED <{each}>" for each in named_graphs]
    )
    depth, behind, form = 0, len(query.text), ""
    template = False
    for token in sparql.tokens(query.text):
        if token.kind == "word" and not depth:
            word = token.text.upper()
            form = form or (word if word in sparql.Form.__members__ else "")
            if word in {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES"}:
                behind = token.start
                break
        if token.kind == "punctuation":
            if token.text == "{" and not depth and form:
                if form != "CONSTRUCT" or template or _is_short(query.text):
                    behind = token.start
                    break
                template = True
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
    text = f"{query.text[:behind]} {clause} {query.text[behind:]}"
    return replace(query, text=text)


def _is_short(text: str) -> bool:
    """Whether a text is of the form CONSTRUCT WHERE: its first group is its pattern."""
    former = ""
    for token in sparql.tokens(text):
        if token.text == "{":
            return former == "WHERE"
        former = token.text.upper()
    return False


# -- graphs that nobody shall see, without a list of those that all may see --------------------


@dataclass(frozen=True)
class Visible:
    """Which named graphs a query may see."""

    base: str
    """What their names begin with."""
    reserved: str
    """What begins the names of those that are hidden all the same."""
    others: tuple[str, ...]
    """Those whose names begin otherwise."""
    nothing: str
    """A graph that never is."""

    def sees(self, graph: str) -> bool:
        """Whether a graph may be seen."""
        own = graph.startswith(self.base) and not graph.startswith(self.reserved)
        return own or graph in self.others

    def condition(self, name: str) -> str:
        """The same as an expression about a variable."""
        own = f'STRSTARTS(STR({name}), "{self.base}") && !STRSTARTS(STR({name}), "{self.reserved}")'
        if not self.others:
            return own
        return f"({own}) || {name} IN ({', '.join(f'<{each}>' for each in self.others)})"


def named_graphs(query: Query) -> tuple[set[str], bool]:
    """The graphs that a query's GRAPH patterns name, and whether others stand as variables."""
    found = list(sparql.tokens(query.text))
    declared = sparql.prefixes(query.text)
    names: set[str] = set()
    variable = False
    for index, token in enumerate(found[:-1]):
        if token.kind == "word" and token.text.upper() == "GRAPH":
            name = found[index + 1]
            variable = variable or name.kind == "variable"
            graph = _graph_name(name, declared, _base(found[:index]))
            if graph is not None:
                names.add(graph)
    return names, variable


def with_filters(query: Query, visible: Visible) -> Query:
    """A query whose GRAPH patterns see some graphs alone; for engines that are slow with lists."""
    text = query.text
    found = list(sparql.tokens(text))
    declared = sparql.prefixes(text)
    edits: list[tuple[int, int, str]] = []
    closing: list[str] = []
    waiting = ""
    for index, token in enumerate(found):
        if token.kind == "word" and token.text.upper() == "GRAPH" and index + 2 < len(found):
            name = found[index + 1]
            edits.append((token.start, token.start, "{ "))
            if name.kind == "variable":
                waiting = f" FILTER({visible.condition(name.text)}) }}"
            else:  # such engines see no graph that is named so, unless it is in the list
                graph = _graph_name(name, declared, _base(found[:index])) or ""
                shown = graph if visible.sees(graph) else visible.nothing
                end = name.start + len(name.text)
                edits.append((name.start, end, f" ?namedGraph{index} "))
                waiting = f" FILTER(?namedGraph{index} = <{shown}>) }}"
        elif token.text == "{" and token.kind == "punctuation":
            closing.append(waiting)
            waiting = ""
        elif token.text == "}" and token.kind == "punctuation" and closing:
            more = closing.pop()
            if more:
                edits.append((token.start + 1, token.start + 1, more))
    return replace(query, text=_edited(text, edits))


def _base(found: Iterable[Token]) -> str:
    base, former = "", ""
    for token in found:
        if token.kind == "iri" and former == "BASE":
            base = _resolved(base, token.text[1:-1])
        former = token.text.upper() if token.kind == "word" else ""
    return base


def _edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    since = 0
    for start, end, instead in sorted(edits, key=lambda each: each[0]):
        pieces += (text[since:start], instead)
        since = end
    return "".join([*pieces, text[since:]])


# -- blank nodes that an engine holds as IRIs ---------------------------------------------------


def with_blanks(query: Query, prefix: str) -> Query:
    """A query that takes IRIs which begin so for blank nodes, as far as it asks what a term is."""
    kinds: dict[str, Callable[[str], str]] = {
        "ISIRI": lambda term: f'(ISIRI({term}) && !STRSTARTS(STR({term}), "{prefix}"))',
        "ISURI": lambda term: f'(ISIRI({term}) && !STRSTARTS(STR({term}), "{prefix}"))',
        "ISBLANK": lambda term: f'(ISIRI({term}) && STRSTARTS(STR({term}), "{prefix}"))',
    }
    found = list(sparql.tokens(query.text))
    edits: list[tuple[int, int, str]] = []
    for index, token in enumerate(found[:-3]):
        change = kinds.get(token.text.upper()) if token.kind == "word" else None
        opened, term, closed = found[index + 1 : index + 4]
        if change and opened.text == "(" and term.kind == "variable" and closed.text == ")":
            edits.append((token.start, closed.start + 1, change(term.text)))
    return replace(query, text=_edited(query.text, edits)) if edits else query


# -- DESCRIBE, which every engine understands in its own way ------------------------------------

_DESCRIBED = "describedThing"


def with_construct(query: Query) -> Query:
    """A query that describes as CONSTRUCT: the statements of which things are the subject.

    One of another form stays as it is. It must name no dataset (see ``guarded``).
    """
    if query.form is not sparql.Form.DESCRIBE:
        return query
    text = query.text
    found = list(sparql.tokens(text))
    start = next(
        index
        for index, token in enumerate(found)
        if token.kind == "word" and token.text.upper() == "DESCRIBE"
    )
    terms: list[Token] = []
    for token in found[start + 1 :]:
        if token.kind not in {"iri", "name", "variable"} and token.text != "*":
            break
        terms.append(token)
    behind = terms[-1].start + len(terms[-1].text) if terms else len(text)
    rest = text[behind:]
    names = [token.text for token in terms if token.kind == "variable"]
    if any(token.text == "*" for token in terms):
        names = [f"?{name}" for name in sparql.variables(rest)]
    fixed = " ".join(token.text for token in terms if token.kind in {"iri", "name"})
    parts = [f"{{ VALUES ?{_DESCRIBED} {{ {fixed} }} }}"] if fixed else []
    parts += [f"{{ SELECT DISTINCT ({name} AS ?{_DESCRIBED}) {rest}\n}}" for name in names]
    things = " UNION ".join(parts) or "{ }"
    pattern = f"?{_DESCRIBED} ?describedProperty ?describedValue"
    head = text[: found[start].start]
    made = f"{head}CONSTRUCT {{ {pattern} }} WHERE {{ {{ {things} }} {pattern} }}"
    return replace(query, text=made, form=sparql.Form.CONSTRUCT)
