"""Triple and quad pattern fragments over HTTP: data, metadata and controls (Linked Data Fragments).

Without ``graph``, formats that can name graphs get all named graphs, the others the default graph,
as whole graphs do; ``graph=urn:ldf:defaultGraph`` names the default graph in any format. Blank
nodes have IRIs here, so that pages can be joined.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request

from clustergraph import pages, rdf
from clustergraph.errors import UsageError
from clustergraph.fragments import (
    DEFAULT_GRAPH,
    PAGE,
    Pattern,
    skolemised,
    term,
    unskolemised,
)
from clustergraph.web import parameters, respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import MultiDict

    from clustergraph.fragments import Page

blueprint = Blueprint("fragments", __name__)

_FORMATS = (rdf.TRIG, HTML, rdf.N_QUADS, rdf.JSON_LD, rdf.TURTLE, rdf.N_TRIPLES, rdf.RDF_XML)
_HYDRA = "http://www.w3.org/ns/hydra/core#"
_PATTERN = ("subject", "predicate", "object", "graph")
_SAFE = "%/:?#[]@!$&'()*+,;=~"
_PREFIXES = {
    "hydra": _HYDRA,
    "void": "http://rdfs.org/ns/void#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
}


@blueprint.route("/fragments")
def fragments() -> Response:
    """A page of what matches ``subject``, ``predicate``, ``object`` and ``graph``."""
    given = parameters.from_address()
    chosen = respond.acceptable(_FORMATS)
    quads = isinstance(chosen, rdf.RdfFormat) and chosen.dataset
    graph = views.graph()
    merged = graph.settings.default_graph == "merge"
    pattern = _pattern(given, quads=quads or (chosen is HTML and not merged))
    number = _number(given.get("page", ""))
    found = graph.fragments.page(views.release(), pattern, number, merged=merged)
    links = _links(given, found)

    def make() -> str | bytes:
        if not isinstance(chosen, rdf.RdfFormat):
            return _html(given, found, links)
        metadata = _metadata(given, found, links, named=quads)
        prefixes = {**graph.prefixes, **_PREFIXES}
        data = [skolemised(each, _blank()) for each in found.quads]
        return rdf.serialise([*data, *metadata], chosen, prefixes)

    headers = [f'<{address}>; rel="{name}"' for name, address in links.items()]
    response = respond.represent(chosen, make, links=headers)
    response.vary.add("Accept")
    if not graph.settings.public_url:  # the addresses in it are those of the host asked
        response.vary.add("Host")
    return response


def _pattern(given: MultiDict[str, str], *, quads: bool) -> Pattern:
    """The pattern in the address.

    Raises:
        UsageError: a term is none, or named twice.
    """
    for name in (*_PATTERN, "page"):
        if len(given.getlist(name)) > 1:
            raise UsageError(f"{name} is named more than once.")
    subject, predicate, value, graph = (
        term(unskolemised(given.get(name, ""), _blank()), name) for name in _PATTERN
    )
    is_default = given.get("graph", "").strip("<>") == DEFAULT_GRAPH
    without = not given.get("graph") and not quads
    return Pattern(subject, predicate, value, None if is_default or without else graph)


def _blank() -> str:
    """What the IRIs begin with that stand for blank nodes."""
    return views.graph().settings.iri(".well-known/genid/blank-")


def _number(text: str) -> int:
    if text and (not text.isdecimal() or len(text) > 9 or int(text) < 1):
        raise UsageError(f"page={text[:40]!r} is no number of a page.")
    return int(text or 1)


def _root() -> str:
    return (views.graph().settings.public_url or request.url_root.rstrip("/")) + "/fragments"


def _here() -> str:
    """The address of this page, just as it was asked for: clients look for it in the metadata."""
    text = request.environ.get("QUERY_STRING", "")
    return _root() + (f"?{quote(text.encode('latin-1'), safe=_SAFE)}" if text else "")


def _links(given: MultiDict[str, str], found: Page) -> dict[str, str]:
    """First, previous and next page, all of the release that is shown."""
    fixed = {name: given[name] for name in (*_PATTERN, "format", "lang") if given.get(name)}
    fixed["release"] = str(views.release().manifest.number)

    def address(number: int) -> str:
        return f"{_root()}?{urlencode(fixed | {'page': str(number)})}"

    links = {"first": address(1)}
    if found.number > 1:
        last = max(1, -(-found.count // PAGE))  # of a page behind the end, the last one
        links["previous"] = address(min(found.number - 1, last))
    if found.has_next:
        links["next"] = address(found.number + 1)
    return links


def _metadata(
    given: MultiDict[str, str], found: Page, links: dict[str, str], *, named: bool
) -> list[ox.Quad]:
    """What the page is, how much there is, and how to ask for more.

    In a graph of its own where the format can name one, so that it is no part of the data.
    """
    asked = {name: given[name] for name in _PATTERN if given.get(name)}
    text = (Path(__file__).resolve().parent / "fragment.ttl").read_text(encoding="utf-8")
    turtle = string.Template(text).substitute(
        page=_here(),
        dataset=_root() + "#dataset",
        fragment=_root() + (f"?{urlencode(asked)}" if asked else "") + "#fragment",
        template=_root() + "{?subject,predicate,object,graph}",
        default=DEFAULT_GRAPH,
        count=found.count,
        size=PAGE,
    )
    quads = rdf.parse(turtle.encode(), rdf.TURTLE, base=_root(), name="metadata")
    here = ox.NamedNode(_here())
    quads += [
        ox.Quad(here, ox.NamedNode(_HYDRA + name), ox.NamedNode(address))
        for name, address in links.items()
    ]
    if not named:
        return quads
    graph = ox.NamedNode(_here() + "#metadata")
    return [ox.Quad(each.subject, each.predicate, each.object, graph) for each in quads]


def _html(given: MultiDict[str, str], found: Page, links: dict[str, str]) -> str:
    labels = pages.Labels(views.release().store, views.languages())
    labels.fetch(
        each.value for quad in found.quads for each in quad if isinstance(each, ox.NamedNode)
    )
    return render_template(
        "fragments.html",
        given=given,
        names=_PATTERN,
        page=found,
        rows=[[_cell(each, labels) for each in quad] for quad in found.quads],
        links=links,
        formats=_alternatives(given, found.number),
        size=PAGE,
    )


def _cell(each: object, labels: pages.Labels) -> dict[str, str]:
    """A term as a table shows it, and as an address names it."""
    if isinstance(each, ox.NamedNode):
        shown = labels.known(each.value) or views.short(each.value)
        return {"text": shown, "iri": each.value, "asked": each.value}
    if isinstance(each, ox.Literal):
        return {"text": each.value, "tag": each.language or "", "asked": _asked(each)}
    if isinstance(each, ox.DefaultGraph):
        return {"text": "", "asked": DEFAULT_GRAPH}
    return {"text": str(each), "asked": str(each)}


def _asked(literal: ox.Literal) -> str:
    """A literal as it stands in an address."""
    if literal.language:
        return f'"{literal.value}"@{literal.language}'
    if literal.datatype.value.endswith("XMLSchema#string"):
        return f'"{literal.value}"'
    return f'"{literal.value}"^^{literal.datatype.value}'


def _alternatives(given: MultiDict[str, str], number: int) -> Sequence[tuple[str, str]]:
    fixed = {name: given[name] for name in _PATTERN if given.get(name)}
    fixed |= {"release": str(views.release().manifest.number), "page": str(number)}
    return [
        (each.name, f"{_root()}?{urlencode(fixed | {'format': each.suffix})}")
        for each in _FORMATS
        if each is not HTML
    ]
