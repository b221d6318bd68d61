"""The data as a store that answers the SPARQL texts of shapes; made when first asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.validation.engine import prebinding
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import XSD, is_literal, parts
from clustergraph.validation.engine.prebinding import Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.validation.engine.graph import Graph
    from clustergraph.validation.engine.prebinding import Query

SHAPES_GRAPH = "urn:x-clustergraph:shapes-graph"
TABLE = 100
"""How many nodes are asked about at once."""
FEW = 64
"""So few nodes are asked about by name, where else the text would run over the whole graph."""

_CANONICAL = {
    XSD + "integer": re.compile("0|-?[1-9][0-9]{0,17}"),
    XSD + "boolean": re.compile("true|false"),
    XSD + "string": re.compile(".*", re.DOTALL),
    XSD + "date": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    XSD + "anyURI": re.compile(".*", re.DOTALL),
}


class Answers:
    """Asks a query for nodes of the data, whatever way is right for it."""

    def __init__(self, content: str, graph: Graph, shapes: str = "") -> None:
        self._content = content
        self._shapes = shapes
        self._graph = graph
        self._loaded: ox.Store | None = None
        self._has_blank = False
        self._originals: dict[str, str] | None = None

    @property
    def _store(self) -> ox.Store:
        if self._loaded is None:
            self._loaded = ox.Store()
            self._has_blank = "_:" in self._content
            for content, name in (
                (self._content, ox.DefaultGraph()),
                (self._shapes, ox.NamedNode(SHAPES_GRAPH)),
            ):
                self._loaded.bulk_load(
                    prebinding.skolemise(content).encode(),
                    format=ox.RdfFormat.N_TRIPLES,
                    to_graph=name,
                )
            self._content = ""  # it is in the store now
        return self._loaded

    def change(
        self, added: Iterable[tuple[str, str, str]], removed: Iterable[tuple[str, str, str]]
    ) -> None:
        """Follow a change of the data; triples of nodes."""
        store = self._store
        for triples, do in ((removed, store.remove), (added, store.add)):
            content = "".join(f"{s} {p} {o} .\n" for s, p, o in triples)
            self._has_blank = self._has_blank or "_:" in content
            for quad in ox.parse(prebinding.skolemise(content), ox.RdfFormat.N_TRIPLES):
                do(quad)
        self._originals = None

    def select(
        self, query: Query, rows: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """The distinct solutions for each row of nodes, with the number of the row."""
        seen: set[tuple[int, tuple[tuple[str, str], ...]]] = set()
        for row, solution in self._solutions(query, rows):
            key = row, tuple(sorted(solution.items()))
            if key not in seen:
                seen.add(key)
                yield row, solution

    def ask(self, query: Query, rows: Sequence[Sequence[str]]) -> set[int]:
        """The numbers of the rows for which an ASK text is true."""
        if query.way is Way.TABLE:
            return {row for row, _ in self._table(query, rows, list(range(len(rows))))}
        store = self._store
        return {
            number
            for number, row in enumerate(rows)
            if self._run(store, query, query.single(row, has_blank=self._has_blank))
        }

    def _solutions(
        self, query: Query, rows: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        numbers = list(range(len(rows)))
        if query.way is Way.FREE and len(rows) > FEW:
            # the store gives literals back in canonical form: they are asked about by name
            by_name = [number for number in numbers if is_literal(rows[number][0])]
            yield from self._free(query, {rows[number][0]: number for number in numbers})
            numbers = by_name
        if query.fits_table:
            yield from self._table(query, rows, numbers)
        else:
            for number in numbers:
                text = query.single(rows[number], has_blank=self._prepared())
                for solution in self._rows(query, text):
                    yield number, solution

    def _free(self, query: Query, focus: dict[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
        for solution in self._rows(query, query.free(has_blank=self._prepared())):
            this = solution.get("this", '"')
            if this in focus and not is_literal(this):
                yield focus[this], solution

    def _table(
        self, query: Query, rows: Sequence[Sequence[str]], numbers: Sequence[int]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        has_blank = self._prepared()
        for start in range(0, len(numbers), TABLE):
            asked = numbers[start : start + TABLE]
            text = query.table([rows[number] for number in asked], has_blank=has_blank)
            for solution in self._rows(query, text):
                row = parts(solution.pop(prebinding.ROW)).text
                yield asked[int(row)], solution

    def _prepared(self) -> bool:
        """Whether blank nodes are in the store, which is loaded for it."""
        return self._store is not None and self._has_blank

    def _rows(self, query: Query, text: str) -> Iterator[dict[str, str]]:
        solutions = self._run(self._store, query, text)
        if not isinstance(solutions, ox.QuerySolutions):
            raise ill_formed(query.shape, "has a sh:select that is no SELECT query.")
        names = [variable.value for variable in solutions.variables]
        for solution in solutions:
            yield {
                name: self._node(str(found))
                for name in names
                if (found := solution[name]) is not None
            }

    @staticmethod
    def _run(
        store: ox.Store, query: Query, text: str
    ) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        try:
            return store.query(text)
        except SyntaxError as error:
            raise ill_formed(query.shape, f"has a query that cannot be used: {error}") from error

    def _node(self, node: str) -> str:
        """A node of the data for one of the store, which writes numbers and dates its own way."""
        if not is_literal(node):
            return prebinding.unskolem(node)
        if node.endswith('"') or ">" not in node[-1]:
            return node
        if self._originals is None:
            self._originals = _originals(self._graph)
        return self._originals.get(node, node)


def _originals(graph: Graph) -> dict[str, str]:
    """The literals of a graph that a store gives back in another form, by that form."""
    odd = {
        node
        for _subject, _predicate, node in graph.triples()
        if is_literal(node) and not _is_canonical(node)
    }
    store = ox.Store()
    content = "".join(f"<urn:x:{number}> <urn:x:is> {node} .\n" for number, node in enumerate(odd))
    store.bulk_load(content.encode(), format=ox.RdfFormat.N_TRIPLES)
    texts = list(odd)
    found: dict[str, str] = {}
    for quad in store.quads_for_pattern(None, None, None):
        number = int(str(quad.subject)[7:-1])
        if str(quad.object) != texts[number]:
            found[str(quad.object)] = texts[number]
    return found


def _is_canonical(node: str) -> bool:
    text, datatype, language = parts(node)
    form = _CANONICAL.get(datatype)
    return bool(language) or (form is not None and form.fullmatch(text) is not None)
