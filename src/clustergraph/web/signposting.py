"""Signposting: typed links that lead programs through the site (RFC 8288, RFC 9264, RFC 9727)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyoxigraph as ox
from flask import Blueprint, Response, current_app

from clustergraph import rdf
from clustergraph.errors import GoneError, NotFoundError
from clustergraph.rdf import Format
from clustergraph.web import respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

blueprint = Blueprint("signposting", __name__)

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_ABOUT_PAGE = "https://schema.org/AboutPage"
_LINKSET = Format("Linkset", "application/linkset+json", "linkset")
_TEXT = Format("Linkset as text", "application/linkset", "links")
_PROFILE = "https://www.rfc-editor.org/info/rfc9727"
_MOST_TYPES = 8
_SAFE = "/:@!$&()*+,;=~"

Target = dict[str, str]


def of_page(iri: str, address: str, quads: Iterable[ox.Quad]) -> list[str]:
    """Link header values of the page about something: what it is, how it is cited, what is in it.

    A page lists so many; the rest is in its linkset.

    Args:
        iri: what it is about.
        address: of the page, under the site.
        quads: what is said of it.
    """
    found = _relations(iri, address, quads)
    links = [
        _value(relation, each)
        for relation, targets in found.items()
        for each in targets
        if relation not in {"license", "collection"}  # which every document names
    ]
    where = f"{_root()}/linkset/{quote(address, safe=_SAFE)}"
    links.append(f'<{where}>; rel="linkset"; type="{_LINKSET.media_type}"')
    return links


def of_site() -> list[str]:
    """Link header values of the home page: what describes the site."""
    site = _root()
    return [
        f'<{site}/.well-known/api-catalog>; rel="api-catalog"; type="{_LINKSET.media_type}"',
        f'<{site}/openapi.json>; rel="service-desc"; type="application/vnd.oai.openapi+json"',
        f'<{site}/.well-known/void>; rel="describedby"; type="text/turtle"',
        f'<{site}/catalog.jsonld>; rel="describedby"; type="application/ld+json"',
        f'<{site}/linkset/>; rel="linkset"; type="{_LINKSET.media_type}"',
    ]


@blueprint.route("/linkset/", defaults={"name": ""})
@blueprint.route("/linkset/<path:name>")
def linkset(name: str) -> Response:
    """All links of a page, in one document (RFC 9264).

    Raises:
        NotFoundError: the graph says nothing of it.
        GoneError: it was erased on request.
    """
    graph = views.graph()
    settings = graph.settings
    path = f"id/{name.removeprefix('doc/')}" if name.startswith("doc/") else name
    iri = settings.iri(path) if name else settings.dataset_iri
    if graph.is_erased(iri):
        raise GoneError("What stood here was erased on request.")
    quads = views.release().describe(iri) if name else []
    if name and not quads:
        raise NotFoundError(f"The graph says nothing of <{iri}>.")
    chosen = respond.acceptable((_LINKSET, _TEXT))

    def make() -> str:
        page = f"{_root()}/{quote(name, safe=_SAFE)}"
        found = _relations(iri, name, quads)
        contexts: list[dict[str, Any]] = [{"anchor": page, **found}]
        for item in found.get("item", ()):
            back: dict[str, Any] = {"anchor": item["href"], "collection": [{"href": page}]}
            if settings.licence:
                back["license"] = [{"href": settings.licence}]
            contexts.append(back)
        for item in found["describedby"]:
            contexts.append({"anchor": item["href"], "describes": [{"href": page}]})
        if chosen is _LINKSET:
            return json.dumps({"linkset": contexts}, indent=1) + "\n"
        return ",\n".join(_lines(contexts)) + "\n"

    return respond.represent(chosen, make)


@blueprint.route("/.well-known/api-catalog")
def api_catalog() -> Response:
    """The interfaces of the site, each with its description (RFC 9727)."""
    respond.acceptable((_LINKSET, Format("JSON", "application/json", "json")))
    site = _root()

    def make() -> str:
        this = f"{site}/.well-known/api-catalog"
        openapi = {"href": f"{site}/openapi.json", "type": "application/vnd.oai.openapi+json"}
        manual = {"href": f"{site}/llms.txt", "type": "text/plain"}
        status = {"href": f"{site}/health", "type": "text/plain"}
        turtle = {"href": f"{site}/sparql", "type": "text/turtle"}
        apis = [f"{site}/", *(f"{site}/{each}" for each in _endpoints())]
        contexts: list[dict[str, Any]] = [
            {"anchor": this, "item": [{"href": each} for each in apis]}
        ]
        for each in apis:
            described = [openapi, turtle] if each.endswith("/sparql") else [openapi]
            contexts.append(
                {"anchor": each, "service-desc": described, "service-doc": [manual],
                 "service-meta": [{"href": f"{site}/catalog.jsonld",
                                   "type": "application/ld+json"}],
                 "status": [status]}
            )  # fmt: skip
        return json.dumps({"linkset": contexts}, indent=1) + "\n"

    links = [f'<{site}/.well-known/api-catalog>; rel="api-catalog"']
    response = respond.represent(_LINKSET, make, links=links)
    response.headers["Content-Type"] = f'{_LINKSET.media_type};profile="{_PROFILE}"'
    return response


def _root() -> str:
    return views.graph().settings.public_url


def _endpoints() -> list[str]:
    """Those of the known interfaces that this site has."""
    known = ("sparql", "query", "graphs", "feed/ldes", "reconcile", "fragments", "validate")
    rules = {rule.rule.strip("/") for rule in current_app.url_map.iter_rules()}
    return [each for each in known if each in rules]


def _relations(iri: str, address: str, quads: Iterable[ox.Quad]) -> dict[str, list[Target]]:
    """The targets by relation of the page about something."""
    settings, site = views.graph().settings, _root()
    node = ox.NamedNode(iri)
    types = sorted(
        {
            quad.object.value
            for quad in quads
            if quad.subject == node
            and quad.predicate == _TYPE
            and isinstance(quad.object, ox.NamedNode)
        }
    )
    whole = iri == settings.dataset_iri
    stem = quote(address, safe=_SAFE) if address else f"dataset/{quote(settings.slug)}"
    described = [
        {"href": f"{site}/{stem}.{each.suffix}", "type": each.media_type}
        for each in rdf.RDF_FORMATS
    ]
    found: dict[str, list[Target]] = {
        "cite-as": [{"href": iri}],
        "type": [{"href": each} for each in (_ABOUT_PAGE, *types[:_MOST_TYPES])],
        "describedby": described,
    }
    if whole:
        found["item"] = [
            {"href": f"{site}/dump/latest/{settings.stem}.{fmt.suffix}.gz",
             "type": "application/gzip"}
            for fmt in rdf.DUMP_FORMATS
        ]  # fmt: skip
    else:
        found["collection"] = [{"href": views.href(settings.dataset_iri), "type": HTML.media_type}]
    if settings.licence:
        found["license"] = [{"href": settings.licence}]
    return found


def _value(relation: str, target: Target) -> str:
    kind = f'; type="{target["type"]}"' if "type" in target else ""
    return f'<{views.uri(target["href"])}>; rel="{relation}"{kind}'


def _lines(contexts: list[dict[str, Any]]) -> Iterator[str]:
    for context in contexts:
        for relation, targets in context.items():
            if relation != "anchor":
                for each in targets:
                    yield f'{_value(relation, each)}; anchor="{context["anchor"]}"'
