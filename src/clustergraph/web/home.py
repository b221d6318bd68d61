"""The home page, and the addresses for machines that run the site."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, render_template, request

from clustergraph import pages, rdf, store
from clustergraph.errors import ClusterGraphError, NotFoundError
from clustergraph.web import authorisation, respond, signposting, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.observed import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.reading import OpenRelease

blueprint = Blueprint("home", __name__)

_PATIENCE = 5.0
"""Seconds that a picture may take."""


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

    return respond.represent(chosen, make, links=signposting.of_site())


def _home() -> str:
    release = views.release()
    settings = views.graph().settings
    languages = views.languages()
    labels = pages.Labels(release.store, languages)
    graphs = [name for name in release.graphs if name.startswith(settings.base)]
    labels.fetch(graphs)
    return render_template(
        "home.html",
        manifest=release.manifest,
        kinds=pages.kinds(release.store, settings.base),
        graphs=[(name, labels.of(name), release.graphs[name]) for name in graphs],
        queries=sorted(release.queries.values(), key=lambda each: each.name),
        pictures=list(_pictures(release, labels)),
        news=[each for each in views.graph().archive.history() if each.added or each.removed][:5],
    )


def _pictures(release: OpenRelease, labels: pages.Labels) -> Iterator[dict[str, object]]:
    """What is drawn of the stored queries of ``queries/home/``; what takes too long is left out."""
    for name, stored in sorted(release.queries.items()):
        if not name.startswith("home-") or any(each.default is None for each in stored.parameters):
            continue
        with contextlib.suppress(ClusterGraphError):
            rows = pages.once(
                release.store, ("rows", name), functools.partial(_rows, release, name)
            )
            found = pages.picture(rows, labels)
            if found is not None:
                yield {"query": stored, "picture": found}


def _rows(release: OpenRelease, name: str) -> list[store.Row]:
    graph = views.graph()
    query = graph.parse(graph.stored_query(name, {}))
    return store.solutions(b"".join(release.answer(query, rdf.JSON, seconds=_PATIENCE)))


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
