"""Whole answers kept by release: a release never changes, so an entry never goes stale.

A hit, and a 304, touch no store, no template and no Flask.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.web.begun import begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]

_NEVER = ("/health", "/ready", "/metrics", "/static/", "/update", "/dump/", "/catalog", "/sitemap")
_PERSONAL = ("HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_ACCEPT_DATETIME", "HTTP_COOKIE")
_KEYED = ("PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE")
_TAG = re.compile(r'"[^"]*"')
_OF_304 = frozenset(
    {"cache-control", "content-location", "date", "etag", "expires", "vary", "link",
     "access-control-allow-origin", "clustergraph-release", "clustergraph-declared-prefixes",
     "cache-status"}
)  # fmt: skip


_QUERIES = ("application/sparql-query", "application/x-www-form-urlencoded")
_LONGEST_QUERY = 1 << 16

INCOMPLETE = "clustergraph.incomplete"
"""Set in the environment of a request whose answer had to stop after it began."""


@dataclass(frozen=True)
class _Entry:
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str


class Answers:
    """Answers by release and request, bounded in bytes; the least recently used go first."""

    def __init__(self, size: int) -> None:
        self.largest = size // 16
        self.statistics: Counter[str] = Counter()
        self._size = size
        self._entries: OrderedDict[tuple[str, ...], _Entry] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...]) -> _Entry | None:
        """The answer that is kept for a request."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            self.statistics["misses" if entry is None else "hits"] += 1
        return entry

    def put(self, key: tuple[str, ...], entry: _Entry) -> None:
        """Keep an answer."""
        with self._lock:
            former = self._entries.pop(key, None)
            self._held += len(entry.body) - (len(former.body) if former else 0)
            self._entries[key] = entry
            while self._held > self._size:
                _key, oldest = self._entries.popitem(last=False)
                self._held -= len(oldest.body)

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return self._held


class Cached:
    """WSGI middleware; for what is asked by address, or for queries in bodies."""

    def __init__(
        self,
        app: WSGIApplication,
        answers: Answers,
        release: Callable[[], int | None],
        *,
        by_host: bool,
        posted: bool = False,
    ) -> None:
        """Put a cache before an application.

        Args:
            app: what answers.
            answers: those that are kept.
            release: gives the number of the current release.
            by_host: whether an answer may depend on the Host header.
            posted: whether this is for queries in bodies (which must be read to be known), not for
                what is asked by address.
        """
        self._app = app
        self._answers = answers
        self._release = release
        self._by_host = by_host
        self._posted = posted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or let the application answer and keep that."""
        key = self._key(environ)
        if key is None:
            return self._app(environ, start_response)
        entry = self._answers.get(key)
        if entry is not None:
            return _answered(entry, environ, start_response)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._app(environ, start_response)
        return self._kept(key, environ, start_response)

    def _key(self, environ: WSGIEnvironment) -> tuple[str, ...] | None:
        """What an answer depends on; None if it may not be kept."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(_NEVER) or any(name in environ for name in _PERSONAL):
            return None
        body = ""
        if self._posted:
            if environ["REQUEST_METHOD"] != "POST" or not path.endswith("/sparql"):
                return None
            found = _query_of(environ)
            if found is None:
                return None
            body = found
        elif environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return None
        number = self._release()
        if number is None:
            return None
        host = environ.get("HTTP_HOST", "") if self._by_host else ""
        return (str(number), host, body, *(environ.get(name, "") for name in _KEYED))

    def _kept(
        self, key: tuple[str, ...], environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        status, headers, chunks = begun(self._app, environ)
        kept = tuple(headers)  # of what is kept, not of what others make of it
        start_response(status, headers)
        found = {name.lower(): value for name, value in kept}
        if (
            not status.startswith("200")
            or "etag" not in found
            or "no-store" in found.get("cache-control", "")
            or int(found.get("content-length", 0)) > self._answers.largest
        ):
            return chunks

        def keep(body: bytes) -> None:
            if not environ.get(INCOMPLETE) and self._release() == int(key[0]):
                self._answers.put(key, _Entry(status, kept, body, found["etag"]))

        if "content-length" in found:  # it is there already
            body = _joined(chunks)
            keep(body)
            return [body]
        return _Kept(chunks, keep, self._answers.largest)


def _query_of(environ: WSGIEnvironment) -> str | None:
    """What tells the query in a body from others; None if it is long, or none at all.

    The body is there for the application to be read again.
    """
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    kind = environ.get("CONTENT_TYPE", "")
    if not 0 < length <= _LONGEST_QUERY or not kind.startswith(_QUERIES):
        return None
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return hashlib.sha256(f"{kind}\0".encode() + body).hexdigest()


def _answered(
    entry: _Entry, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    wanted = environ.get("HTTP_IF_NONE_MATCH", "")
    tag = entry.etag.removeprefix("W/")
    headers = [*entry.headers, ("Cache-Status", "clustergraph; hit")]
    if environ["REQUEST_METHOD"] == "POST":
        wanted = ""
    if wanted.strip() == "*" or tag in _TAG.findall(wanted):
        start_response("304 NOT MODIFIED", [each for each in headers if each[0].lower() in _OF_304])
        return []
    if not any(name.lower() == "content-length" for name, _value in headers):
        headers.append(("Content-Length", str(len(entry.body))))
    start_response(entry.status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [entry.body]


def _joined(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


class _Kept:
    """An answer on its way; kept if it came to its end and is not too large."""

    def __init__(
        self, chunks: Iterable[bytes], keep: Callable[[bytes], None], largest: int
    ) -> None:
        self._chunks = chunks
        self._work = self._passed(keep, largest)

    def _passed(self, keep: Callable[[bytes], None], largest: int) -> Iterator[bytes]:
        body: bytearray | None = bytearray()
        for chunk in self._chunks:
            if body is not None:
                body += chunk
                if len(body) > largest:
                    body = None
            yield chunk
        if body is not None:
            keep(bytes(body))

    def __iter__(self) -> Iterator[bytes]:
        return self._work

    def close(self) -> None:
        """End the answer below."""
        self._work.close()  # type: ignore[attr-defined]  # a generator
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
