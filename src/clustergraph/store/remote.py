"""A SPARQL 1.1 endpoint reached over HTTP, through SPARQLWrapper."""

from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING

from SPARQLWrapper import POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

from clustergraph import rdf
from clustergraph.errors import QueryError, StoreError
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, rows

if TYPE_CHECKING:
    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CHUNK = 64 * 1024


class RemoteStore:
    """An endpoint; ``timeout`` is in seconds."""

    def __init__(self, endpoint: str, *, timeout: int = 60) -> None:
        self.endpoint = endpoint
        self._timeout = timeout

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """See ``Backend.answer``."""
        request = SPARQLWrapper(self.endpoint)
        request.setTimeout(self._timeout)
        request.setMethod(POST)
        request.setQuery(query.text)
        request.setOnlyConneg(True)  # else it names a format of its own in the parameters
        request.addCustomHttpHeader("Accept", fmt.media_type)
        for name, graphs in (
            ("default-graph-uri", dataset.default_graphs),
            ("named-graph-uri", dataset.named_graphs),
        ):
            for graph in graphs:
                request.addParameter(name, graph)
        try:
            response = request.query().response
        except QueryBadFormed as error:
            raise QueryError(f"{self.endpoint} refuses the query: {error}") from error
        except (SPARQLWrapperException, urllib.error.URLError, OSError) as error:
            raise StoreError(f"{self.endpoint} does not answer: {error}") from error
        return _chunks(response)

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(b"".join(self.answer(query, rdf.JSON)))

    def close(self) -> None:
        """Nothing is held open between queries."""


def _chunks(response: object) -> Answer:
    read = response.read  # type: ignore[attr-defined]  # an http.client.HTTPResponse
    while chunk := read(_CHUNK):
        yield chunk
