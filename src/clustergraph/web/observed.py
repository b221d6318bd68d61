"""What operators see: metrics, one log line a request, and how long it took.

Neither names a thing, a query or a person: addresses are cut to the network, query strings are told
by their length and a digest.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import ipaddress
import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client.metrics_core import Metric

    Headers = list[tuple[str, str]]

_KINDS = {
    "": "home", "doc": "document", "id": "thing", "sparql": "sparql", "query": "stored query",
    "graphs": "graph store", "update": "update", "releases": "history", "feed": "feed",
    "static": "static", "timemap": "history", "health": "health", "ready": "health",
    "metrics": "metrics", "openapi.json": "description", "validate": "validation",
    "quality": "quality", "dump": "dump", "catalog": "description", ".well-known": "description",
    "sitemap.xml": "description", "sitemap": "description", "llms.txt": "description",
    "robots.txt": "description", "linkset": "description",
    "reconcile": "reconciliation", "fragments": "fragments",
}  # fmt: skip
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def kind_of(path: str) -> str:
    """The kind of a request, for metrics: few values, whatever is asked."""
    parts = path.strip("/").split("/")
    if parts[0] == "releases" and parts[-1] == "sparql":
        return "sparql"
    return _KINDS.get(parts[0], "document")


@functools.lru_cache(maxsize=4096)
def shortened(address: str) -> str:
    """A client's address without the part that tells households apart (/24, /48)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False).network_address)


class Metrics:
    """Everything that is counted."""

    def __init__(self, sources: Mapping[str, Callable[[], Mapping[str, int]]]) -> None:
        """Count nothing yet.

        Args:
            sources: counts that others keep, by name: each gives its values by label.
        """
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "clustergraph_requests", "Requests answered", ("kind", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "clustergraph_request_seconds", "Time until the last byte was handed over", ("kind",),
            registry=self.registry, buckets=_BUCKETS,
        )  # fmt: skip
        self.active = Gauge(
            "clustergraph_requests_active", "Requests being answered", registry=self.registry
        )
        self._sources = sources
        self._counted: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self.registry.register(self)

    def count(self, kind: str, status: str, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            kind: of the request.
            status: of the answer, three digits.
            seconds: that it took.
        """
        counted = self._counted.get((kind, status))
        if counted is None:
            counted = self.requests.labels(kind, status), self.seconds.labels(kind)
            self._counted[kind, status] = counted
        self.active.dec()
        counted[0].inc()
        counted[1].observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """The counts that others keep."""
        for name, source in self._sources.items():
            gauge = name.endswith(("_active", "_bytes", "_release"))
            family = (GaugeMetricFamily if gauge else CounterMetricFamily)(
                f"clustergraph_{name}", f"{name.replace('_', ' ').capitalize()}", labels=["what"]
            )
            for label, value in sorted(source().items()):
                family.add_metric([label], value)
            yield family

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)


class Observed:
    """WSGI middleware: counts, times and logs what passes."""

    def __init__(
        self, app: WSGIApplication, metrics: Metrics, *, log: TextIO | None = sys.stderr
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application answer."""
        started = time.perf_counter()
        status: list[str] = []
        told: dict[str, str] = {}

        def begin(
            line: str, headers: Headers, exc_info: object = None
        ) -> Callable[[bytes], object]:
            status[:] = [line[:3]]
            told.update((name.lower(), value) for name, value in headers)
            spent = (time.perf_counter() - started) * 1000
            headers.append(("Server-Timing", f"total;dur={spent:.1f}"))
            return start_response(line, headers)

        self._metrics.active.inc()
        try:
            chunks = self._app(environ, begin)
        except BaseException:
            self._metrics.active.dec()
            raise

        def finished(size: int) -> None:
            seconds = time.perf_counter() - started
            kind = kind_of(environ.get("PATH_INFO", ""))
            self._metrics.count(kind, status[0] if status else "500", seconds)
            if self._log is not None and kind not in {"health", "metrics"}:
                line = _line(environ, status[0] if status else "500", told, seconds, size)
                with contextlib.suppress(ValueError):  # the log was closed: the process ends
                    self._log.write(line)

        if isinstance(chunks, list):  # whole: the server sends it without asking for more
            finished(sum(map(len, chunks)))
            return chunks
        return _Watched(chunks, finished)


def _line(
    environ: WSGIEnvironment, status: str, headers: Mapping[str, str], seconds: float, size: int
) -> str:
    asked = environ.get("QUERY_STRING", "")
    fields: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "method": environ["REQUEST_METHOD"],
        "path": environ.get("PATH_INFO", "")[:500],
        "status": int(status),
        "ms": round(seconds * 1000, 1),
        "bytes": size,
        "client": shortened(environ.get("REMOTE_ADDR", "")),
        "release": headers.get("clustergraph-release", ""),
        "cache": "hit" if "hit" in headers.get("cache-status", "") else "",
    }
    if asked:
        digest = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:12]
        fields["query"] = f"{len(asked)}:{digest}"
    return json.dumps({name: value for name, value in fields.items() if value != ""}) + "\n"


class _Watched:
    """An answer's chunks, measured until its end, whichever way it ends."""

    def __init__(self, chunks: Iterable[bytes], finished: Callable[[int], None]) -> None:
        self._chunks = chunks
        self._iterator = iter(chunks)
        self._finished: Callable[[int], None] | None = finished
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._iterator)
        except BaseException:
            self._end()
            raise
        self._size += len(chunk)
        return chunk

    def _end(self) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(self._size)

    def close(self) -> None:
        """End the answer below."""
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._end()

    def __del__(self) -> None:
        self._end()
