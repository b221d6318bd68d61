"""What the editor knows of this graph: prefixes, classes and properties in use, names of things."""

from __future__ import annotations

import json

import pyoxigraph as ox
from flask import Blueprint, Response

from clustergraph import pages
from clustergraph.errors import UsageError
from clustergraph.pages.queries import select
from clustergraph.web import respond, views
from clustergraph.web.history import JSON
from clustergraph.web.protocol import parameters

blueprint = Blueprint("terms", __name__)

_NAMED_AT_ONCE = 1000
"""Things whose names may be asked for in one request."""


@blueprint.route("/sparql/terms.json")
def terms() -> Response:
    """Prefixes, and the classes and properties of the release, the most used first.

    They are those that the dataset's description counts (VoID), so nothing is counted here.
    """

    def make() -> str:
        graph, release = views.graph(), views.release()
        rows = select(
            release.store,
            "used",
            catalogue=ox.NamedNode(graph.settings.iri("graph/catalogue")),
            dataset=ox.NamedNode(graph.settings.dataset_iri),
        )
        labels = pages.Labels(release.store, graph.settings.languages)  # kept for everybody
        labels.fetch(row["term"].value for row in rows)
        found: dict[str, list[dict[str, object]]] = {"class": [], "property": []}
        for row in rows:
            iri = row["term"].value
            found[row["kind"].value].append(
                {"iri": iri, "label": labels.known(iri), "number": int(row["number"].value)}
            )
        fields = {
            "release": release.manifest.number,
            "prefixes": dict(release.prefixes),
            "classes": found["class"],
            "properties": found["property"],
        }
        return json.dumps(fields, ensure_ascii=False) + "\n"

    return respond.represent(JSON, make)


@blueprint.route("/sparql/labels", methods=["POST"])
def labels() -> Response:
    """The names of the things that the parameters ``iri`` name, and where they are read.

    Raises:
        UsageError: they are too many, or one is no IRI.
    """
    iris = list(dict.fromkeys(parameters().getlist("iri")))
    if len(iris) > _NAMED_AT_ONCE:
        raise UsageError(f"At most {_NAMED_AT_ONCE} things are named at once.")
    known = named(iris)
    body = {
        iri: {
            "label": known.known(iri),
            "language": known.of(iri).language,
            "short": views.short(iri),
            "href": views.href(iri),
        }
        for iri in iris
    }
    return Response(json.dumps(body, ensure_ascii=False) + "\n", content_type=JSON.content_type)


def named(iris: list[str]) -> pages.Labels:
    """The names of things in the languages of the reader, in one query.

    Raises:
        UsageError: one is no IRI.
    """
    found = pages.Labels(views.release().store, views.languages())
    try:
        found.fetch(iris)
    except ValueError as error:
        raise UsageError("What is to be named must be an IRI.") from error
    return found
