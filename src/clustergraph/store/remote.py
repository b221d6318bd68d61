"""A SPARQL 1.1 endpoint reached over HTTP: SPARQLWrapper, with connections of our own beneath it.

SPARQLWrapper puts requests together; it opens a connection for each and has no streams. So only its
way to the network is replaced.
"""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from SPARQLWrapper import INSERT, POST, SELECT, SPARQLWrapper

from clustergraph import errors, rdf, sparql
from clustergraph.store import convert
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, rows
from clustergraph.store.connection import Access, Connections, Reply
from clustergraph.store.refusals import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query
    from clustergraph.store.convert import Wire

_CHUNK = 64 * 1024


class Request(SPARQLWrapper):
    """A request that SPARQLWrapper puts together and ``Connections`` carries."""

    def __init__(self, connections: Connections, address: str, seconds: float | None) -> None:
        super().__init__(address, address)
        self._connections = connections
        self._seconds = seconds
        self.agent = "clustergraph"
        self.setMethod(POST)
        self.setOnlyConneg(True)  # else it names a format of its own in the parameters

    def set_text(self, text: str, *, update: bool) -> None:
        """Set the text; which kind it is, is known, so that it is not searched."""
        self.queryString = text
        self.queryType = INSERT if update else SELECT

    def sent(self) -> Reply:
        """Send it; gives the answer as soon as it begins."""
        safe = not self.isSparqlUpdateRequest()
        return self._connections.send(self._createRequest(), safe=safe, seconds=self._seconds)


