"""A query worker: serves one connection from the pool, query by query, until it is closed."""

from __future__ import annotations

import json
import os
import time
from typing import IO, TYPE_CHECKING, Any, cast

from clustergraph import rdf
from clustergraph.errors import ClusterGraphError, StoreError, to_fields
from clustergraph.process import frames, sandbox
from clustergraph.sparql import Form, Query
from clustergraph.store.backend import DatasetClause
from clustergraph.store.embedded import evaluate

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import pyoxigraph as ox

    from clustergraph.rewriting import Known

_FORMATS: dict[str, rdf.Format] = {
    each.media_type: each for each in (*rdf.RDF_FORMATS, *rdf.RESULTS_FORMATS)
}
_CHUNK = 64 * 1024


class _Output:
    """What the serialiser writes into: data frames. Writing blocks while the reader is slow."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        if len(self._waiting) >= _CHUNK:
            frames.send(self._connection, frames.DATA, bytes(self._waiting))
            self._waiting.clear()
        return len(data)

    def flush(self) -> None:
        """Nothing: the serialiser flushes at its end, and what is left goes with ``end``."""

    def end(self, kind: bytes, payload: bytes) -> None:
        """Send what is waiting, and that nothing more comes, as one.

        An error is sent without it: who has got nothing yet is told of the error alone.
        """
        keep = self._waiting and kind != frames.ERROR
        last = frames.frame(frames.DATA, bytes(self._waiting)) if keep else b""
        self._connection.sendall(last + frames.frame(kind, payload))


def serve(
    connection: socket.socket,
    store: ox.Store,
    *,
    memory: int,
    known: Callable[[], Known | None] = lambda: None,
) -> None:
    """Answer queries until the pool closes the connection.

    Args:
        connection: to the pool.
        store: what is queried.
        memory: bytes of address space that queries may take.
        known: what is known of the store.
    """
    sandbox.limit_memory(memory)
    frames.send(connection, frames.READY, str(os.getpid()).encode())
    while True:
        try:
            _kind, payload = frames.receive(connection)
        except EOFError:
            return
        request = json.loads(payload)
        _answer(connection, store, request, known)


def _answer(
    connection: socket.socket,
    store: ox.Store,
    request: dict[str, Any],
    known: Callable[[], Known | None],
) -> None:
    output = _Output(connection)
    try:
        evaluate(
            store,
            Query(request["text"], Form(request["form"]), star=request["star"]),
            _FORMATS[request["format"]],
            DatasetClause(tuple(request["default"]), tuple(request["named"])),
            cast("IO[bytes]", output),
            known=known,
        )
    except ClusterGraphError as error:
        output.end(frames.ERROR, json.dumps(to_fields(error)).encode())
    except (OSError, RuntimeError, ValueError) as error:
        output.end(frames.ERROR, json.dumps(to_fields(StoreError(str(error)))).encode())
    else:
        output.end(frames.END, f"{time.process_time():.4f}".encode())
