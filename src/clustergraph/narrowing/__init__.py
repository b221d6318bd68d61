"""Which solutions of a query a change can matter to, found without evaluating the whole.

A query is narrowed: VALUES with what the changed statements bind are written into it. Every
solution that comes or goes with a change has a triple pattern that a changed statement matches.
From it the way leads outwards: what the pattern binds is joined with what stands beside it (over
the statements of before and after together, without whatever takes solutions away, so that none is
missed), and handed on by the variables that are known outside; if nothing is left, the change does
not matter there. Whether what comes can only add solutions or only take some away is told by how
many negations stand around the pattern. SPARQL 1.1 Query sections 8, 11 and 18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph.narrowing import structure
from clustergraph.narrowing.structure import Atom, Group, Nested, Select, Test, UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from clustergraph.narrowing.structure import Chain, Element

__all__ = ["Change", "Narrowable", "Table", "UnfitError"]

MOST = 5_000
"""Rows that are written into a query; of more, the whole is looked at."""
Pins: TypeAlias = "Mapping[int, Group]"
"""Alternatives that were chosen, by the UNION that they stand in."""


@dataclass(frozen=True)
class Change:
    """Statements that came and went, as a query sees them: also those of the default graph."""

    added: Collection[ox.Quad] = ()
    removed: Collection[ox.Quad] = ()


@dataclass(frozen=True)
class Table:
    """Values of some variables, as they are written in a query; None for any."""

    columns: tuple[str, ...]
    rows: frozenset[tuple[str | None, ...]]

    def values(self, columns: Iterable[str]) -> str:
        """VALUES of some of the columns; nothing where they say nothing."""
        at = [self.columns.index(each) for each in columns]
        rows = {tuple(row[each] for each in at) for row in self.rows}
        if not at or any(all(cell is None for cell in row) for row in rows):
            return ""
        names = " ".join(self.columns[each] for each in at)
        lines = " ".join(f"({' '.join(cell or 'UNDEF' for cell in row)})" for row in sorted(
            rows, key=lambda row: [cell or "" for cell in row]))  # fmt: skip
        return f"VALUES ({names}) {{ {lines} }} "


class Narrowable:
    """A SELECT or CONSTRUCT query that can be asked for what a change can matter to."""

    def __init__(self, text: str) -> None:
        """Take a query apart.

        Raises:
            UnfitError: it is none of those of which this can be told.
        """
        self._prologue, self._query = structure.read(text)
        if self._query.is_cut:
            raise UnfitError
        self._atoms = tuple(structure.atoms(self._query))
        self.is_grouped = any(
            isinstance(each, Select) and (each.keys is not None or each.is_cut)
            for _atom, chain in self._atoms
            for each, _group in chain
        )
        """Whether it counts or chooses among solutions, so that more data can give less."""
        self.negated = tuple(atom for atom, chain in self._atoms if _sign(chain) != 1)
        """The patterns of which a new match may take a solution away."""

    def texts(
        self, change: Change, union: ox.Store, *, gained: bool, named_only: bool = False
    ) -> list[str] | None:
        """Queries that together give every solution that a change brings; or that it takes.

        Args:
            change: what came and went.
            union: what was there before, and what there is now, together.
            gained: whether the solutions are meant that come; they are to be asked of what there
                is now. Those that go: of what was there before.
            named_only: whether the query sees no default graph, whatever is in it.

        Returns:
            None where the whole query must be evaluated.
        """
        found: dict[str, None] = {}

        def asked(text: str) -> ox.QuerySolutions:
            solutions = union.query(text, default_graph=[] if named_only else None)
            assert isinstance(solutions, ox.QuerySolutions)  # noqa: S101  it is a SELECT
            return solutions

        for atom, chain in self._atoms:
            sign = _sign(chain)
            for came, quads in ((True, change.added), (False, change.removed)):
                if quads and (sign == 0 or (came == gained) == (sign > 0)):
                    rows = frozenset(_rows(atom, quads))
                    if not rows:
                        continue
                    text = self._outwards(Table(_columns(atom), rows), chain, asked)
                    if text is None:
                        return None
                    if text:
                        found[text] = None
        return list(found)

    def for_heads(self, triples: Collection[ox.Triple]) -> list[str] | None:
        """Queries that together construct those of the triples that the whole constructs.

        Returns:
            None where the whole query must be evaluated.
        """
        made = [*_template(self._prologue, self._query)]
        quads = [ox.Quad(t.subject, t.predicate, t.object) for t in triples]
        texts = []
        for atom in made:
            rows = frozenset(_rows(atom, quads))
            if rows:
                table = Table(_columns(atom), rows)
                if len(rows) > MOST or not self._is_narrow(table, {}):
                    return None
                texts.append(self._whole(table, {}))
        return texts

    # -- from a pattern outwards ---------------------------------------------------------------

    def _outwards(
        self, table: Table, chain: Chain, asked: Callable[[str], ox.QuerySolutions]
    ) -> str | None:
        """The whole query, narrowed; empty if the change does not matter, None if it is not."""
        pins: dict[int, Group] = {}
        for at in range(len(chain) - 1, -1, -1):
            if len(table.rows) > MOST:
                return None
            element, group = chain[at]
            if isinstance(element, Nested) and element.kind in {"UNION", "GRAPH"}:
                if element.kind == "UNION":
                    pins[id(element)] = group
                continue
            if isinstance(element, Select):
                if at == 0 and element.keys is None:
                    break
                names = element.named if element.keys is None else tuple(sorted(element.keys))
                items = element.items if element.keys is None else " ".join(names)
            else:
                outside = set().union(*(_outside(chain[:at], element)))
                names = tuple(sorted(self._certain(group, pins) & outside))
                items = " ".join(names)
            pattern = self._written(group, table, pins, relaxed=True)
            if group.graph:
                pattern = f"{group.graph} {{ {pattern} }}"
            text = f"{self._prologue} SELECT DISTINCT {items or '*'} WHERE {{ {pattern} }}"
            rows = set()
            solutions = asked(text)
            known = {f"?{each.value}" for each in solutions.variables}
            names = tuple(each for each in names if each in known)
            for solution in solutions:
                rows.add(tuple(_cell(solution[name[1:]]) for name in names))
                if not names or len(rows) > MOST:
                    return None
            if not rows:
                return ""
            table, pins = Table(names, frozenset(rows)), {}
        return self._whole(table, pins) if self._is_narrow(table, pins) else None

    def _is_narrow(self, table: Table, pins: Pins) -> bool:
        return bool(table.values(self._usable(self._query.group, table, pins, self._query)))

    def _whole(self, table: Table, pins: Pins) -> str:
        query = self._query
        within = table
        if query.keys is not None:
            columns = tuple(each for each in table.columns if each in query.keys)
            at = [table.columns.index(each) for each in columns]
            within = Table(columns, frozenset(tuple(r[i] for i in at) for r in table.rows))
        pattern = self._written(query.group, within, pins, relaxed=False)
        return f"{self._prologue} {query.head} WHERE {{ {pattern} }} {query.tail}"

    # -- writing -------------------------------------------------------------------------------

    def _usable(
        self, group: Group, table: Table, pins: Pins, select: Select | None = None
    ) -> list[str]:
        """The columns that may stand in a group: each of its solutions has a value there."""
        certain = self._certain(group, pins)
        bound = {each.target for each in group.elements if isinstance(each, Test) and each.target}
        return [
            each
            for each in table.columns
            if each in certain
            and each not in bound
            and (select is None or select.keys is None or each in select.keys)
        ]

    def _written(self, group: Group, table: Table, pins: Pins, *, relaxed: bool) -> str:
        certain = self._certain(group, pins)
        parts = [table.values(self._usable(group, table, pins))]
        before: set[str] = set()
        for each in group.elements:
            parts.append(self._element(each, table, pins, (certain, before), relaxed=relaxed))
            before |= self._certain_of(each, pins)
        return " ".join(parts)

    def _element(
        self,
        each: Element,
        table: Table,
        pins: Pins,
        known: tuple[set[str], set[str]],
        *,
        relaxed: bool,
    ) -> str:
        certain, before = known
        if isinstance(each, Atom):
            return f"{each.text} ."
        if isinstance(each, Test):
            stays = each.kind == "VALUES" or (
                each.kind == "FILTER" and not each.exists and each.variables <= certain
            )
            return each.text if stays or not relaxed else ""
        if isinstance(each, Select):
            return f"{{ {self._subquery(each, table, pins, relaxed=relaxed)} }}"
        return self._nested(each, table, pins, before, relaxed=relaxed)

    def _nested(
        self, each: Nested, table: Table, pins: Pins, before: set[str], *, relaxed: bool
    ) -> str:
        if each.kind == "GRAPH":
            none = Table((), frozenset())
            return f"{each.head} {{ {self._written(each.groups[0], none, pins, relaxed=relaxed)} }}"
        if each.kind == "UNION":
            chosen = (pins[id(each)],) if id(each) in pins else each.groups
            written = (self._written(group, table, pins, relaxed=relaxed) for group in chosen)
            return " UNION ".join(f"{{ {text} }}" for text in written)
        if relaxed:
            return ""
        within = _only(table, before)  # what stands before has a value there, one of these
        return f"{each.kind} {{ {self._written(each.groups[0], within, pins, relaxed=False)} }}"

    def _subquery(self, each: Select, table: Table, pins: Pins, *, relaxed: bool) -> str:
        within = _only(table, {name for name in table.columns if each.hands_on(name)})
        pattern = self._written(each.group, within, pins, relaxed=relaxed)
        if not relaxed:
            return f"{each.head} WHERE {{ {pattern} }} {each.tail}"
        if each.keys is None:
            return f"SELECT DISTINCT {each.items} WHERE {{ {pattern} }}"
        names = " ".join(sorted(each.keys & self._certain(each.group, pins)))
        return f"SELECT DISTINCT {names or '*'} WHERE {{ {pattern} }}"

    # -- variables -----------------------------------------------------------------------------

    def _certain(self, group: Group, pins: Pins) -> set[str]:
        """The variables that have a value in each solution of a group."""
        return set().union(*(self._certain_of(each, pins) for each in group.elements))

    def _certain_of(self, each: Element, pins: Pins) -> set[str]:
        if isinstance(each, Atom):
            return set(each.variables)
        if isinstance(each, Test):
            return set(each.variables) if each.kind == "VALUES" else set()
        if isinstance(each, Select):
            inner = self._certain(each.group, pins)
            if each.keys is not None:
                inner &= each.keys
            return inner if each.projected is None else inner & each.projected
        if each.kind == "GRAPH":
            word = each.head.split(None, 1)[1].strip()
            name = {f"?{word[1:]}"} if word[0] in "?$" else set()
            return self._certain(each.groups[0], pins) | name
        if each.kind == "UNION":
            chosen = (pins[id(each)],) if id(each) in pins else each.groups
            return set.intersection(*(self._certain(group, pins) for group in chosen))
        return set()


def _sign(chain: Chain) -> int:
    """Whether a new match can only give solutions (1), only take them (-1), or either (0)."""
    sign = 1
    for element, group in chain:
        if isinstance(element, Select) and (element.keys is not None or element.is_cut):
            return 0
        if isinstance(element, Nested) and element.kind == "OPTIONAL":
            return 0
        if isinstance(element, Nested) and element.kind == "MINUS":
            sign = -sign
        if isinstance(element, Test):
            must = next(must for must, inner in element.exists if inner is group)
            if must is None:
                return 0
            sign = sign if must else -sign
    return sign


def _outside(chain: Chain, element: Element) -> Iterator[set[str]]:
    """The variables that are named beside an element, in the groups that it can see."""
    for holder, group in reversed(chain):
        for each in group.elements:
            if each is not element:
                yield _named(each)
        if isinstance(element, Test):
            yield set(element.variables)
        if isinstance(holder, Select):
            yield set(holder.named)
            return
        element = holder


def _named(each: Element) -> set[str]:
    if isinstance(each, Atom | Test):
        return set(each.variables)
    if isinstance(each, Select):
        return set(each.named)
    return set().union(*(group.variables for group in each.groups))


def _only(table: Table, names: set[str]) -> Table:
    at = [number for number, each in enumerate(table.columns) if each in names]
    rows = frozenset(tuple(row[number] for number in at) for row in table.rows)
    return Table(tuple(table.columns[number] for number in at), rows)


def _columns(atom: Atom) -> tuple[str, ...]:
    return tuple(sorted(atom.variables))


def _rows(atom: Atom, quads: Iterable[ox.Quad]) -> Iterator[tuple[str | None, ...]]:
    """What each of the statements that match an atom binds."""
    columns = _columns(atom)
    predicates = {step.predicate for step in atom.steps}
    for quad in quads:
        if atom.steps and None not in predicates and str(quad.predicate) not in predicates:
            continue
        if (atom.graph == "") != isinstance(quad.graph_name, ox.DefaultGraph):
            continue
        for step in atom.steps or (structure.Step(None),):
            if step.predicate not in {None, str(quad.predicate)}:
                continue
            ends: list[object] = [quad.subject, quad.object]
            if step.back:
                ends.reverse()
            found: dict[str, str | None] = {}
            pairs: list[tuple[str, object]] = [(atom.graph, quad.graph_name)]
            if step.from_start:
                pairs.append((atom.subject, ends[0]))
            if step.to_end:
                pairs.append((atom.object, ends[1]))
            pairs.append((atom.predicate, quad.predicate))
            if all(_fits(name, value, found) for name, value in pairs if name):
                yield tuple(found.get(each) for each in columns)


def _fits(name: str, value: object, found: dict[str, str | None]) -> bool:
    if not name.startswith("?"):
        return str(value) == name
    cell = _cell(value)
    if cell is not None and found.get(name, cell) != cell:
        return False
    found[name] = cell
    return True


def _cell(value: object) -> str | None:
    """A term as a query can name it."""
    return str(value) if isinstance(value, ox.NamedNode | ox.Literal) else None


def _template(prologue: str, query: Select) -> Iterator[Atom]:
    _prologue, made = structure.read(f"{prologue} SELECT * WHERE {query.items}")
    for each in made.group.elements:
        if isinstance(each, Atom):
            yield each