class RemoteStore:
    """An engine; safe to use from many threads."""

    def __init__(
        self,
        access: Access | str,
        *,
        wire: Wire | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            access: how it is reached; an address alone is enough.
            wire: how its answers become ours; None: they are passed on as they come.
        """
        self.access = Access(query=access) if isinstance(access, str) else access
        self.connections = Connections(self.access)
        self._wire = wire

    @property
    def endpoint(self) -> str:
        """Its address, as messages name it."""
        return self.access.shown()

    # -- queries -------------------------------------------------------------------------------

    def answer(
        self,
        query: Query,
        fmt: Format,
        dataset: DatasetClause = STORED_DATASET,
        *,
        seconds: float | None = None,
        parameters: Mapping[str, str] | None = None,
        blanks: str = "",
    ) -> Answer:
        """See ``Backend.answer``; closing the answer ends the request.

        Args:
            query: what is asked.
            fmt: how the answer is written.
            dataset: what the protocol's parameters say.
            seconds: how long the engine may take altogether, without the time of a slow reader.
            parameters: further ones that this engine knows.
            blanks: what begins the IRIs that stand for blank nodes; "" if there are none.

        Raises:
            LimitError: it took too long, or the engine is busy.
        """
        wire = self._wire
        boolean = query.form is sparql.Form.ASK
        asked = fmt if wire is None else wire.source(fmt, exact=not (boolean or blanks))
        request = Request(self.connections, self.access.query, seconds)
        request.set_text(query.text, update=False)
        request.addCustomHttpHeader("Accept", asked.media_type)
        for name, value in (parameters or {}).items():
            request.addParameter(name, value)
        for name, graphs in (
            ("default-graph-uri", dataset.default_graphs),
            ("named-graph-uri", dataset.named_graphs),
        ):
            for graph in graphs:
                request.addParameter(name, graph)
        began = time.monotonic()
        reply = request.sent()
        _check_whole(reply)
        try:
            convert.check(reply.media_type, asked, self.endpoint)
        except errors.StoreError:
            reply.close()
            raise
        left = None if seconds is None else seconds - (time.monotonic() - began)
        chunks = _chunks(reply, left)
        if wire is None or (wire.is_exact(fmt) and not (boolean or blanks)):
            return chunks
        return convert.converted(chunks, asked, fmt, wire, boolean=boolean, blanks=blanks)

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(b"".join(self.answer(query, rdf.JSON)))

    # -- changes -------------------------------------------------------------------------------

    def update(self, text: str, *, seconds: float | None = None) -> None:
        """Run an update; it is never sent twice, unless it is known not to have arrived.

        Raises:
            QueryError: the engine does not take the text.
            StoreError: it could not be done, or nobody knows whether it was.
        """
        address = self.access.update or self.access.query
        request = Request(self.connections, address, seconds)
        request.set_text(text, update=True)
        request.addCustomHttpHeader("Accept", "*/*")
        reply = request.sent()
        reply.content()

    def put(
        self,
        graph: str,
        content: Body,
        fmt: rdf.RdfFormat = rdf.N_TRIPLES,
        *,
        replace: bool = True,
        seconds: float | None = None,
    ) -> None:
        """Write a graph, or add to it (graph store protocol).

        Args:
            graph: its name; "" for a whole dataset, where the format names graphs.
            content: its text; or what gives its pieces, called again where they are sent again.
            fmt: of the text.
            replace: whether what stood in the graph goes.
            seconds: how long the engine may be silent, where not as long as usual.

        Raises:
            StoreError: it could not be done.
        """
        method = "PUT" if replace else "POST"
        body = None if isinstance(content, bytes) else content
        data = content if isinstance(content, bytes) else None
        headers = {"Content-Type": fmt.media_type}
        self._graph_store(
            method, graph, data=data, body=body, headers=headers, seconds=seconds
        ).content()

    def get(self, graph: str, fmt: rdf.RdfFormat = rdf.N_TRIPLES) -> Answer:
        """A graph (graph store protocol), chunk by chunk.

        Raises:
            StoreError: it cannot be read.
        """
        return _chunks(self._graph_store("GET", graph, headers={"Accept": fmt.media_type}), None)

    def delete(self, graph: str) -> None:
        """Remove a graph (graph store protocol).

        Raises:
            StoreError: it could not be done.
        """
        self._graph_store("DELETE", graph).content()

    def _graph_store(
        self,
        method: str,
        graph: str,
        *,
        data: bytes | None = None,
        body: Callable[[], Iterable[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        if not self.access.graphs:
            raise errors.EngineError(f"{self.endpoint} has no graph store that we know of.")
        join = "&" if "?" in self.access.graphs else "?"
        address = self.access.graphs + (f"{join}graph={quote(graph, safe='')}" if graph else "")
        request = urllib.request.Request(  # noqa: S310  the address is the project's setting
            address, data=data, headers=dict(headers or {}), method=method
        )
        return self.connections.send(request, safe=method == "GET", body=body, seconds=seconds)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self.connections.close()


Body = Any  # bytes, or a Callable[[], Iterable[bytes]]


def _check_whole(reply: Reply) -> None:
    """Refuse an answer that the engine cut short.

    Raises:
        TimeLimitError: its time was over.
    """
    state = reply.header("X-SQL-State")
    if reply.status == 206 or state in PARTIAL:
        reply.close()
        raise errors.TimeLimitError(
            "The engine gave only a part of the answer: its time was over.",
            hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
        )


def _chunks(reply: Reply, seconds: float | None) -> Answer:
    """The chunks of an answer; the first is awaited here, so that an early end is told."""

    def rest(first: bytes, left: float | None) -> Answer:
        try:
            chunk = first
            while chunk:
                yield chunk
                began = time.monotonic()
                if left is not None and left <= 0:
                    raise errors.TimeLimitError(
                        f"The query took longer than {seconds:g} seconds.",
                        hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
                    )
                chunk = reply.read(_CHUNK, left)
                if left is not None:
                    left -= time.monotonic() - began
        finally:
            reply.close()

    began = time.monotonic()
    head = reply.read(_CHUNK, seconds)
    left = None if seconds is None else seconds - (time.monotonic() - began)
    return rest(head, left)
