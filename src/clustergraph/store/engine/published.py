"""A release on an engine, as everybody sees it: its graphs and its default graph, nothing else.

Each query is sent with the dataset that it may see. What it names itself (FROM) is taken out of its
text, so that no engine fetches it from anywhere, and sent as far as it is a graph of the release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph import dialect, rdf
from clustergraph.errors import QueryError, QueryRefusedError
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query
    from clustergraph.store.capabilities import Capabilities
    from clustergraph.store.engine.names import Names
    from clustergraph.store.remote import RemoteStore


@dataclass(frozen=True, eq=False)
class Published:
    """A backend; safe to use from many threads."""

    store: RemoteStore
    names: Names
    graphs: Collection[str]
    """The named graphs that can be seen."""
    capabilities: Capabilities
    has_blanks: bool = True
    """Whether there may be blank nodes, which stand on the engine as IRIs."""

    def answer(
        self,
        query: Query,
        fmt: Format,
        dataset: DatasetClause = STORED_DATASET,
        *,
        seconds: float | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Answer:
        """See ``Backend.answer``.

        Args:
            query: what is asked.
            fmt: how the answer is written.
            dataset: what the protocol's parameters say.
            seconds: how long the engine may take.
            parameters: further ones for the engine.

        Raises:
            QueryRefusedError: it uses what only one engine knows.
        """
        own = dialect.guarded(query)
        asked = dataset or DatasetClause(own.default_graphs, own.named_graphs)
        clause, plain = self._seen(asked), own.query
        if not self.capabilities.describe:
            plain = dialect.with_construct(plain)
        if not asked:
            clause, plain = self._narrowed(clause, plain)
        blanks = self.names.blank if self.has_blanks else ""
        if blanks:
            plain = dialect.with_blanks(plain, blanks)
        if self.capabilities.dataset == "from":
            plain = dialect.with_dataset(plain, clause.default_graphs, clause.named_graphs)
            clause = STORED_DATASET
        try:
            return self.store.answer(
                plain, fmt, clause, seconds=seconds, parameters=parameters, blanks=blanks
            )
        except QueryRefusedError:
            raise
        except QueryError as error:
            raise self.capabilities.explained(error, query) from error

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(b"".join(self.answer(query, rdf.JSON)))

    def close(self) -> None:
        """The engine is closed by whoever opened it."""

    def _narrowed(self, clause: DatasetClause, query: Query) -> tuple[DatasetClause, Query]:
        """The same without a long list of graphs, if it can do without.

        Few queries look into graphs at all, and most of those name them. Where any may be meant,
        conditions stand in the place of the list if the engine lets GRAPH see all.
        """
        named, variable = dialect.named_graphs(query)
        if not variable:
            few = tuple(each for each in sorted(named) if each in self.graphs)
            return DatasetClause(clause.default_graphs, few or (self.names.nothing,)), query
        if not self.capabilities.open_graphs:
            return clause, query
        if named and query.star >= 0:  # it would show the variables of the conditions
            return clause, query
        base = self.names.base
        others = tuple(each for each in self.graphs if not each.startswith(base))
        visible = dialect.Visible(base, self.names.reserved, others, self.names.nothing)
        return DatasetClause(clause.default_graphs), dialect.with_filters(query, visible)

    def _seen(self, dataset: DatasetClause) -> DatasetClause:
        """What of a dataset can be seen; the whole release where none is named."""
        nothing = (self.names.nothing,)
        if not dataset:
            return DatasetClause((self.names.default,), tuple(self.graphs) or nothing)
        default = tuple(each for each in dataset.default_graphs if each in self.graphs)
        named = tuple(each for each in dataset.named_graphs if each in self.graphs)
        return DatasetClause(default or nothing, named or nothing)
