"""The home page, and the addresses for machines that run the site."""

from __future__ import annotations

import functools
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, g, render_template, request
from markupsafe import Markup

from clustergraph import pages, rdf, store
from clustergraph.errors import (
    ClusterGraphError,
    MemoryLimitError,
    NotFoundError,
    QueryError,
    TimeLimitError,
)
from clustergraph.web import authorisation, messages, respond, signposting, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.observed import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.reading import OpenRelease
    from clustergraph.releases import Manifest
    from clustergraph.service import ClusterGraph

blueprint = Blueprint("home", __name__)

_MOST_GRAPHS = 60
"""Named graphs that are listed: the largest."""
_PATIENCE = 2.0
"""Seconds that a page waits for its pictures."""
_NEWS = 5


@dataclass(frozen=True)
class _Graph:
    """A named graph in a list."""

    iri: str
    label: pages.Label
    number: int
    """Of its statements."""
    asserts: bool
    """Whether it speaks of things; else it holds the words and rules for doing so."""


@blueprint.route("/")
def home() -> Response:
    """What is here, in numbers and links; for programs the description of the dataset."""
    chosen = respond.acceptable((HTML, *rdf.RDF_FORMATS))
    graph = views.graph()

    def make() -> str | bytes:
        if not isinstance(chosen, rdf.RdfFormat):
            return _home()
        return rdf.serialise(
            views.release().describe(graph.settings.dataset_iri), chosen, graph.prefixes
        )

    response = respond.represent(chosen, make, links=signposting.of_site())
    if g.get("left_out"):  # it will be whole in a moment
        response.headers.remove("ETag")
        response.headers["Cache-Control"] = "no-store"
    return response


def _home() -> str:
    graph = views.graph()
    release = views.release()
    settings = graph.settings
    labels = pages.Labels(release.store, views.languages())
    sizes = release.graphs
    graphs = [name for name in sizes if name.startswith(settings.base)]
    largest = set(sorted(graphs, key=lambda name: -sizes[name])[:_MOST_GRAPHS])
    shown = [name for name in graphs if name in largest]
    labels.fetch(shown)
    return render_template(
        "home.html",
        manifest=release.manifest,
        kinds=list(pages.named_kinds(release.store, settings.base, views.languages()).values()),
        graphs=[
            _Graph(name, labels.of(name), sizes[name], name.startswith(f"{settings.base}graph/"))
            for name in shown
        ],
        left_out=len(graphs) - len(shown),
        queries=sorted(release.queries.values(), key=lambda each: each.name),
        pictures=list(_pictures(graph, release)),
        news=pages.once(release.store, "news", functools.partial(_news, graph)),
    )


def _news(graph: ClusterGraph) -> list[Manifest]:
    return [each for each in graph.archive.history() if each.added or each.removed][:_NEWS]


def prepare(graph: ClusterGraph) -> None:
    """Find out what the home page of the current release takes long for.

    Raises:
        ClusterGraphError: the release cannot be read, or is closed meanwhile.
    """
    release = graph.release()
    pages.kinds(release.store, graph.settings.base)
    for name in _pictured(release):
        _answer(graph, release, name)


def _pictured(release: OpenRelease) -> list[str]:
    """The stored queries of ``queries/home/`` that can be asked as they are."""
    return [
        name
        for name, stored in sorted(release.queries.items())
        if name.startswith("home-") and all(each.default is not None for each in stored.parameters)
    ]


def _pictures(graph: ClusterGraph, release: OpenRelease) -> Iterator[dict[str, object]]:
    """What is drawn of the home page's queries; what is not there in time is left out for now."""
    readers = (*views.languages(), messages.interface())
    until = time.monotonic() + _PATIENCE
    for name in _pictured(release):
        found = pages.soon(
            release.store,
            ("picture", name, *views.languages()),
            functools.partial(_picture, graph, release, name, views.languages()),
            until - time.monotonic(),
        )
        if found is None:
            g.left_out = True
        elif found[0] is not None:
            draw = functools.partial(render_template, "picture.html", picture=found[0])
            drawn = pages.once(release.store, ("drawn", name, *readers), draw)
            yield {"query": release.queries[name], "drawn": Markup(drawn)}  # noqa: S704  ours


def _picture(
    graph: ClusterGraph, release: OpenRelease, name: str, languages: Sequence[str]
) -> object:
    answer = _answer(graph, release, name)
    if not answer:
        return None
    rows = store.solutions(zlib.decompress(answer))
    return pages.picture(rows, pages.Labels(release.store, languages))


def _answer(graph: ClusterGraph, release: OpenRelease, name: str) -> bytes:
    """The answer of a stored query, compressed: readers of each language get a picture of it.

    Empty where it takes more than a query may take.
    """

    def ask() -> bytes:
        query = graph.parse(graph.stored_query(name, {}))
        try:
            return zlib.compress(b"".join(release.answer(query, rdf.JSON)))
        except (TimeLimitError, MemoryLimitError, QueryError):
            return b""

    return pages.once(release.store, ("answer", name), ask)


@blueprint.route("/health")
def health() -> Response:
    """The process answers."""
    return Response("fine\n", content_type="text/plain;charset=utf-8")


@blueprint.route("/ready")
def ready() -> Response:
    """A release is open and answers."""
    try:
        manifest = views.graph().release().manifest
    except ClusterGraphError as error:
        return Response(f"{error.message}\n", 503, content_type="text/plain;charset=utf-8")
    return Response(f"release {manifest.number}\n", content_type="text/plain;charset=utf-8")


@blueprint.route("/metrics")
def metrics() -> Response:
    """For Prometheus: from this machine, or with a token that may administer.

    Raises:
        NotFoundError: for anybody else.
    """
    found: Metrics | None = current_app.extensions.get("clustergraph.metrics")
    local = request.remote_addr in {"127.0.0.1", "::1"}
    behind = views.graph().settings.trusted_proxies > 0
    if found is None or not ((local and not behind) or authorisation.grant().administers):
        raise NotFoundError("Nothing is known under this address.")
    return Response(found.text(), content_type="text/plain; version=0.0.4; charset=utf-8")
