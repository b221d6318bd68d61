"""Search and suggestions, for people and programs."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, render_template

from clustergraph import pages, rdf
from clustergraph.errors import CorruptedError, UsageError
from clustergraph.rdf import Format
from clustergraph.search import Found
from clustergraph.web import parameters, respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import MultiDict

    from clustergraph.search import Hit, Index

blueprint = Blueprint("search", __name__)

_JSON = Format("JSON", "application/json", "json")
_CSV = Format("CSV", rdf.CSV.media_type, "csv")
_SUGGESTIONS = Format(
    "OpenSearch suggestions", "application/x-suggestions+json", "json", ("application/json",)
)
_DESCRIPTION = Format("OpenSearch", "application/opensearchdescription+xml", "xml")
_FORMATS = (HTML, _JSON, _CSV, *rdf.RDF_FORMATS)
_PAGE, _MOST = 20, 100
_NARROWINGS = 8
_VALUES_SHOWN = 12
_FACETS_SHOWN = 8
_TOLD = frozenset(
    ox.NamedNode(iri)
    for iri in (
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        "http://www.w3.org/2004/02/skos/core#prefLabel",
    )
)


@blueprint.route("/search")
def search() -> Response:
    """Things by words of their names and descriptions, narrowed by what they have in common."""
    chosen = respond.acceptable(_FORMATS)
    given = parameters.from_address()
    text = given.get("q", "").strip()
    narrowed = _narrowed(given)
    limit = _limit(given)

    def make() -> str | bytes:
        found = _found(text, narrowed, given.get("after", ""), limit)
        if chosen is _JSON:
            return _as_json(text, found)
        if chosen is _CSV:
            return _table(found.hits)
        if isinstance(chosen, rdf.RdfFormat):
            return _graph(found.hits, chosen)
        return _page(text, narrowed, found, given)

    return respond.represent(chosen, make)


@blueprint.route("/suggest")
def suggest() -> Response:
    """Names that begin so, as browsers and search boxes ask for them (OpenSearch 1.1).

    The languages of the names stand in an object behind the lists, where browsers look for
    extensions that they know.
    """
    chosen = respond.acceptable((_SUGGESTIONS,))
    text = parameters.from_address().get("q", "").strip()

    def make() -> str:
        hits = _index().suggest(text, languages=views.languages()) if text else []
        names = [each.name for each in hits]
        kinds = ["" for _ in hits]
        addresses = [views.href(each.iri) for each in hits]
        more = {"languages": [each.language for each in hits]}
        return json.dumps([text, names, kinds, addresses, more]) + "\n"

    response = respond.represent(chosen, make)
    response.vary.add("Accept-Language")
    return response


@blueprint.route("/opensearch.xml")
def description() -> Response:
    """How browsers search this site."""
    chosen = respond.acceptable((_DESCRIPTION,))
    return respond.represent(chosen, lambda: render_template("opensearch.xml"))


def _index() -> Index:
    found = views.release().index
    if found is None:
        raise UsageError(
            "This release has no search index.", hint="Build again with: clustergraph build"
        )
    return found


def _found(text: str, narrowed: Sequence[tuple[str, str]], after: str, limit: int) -> Found:
    if not text and not narrowed:
        return Found((), 0, "", (), ())
    try:
        return _index().search(
            text, narrowed=narrowed, languages=views.languages(), after=after[:100], limit=limit
        )
    except sqlite3.Error as error:
        raise CorruptedError(
            f"The search index cannot be read: {error}", hint="Build again: clustergraph build"
        ) from error


def _narrowed(given: MultiDict[str, str]) -> list[tuple[str, str]]:
    """What things must have: ``narrow=PROPERTY VALUE``, as often as wanted.

    Raises:
        UsageError: one has no value, or there are too many.
    """
    found = []
    for each in given.getlist("narrow"):
        name, space, value = each.partition(" ")
        if not (space and name and value):
            raise UsageError(
                f"narrow={each[:80]!r} is not a property and a value.",
                hint="Put a space between the IRI of the property and its value.",
            )
        found.append((name, value))
    if len(found) > _NARROWINGS:
        raise UsageError(f"Results are narrowed by up to {_NARROWINGS} properties.")
    return list(dict.fromkeys(found))


def _limit(given: MultiDict[str, str]) -> int:
    text = given.get("limit", str(_PAGE))
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _MOST):
        raise UsageError(f"limit is a number from 1 to {_MOST}.")
    return int(text)


def _as_json(text: str, found: Found) -> str:
    content: dict[str, Any] = {
        "query": text,
        "total": found.total,
        "after": found.after or None,
        "like": found.like,
        "hits": [
            {"iri": each.iri, "name": each.name, "language": each.language, "text": each.text,
             "marks": each.marks, "page": views.href(each.iri)}
            for each in found.hits
        ],
        "facets": [
            {"property": each.property,
             "values": [{"value": value, "number": number} for value, number in each.values]}
            for each in found.facets
        ],
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _table(hits: Sequence[Hit]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("iri", "name", "language", "text"))
    writer.writerows((each.iri, each.name, each.language, each.text) for each in hits)
    return out.getvalue()


def _graph(hits: Sequence[Hit], fmt: rdf.RdfFormat) -> bytes:
    """Classes and names of what was found."""
    release = views.release()
    quads = [
        quad
        for each in hits
        for quad in release.describe(each.iri)
        if quad.predicate in _TOLD and quad.subject == ox.NamedNode(each.iri)
    ]
    return rdf.serialise(quads, fmt, views.graph().prefixes)


def _page(
    text: str, narrowed: Sequence[tuple[str, str]], found: Found, given: MultiDict[str, str]
) -> str:
    labels = pages.Labels(views.release().store, views.languages())
    facets = found.facets[:_FACETS_SHOWN]
    shown = {each.property: each.values[: 2 * _VALUES_SHOWN] for each in facets}
    settings = views.graph().settings
    known = pages.vocabulary(views.release().store, settings)
    classes = pages.narrowest(
        views.release().store, known, settings.base, [each.iri for each in found.hits]
    )
    labels.fetch(
        set(classes.values())
        | {name for pair in narrowed for name in pair}
        | shown.keys()
        | {value for values in shown.values() for value, _number in values}
    )

    def address(pairs: Sequence[tuple[str, str]], **more: str) -> str:
        items = [("q", text), *(("narrow", f"{name} {value}") for name, value in pairs)]
        kept = [("lang", given["lang"])] if "lang" in given else []
        return "?" + urlencode([*items, *kept, *more.items()])

    return render_template(
        "search.html",
        text=text,
        found=found,
        classes={iri: labels.of(klass) for iri, klass in classes.items()},
        facets=[
            (
                labels.of(name),
                [
                    (labels.of(value), number, address([*narrowed, (name, value)]))
                    for value, number in _distinct(values, labels)
                    if (name, value) not in narrowed
                ],
            )
            for name, values in shown.items()
        ],
        narrowed=[
            (
                labels.of(name),
                labels.of(value),
                address([each for each in narrowed if each != (name, value)]),
            )
            for name, value in narrowed
        ],
        pairs=[f"{name} {value}" for name, value in narrowed],
        following=address(narrowed, after=found.after) if found.after else "",
        instead=[(name, "?" + urlencode({"q": name})) for name in found.like[:3]],
        formats=[(each, address(narrowed, format=each.suffix)) for each in _FORMATS[1:]],
        marked=_marked,
    )


def _distinct(values: Sequence[tuple[str, int]], labels: pages.Labels) -> list[tuple[str, int]]:
    """Values without those that have the name and the number of one before."""
    found = {(labels.of(value).text, number): (value, number) for value, number in reversed(values)}
    return [each for each in values if each in found.values()][:_VALUES_SHOWN]


def _marked(hit: Hit) -> list[tuple[str, bool]]:
    """The text of a hit in pieces, each with whether it is what was looked for."""
    pieces, end = [], 0
    for begin, stop in hit.marks:
        pieces += [(hit.text[end:begin], False), (hit.text[begin:stop], True)]
        end = stop
    return [*pieces, (hit.text[end:], False)]
