"""Content encoding (RFC 9110 section 12.5.3): answers compressed as the client accepts."""

from __future__ import annotations

import functools
import gzip
import re
import zlib
from typing import TYPE_CHECKING, Protocol

import zstandard

from clustergraph.web.begun import begun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]

_TYPES = re.compile(
    r"^(text/|image/svg|application/(.*\+)?"
    r"(json|xml|javascript|trig|n-triples|n-quads|rdf-patch|link-format))"
)
_SMALLEST = 1024
_GZIP, _ZSTD = 5, 3
"""How hard is tried."""
_ETAG = re.compile(r'^(W/)?"(.*)"$')
_SUFFIX = re.compile(r'-(gzip|zstd)"')
_CODING = re.compile(r"^\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?$")


class _Machine(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


@functools.lru_cache(maxsize=1024)
def coding(header: str | None) -> str:
    """The coding to use for an Accept-Encoding header: zstd, gzip or "" for none."""
    weights: dict[str, float] = {}
    for element in (header or "").split(","):
        match = _CODING.match(element)
        if match:
            try:
                weights[match[1].lower()] = float(match[2] or 1)
            except ValueError:
                continue
    weights["gzip"] = max(weights.get("gzip", 0.0), weights.get("x-gzip", 0.0)) or (
        weights.get("*", 0.0) if "gzip" not in weights else 0.0
    )
    best = max(("zstd", "gzip"), key=lambda name: weights.get(name, 0.0))
    return best if weights.get(best, 0.0) > 0 else ""


class Compressed:
    """WSGI middleware."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, compressed where that helps and the client accepts it.

        Each encoding of a representation has an ETag of its own, since its bytes differ (8.8.3).
        """
        chosen = coding(environ.get("HTTP_ACCEPT_ENCODING"))
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"):
            if name in environ:
                environ[name] = _SUFFIX.sub('"', environ[name])
        status, headers, chunks = begun(self._app, environ)
        suits = _suits(status, headers)
        if suits:
            _vary(headers)
        if not suits or not chosen or environ["REQUEST_METHOD"] == "HEAD":
            if suits and chosen:
                _encoded(headers, chosen)
            start_response(status, headers)
            return chunks
        if status.startswith("304"):
            _encoded(headers, chosen)
            start_response(status, headers)
            return chunks
        _encoded(headers, chosen)
        if isinstance(chunks, list):
            body = _at_once(b"".join(chunks), chosen)
            start_response(status, [*headers, ("Content-Length", str(len(body)))])
            return [body]
        start_response(status, headers)
        return _Chunks(chunks, chosen)


def _suits(status: str, headers: Headers) -> bool:
    """Whether an answer is worth compressing."""
    found = {name.lower(): value for name, value in headers}
    if "content-encoding" in found or status.startswith(("204", "206", "3")):
        return status.startswith("304") and "content-encoding" not in found
    size = found.get("content-length", "")
    if size.isdigit() and int(size) < _SMALLEST:
        return False
    return bool(_TYPES.match(found.get("content-type", "")))


def _vary(headers: Headers) -> None:
    for position, (name, value) in enumerate(headers):
        if name.lower() == "vary":
            if "accept-encoding" not in value.lower():
                headers[position] = (name, f"{value}, Accept-Encoding")
            return
    headers.append(("Vary", "Accept-Encoding"))


def _encoded(headers: Headers, chosen: str) -> None:
    """The headers of the encoded representation."""
    kept: Headers = []
    for name, value in headers:
        match = _ETAG.match(value) if name.lower() == "etag" else None
        if name.lower() in {"content-length", "repr-digest"}:  # of the bytes without it
            continue
        kept.append((name, f'{match[1] or ""}"{match[2]}-{chosen}"' if match else value))
    headers[:] = [*kept, ("Content-Encoding", chosen)]


def _at_once(body: bytes, chosen: str) -> bytes:
    """A whole body, compressed."""
    if chosen == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD).compress(body)
    return gzip.compress(body, _GZIP, mtime=0)


class _Chunks:
    """Chunks, compressed one by one, so that a reader gets the first as soon as it is there."""

    def __init__(self, chunks: Iterable[bytes], chosen: str) -> None:
        self._chunks = chunks
        self._work = self._compressed(chosen)

    def _compressed(self, chosen: str) -> Iterator[bytes]:
        if chosen == "zstd":
            machine: _Machine = zstandard.ZstdCompressor(level=_ZSTD).compressobj()
            partly = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        else:
            machine, partly = zlib.compressobj(_GZIP, zlib.DEFLATED, 31), zlib.Z_SYNC_FLUSH
        for chunk in self._chunks:
            if chunk:
                data = machine.compress(chunk) + machine.flush(partly)
                if data:
                    yield data
        yield machine.flush()

    def __iter__(self) -> Iterator[bytes]:
        return self._work

    def close(self) -> None:
        """End the answer below."""
        self._work.close()  # type: ignore[attr-defined]  # a generator
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
