"""Caps on bodies that are still on their way: who sends a byte a second holds up nobody else.

A thread waits for each of them. They may take half of the places of requests that wait, one client
a quarter of those; so there is always room for queries in addresses, and for the bodies of others.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import IO, TYPE_CHECKING, cast

from clustergraph.web.authorisation import share
from clustergraph.web.in_flight import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Arriving:
    """WSGI middleware; a request counts until its body is there, or its answer ended without it."""

    def __init__(self, app: WSGIApplication, size: int) -> None:
        """Nothing is on its way yet.

        Args:
            app: what answers.
            size: how many bodies at once.
        """
        self._app = app
        self._size = size
        self._of_one = max(1, size // 4)
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or say 503 with Retry-After."""
        length = _length(environ)
        if not length:
            return self._app(environ, start_response)
        client = share(environ.get("REMOTE_ADDR", ""))
        with self._lock:
            full = self._held.total() >= self._size
            if full or (client and self._held[client] >= self._of_one):
                return refused(start_response)
            self._held[client] += 1
        body = _Body(environ["wsgi.input"], length, lambda: self._arrived(client))
        environ["wsgi.input"] = body
        try:
            return _Answer(self._app(environ, start_response), body)
        except BaseException:
            body.done()
            raise

    def _arrived(self, client: str) -> None:
        with self._lock:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]


def _length(environ: WSGIEnvironment) -> float:
    """How many bytes a body has; infinity where the request does not tell."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0) or (
            float("inf") if "HTTP_TRANSFER_ENCODING" in environ else 0
        )
    except ValueError:
        return 0


class _Body:
    """A body as it is read; says once that all of it is there, or that nobody reads on."""

    def __init__(self, body: IO[bytes], length: float, arrived: Callable[[], None]) -> None:
        self._body = body
        self._missing = length
        self._arrived: Callable[[], None] | None = arrived
        self._lock = threading.Lock()

    def read(self, size: int = -1) -> bytes:
        """See ``io.RawIOBase.read``."""
        return self._seen(self._body.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        """See ``io.IOBase.readline``."""
        return self._seen(self._body.readline(size), size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """See ``io.IOBase.readlines``."""
        lines = self._body.readlines(hint)
        self._seen(b"".join(lines), hint)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _seen(self, content: bytes, size: int) -> bytes:
        self._missing -= len(content)
        if self._missing <= 0 or (not content and size):
            self.done()
        return content

    def done(self) -> None:
        """Nothing more is waited for; doing it again does nothing."""
        with self._lock:
            arrived, self._arrived = self._arrived, None
        if arrived is not None:
            arrived()


class _Answer:
    """The chunks of an answer; when it ends, its request's body is no longer waited for."""

    def __init__(self, chunks: Iterable[bytes], body: _Body) -> None:
        self._chunks = chunks
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        """End the answer below."""
        self._body.done()
        close = getattr(self._chunks, "close", None)
        if close is not None:
            cast("Callable[[], None]", close)()

    def __del__(self) -> None:
        self._body.done()
