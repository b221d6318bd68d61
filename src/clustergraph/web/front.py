"""The front: what stands before Flask, in order, from the socket inwards.

observed     metrics, log, how long it took
compressed   gzip, zstd
cached       whole answers of the current release
arriving     caps on bodies that are still on their way
in flight    caps on what is worked on at once
cached       answers to queries that came in bodies
Flask
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from clustergraph.web.app import create_app
from clustergraph.web.arriving import Arriving
from clustergraph.web.cached import Answers, Cached
from clustergraph.web.compressed import Compressed
from clustergraph.web.in_flight import InFlight
from clustergraph.web.observed import Metrics, Observed, kind_of

if TYPE_CHECKING:
    from typing import TextIO
    from wsgiref.types import WSGIApplication

    from clustergraph.service import ClusterGraph


_WAITING = frozenset(
    {"sparql", "stored query", "graph store", "update", "validation", "reconciliation"}
)
"""Kinds of requests whose threads wait for other processes."""


def _group(path: str) -> str:
    """Which cap a request counts for."""
    kind = kind_of(path)
    return "dump" if kind == "dump" else "query" if kind in _WAITING else "page"


def front(graph: ClusterGraph, *, log: TextIO | None) -> WSGIApplication:
    """The whole WSGI application of a graph.

    Args:
        graph: opened with ``public=True``.
        log: where a line is written for each request; None: nowhere.
    """
    settings = graph.settings
    flask = create_app(graph)
    answers = Answers(settings.cache << 20)

    def cached(app: WSGIApplication, *, posted: bool) -> WSGIApplication:
        if not settings.cache:
            return app
        by_host = bool(settings.trusted_hosts) or not settings.public_url
        return Cached(app, answers, graph.number, by_host=by_host, posted=posted)

    in_flight = InFlight(
        cached(flask, posted=True),  # behind the cap: a body may come slowly
        {
            "page": settings.in_flight,
            "query": settings.queries_in_flight,
            "dump": settings.downloads_in_flight,
        },
        _group,
    )
    arriving = Arriving(in_flight, settings.queries_in_flight // 2)
    inside = cached(arriving, posted=False)
    metrics = Metrics(
        {
            "queries": lambda: graph.release().statistics(),
            "queries_active": lambda: {"running": graph.release().running()},
            "cache": lambda: dict(answers.statistics),
            "cache_bytes": lambda: {"held": answers.held},
            "current_release": lambda: {"number": graph.release().manifest.number},
        }
    )
    flask.extensions["clustergraph.metrics"] = metrics
    app: WSGIApplication = Observed(Compressed(inside), metrics, log=log)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app = ProxyFix(app, x_for=count, x_proto=count, x_host=0)
    return app
