"""Caps on the requests worked on at once: the next one is told at once that we are busy.

Requests that wait for others (query workers, the writer, their own slow readers) have a cap of
their own, so that however many of them there are, pages have room.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from clustergraph.process import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


_BUSY = b'{"type": "about:blank", "title": "Too busy", "status": 503}'
_WAITING = 64  # requests that may wait for a place
_MOMENT = 0.4  # seconds that they wait
_ALWAYS = frozenset({"/health", "/ready"})


class InFlight:
    """WSGI middleware; a request counts until its answer is sent or given up."""

    def __init__(
        self, app: WSGIApplication, limits: Mapping[str, int], group: Callable[[str], str]
    ) -> None:
        """Nothing is worked on yet.

        Args:
            app: what answers.
            limits: how many requests of each group at once.
            group: the group of a path.
        """
        self._app = app
        self._group = group
        self._places = {name: threading.BoundedSemaphore(size) for name, size in limits.items()}
        self._waiting = threading.BoundedSemaphore(_WAITING)
        self._turns = turns.Turns()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or say 503 with Retry-After."""
        path = environ.get("PATH_INFO", "")
        if path in _ALWAYS:
            return self._app(environ, start_response)
        group = self._group(path)
        places = self._places[group]
        if not self._has_place(places):
            return refused(start_response)
        turn = turns.Turn(self._turns, group)
        turns.take(turn)
        patient = environ["REQUEST_METHOD"] not in {"GET", "HEAD"}  # a body may come slowly
        if not (patient or turn.begin()):
            places.release()
            return refused(start_response)
        try:
            chunks = self._app(environ, start_response)
        except BaseException:
            places.release()
            raise
        finally:
            turn.end()
        if isinstance(chunks, list):  # nothing more is done for it
            places.release()
            return chunks
        return _Counted(chunks, places)

    def _has_place(self, places: threading.BoundedSemaphore) -> bool:
        """Take a place; a few requests wait a moment for one, so that a gust is no refusal."""
        if places.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return places.acquire(timeout=_MOMENT)
        finally:
            self._waiting.release()


def refused(start_response: StartResponse) -> Iterable[bytes]:
    """Say 503, and when to come back."""
    start_response(
        "503 Service Unavailable",
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(_BUSY))),
            ("Retry-After", "2"),
            ("Access-Control-Allow-Origin", "*"),
        ],
    )
    return [_BUSY]


class _Counted:
    """An answer's chunks; gives its place back when it is closed, or collected unclosed."""

    def __init__(self, chunks: Iterable[bytes], places: threading.BoundedSemaphore) -> None:
        self._chunks = chunks
        self._iterator = iter(chunks)
        self._places: threading.BoundedSemaphore | None = places

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._iterator)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the answer and give the place back; doing it again does nothing."""
        places, self._places = self._places, None
        if places is None:
            return
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            places.release()

    def __del__(self) -> None:
        self.close()
