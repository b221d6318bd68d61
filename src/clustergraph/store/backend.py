"""What every store can do, and typed readings of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import UsageError

if TYPE_CHECKING:
    from clustergraph.rdf import Format, Term
    from clustergraph.sparql import Query

Answer: TypeAlias = Iterator[bytes]
"""The chunks of an answer, in order; closing it ends the query."""

Row: TypeAlias = Mapping[str, "Term"]
"""One solution: the bound variables, without question mark."""


class Whole:
    """An answer that is there as a whole, so that nobody needs to wait for its end."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._rest = [content] if content else []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._rest:
            raise StopIteration
        return self._rest.pop()


@dataclass(frozen=True)
class DatasetClause:
    """The dataset that the protocol's parameters ask for; they win over FROM (protocol 2.1.4).

    Raises:
        UsageError: a graph is named by something that is no IRI.
    """

    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in (*self.default_graphs, *self.named_graphs):
            try:
                rdf.checked_iri(each)
            except ValueError as error:
                raise UsageError(
                    f"That is no graph: {error}.",
                    hint="default-graph-uri and named-graph-uri take whole IRIs.",
                ) from error

    def __bool__(self) -> bool:
        return bool(self.default_graphs or self.named_graphs)


STORED_DATASET = DatasetClause()
"""The dataset as it is stored, unless the query says otherwise."""


class Backend(Protocol):
    """A store that answers SPARQL 1.1 queries."""

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """Run a query and give its answer in ``fmt``, chunk by chunk.

        Errors in the query are raised before the first chunk.

        Raises:
            QueryError: the query is wrong.
            StoreError: the store cannot be read.
        """
        ...

    def select(self, query: Query) -> list[Row]:
        """The solutions of a SELECT query of our own, known to be light.

        Raises:
            QueryError: the query is wrong.
            StoreError: the store cannot be read.
        """
        ...

    def close(self) -> None:
        """Give back what the store holds open."""
        ...


def select(backend: Backend, text: str) -> list[Row]:
    """The solutions of a SELECT query of our own."""
    return backend.select(sparql.parse(text))


def rows(content: bytes) -> list[Row]:
    """The solutions of an answer in JSON."""
    solutions = ox.parse_query_results(content, rdf.JSON.engine)
    if isinstance(solutions, ox.QueryBoolean):
        raise TypeError("select() was given an ASK query")
    return read_solutions(solutions)


def read_solutions(solutions: ox.QuerySolutions) -> list[Row]:
    """Solutions as mappings of what is bound."""
    names = [variable.value for variable in solutions.variables]
    return [
        {name: term for name in names if (term := solution[name]) is not None}
        for solution in solutions
    ]


def solutions(content: bytes) -> list[Row]:
    """The solutions in an answer in JSON; none of one that is no table."""
    results = ox.parse_query_results(content, rdf.JSON.engine)
    return read_solutions(results) if isinstance(results, ox.QuerySolutions) else []


def ask(backend: Backend, text: str) -> bool:
    """The answer of an ASK query of our own."""
    content = b"".join(backend.answer(sparql.parse(text), rdf.JSON))
    answer = ox.parse_query_results(content, rdf.JSON.engine)
    if not isinstance(answer, ox.QueryBoolean):
        raise TypeError("ask() was given a query of another form")
    return bool(answer)


def construct(backend: Backend, text: str) -> Iterable[ox.Triple]:
    """The triples of a CONSTRUCT or DESCRIBE query of our own."""
    content = b"".join(backend.answer(sparql.parse(text), rdf.N_TRIPLES))
    return [quad.triple for quad in ox.parse(content, rdf.N_TRIPLES.engine)]
