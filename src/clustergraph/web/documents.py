"""Linked data: things redirect to documents, and every IRI under the base is a document."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyoxigraph as ox
from flask import Blueprint, Response, redirect, render_template, request

from clustergraph import jsonld, pages, rdf, sparql
from clustergraph.errors import GoneError, NotFoundError
from clustergraph.web import respond, schema_org, signposting, views
from clustergraph.web.asked import current
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response as WerkzeugResponse

    from clustergraph.web.respond import Representation

blueprint = Blueprint("documents", __name__)

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_LABEL = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")
_DOCUMENTS = "/doc/"
_PAGE = 200
"""Terms of a vocabulary on a page."""
_LISTED = 500
"""Things of a kind on a page."""
_DRAWN = frozenset(
    {"http://www.w3.org/2002/07/owl#Class", "http://www.w3.org/2000/01/rdf-schema#Class"}
)
"""Kinds of terms whose hierarchy is drawn, not only listed."""
_PATIENCE = 0.2
"""Seconds that a page waits for the name of its kind: it has another one."""
_SAID = Path(__file__).resolve().parent / "said.rq"


@blueprint.route("/id/<path:name>")
def thing(name: str) -> WerkzeugResponse:
    """A thing is no document: 303 to the one about it (httpRange-14)."""
    settings = views.graph().settings
    _check_erased(f"id/{name}")
    if not views.release().describe(settings.iri(f"id/{name}")):
        raise _unknown(f"id/{name}")
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    target = f"{settings.public_url}/doc/{quote(name, safe='/:@!$&()*+,;=~')}"
    response = redirect(target + quote(query, safe="?&=%+-._~"), 303)
    response.vary.add("Accept")
    return response


@blueprint.route("/doc/<path:name>")
def document(name: str) -> Response:
    """The document about a thing, or the list of a kind; by Accept or by suffix."""
    stem, fmt = respond.split_suffix(name)
    if "/" not in stem:
        return _list(stem, fmt)
    return respond.response(_document(f"id/{stem}", f"doc/{stem}", fmt))


@blueprint.route(f"/{jsonld.OWN}")
def context() -> Response:
    """The JSON-LD context, so that documents can name it."""
    settings = views.graph().settings
    found = jsonld.pinned(settings.project, settings.written_base, settings.base)
    text = found.get(settings.iri(jsonld.OWN))
    if text is None:
        raise _unknown(jsonld.OWN)
    return respond.represent(rdf.JSON_LD, lambda: text)


@blueprint.route("/<path:name>")
def other(name: str) -> Response:
    """Any other IRI under the base: ontology, scheme, graph, dataset, and what a project adds."""
    release = views.release()
    iri = views.graph().settings.iri(name)
    if iri in release.graphs or views.release().describe(iri):
        return respond.response(_document(name, name, None))
    stem, fmt = respond.split_suffix(name)
    return respond.response(_document(stem, stem, fmt))


def _check_erased(path: str) -> None:
    """Say that something was here, and nothing more.

    Raises:
        GoneError: it was erased on request.
    """
    graph = views.graph()
    if graph.is_erased(graph.settings.iri(path)):
        raise GoneError("What stood here was erased on request.")


def _unknown(path: str) -> NotFoundError:
    iri = views.graph().settings.iri(path)
    return NotFoundError(
        f"The graph says nothing of <{iri}>.", hint="Look for it from the home page."
    )


def is_document(path: str) -> bool:
    """Whether an address may be that of the document about one thing."""
    return path.startswith(_DOCUMENTS)


def direct() -> Representation | None:
    """The document that is asked for, where it is one of RDF about one thing; else None.

    Raises:
        NotFoundError: the graph says nothing of the thing.
        GoneError: it was erased on request.
        NotAcceptableError: there is no such format.
    """
    stem, fmt = respond.split_suffix(current().path.removeprefix(_DOCUMENTS))
    if "/" not in stem or stem.endswith("/history"):
        return None
    if (fmt or respond.acceptable(respond.DOCUMENT_FORMATS)) is HTML:
        return None
    return _document(f"id/{stem}", f"doc/{stem}", fmt)


def _document(path: str, address: str, fmt: rdf.Format | None) -> Representation:
    """The representation of an IRI, in a given format or the one that the client accepts."""
    graph = views.graph()
    iri = graph.settings.iri(path)
    if _is_bad(iri):
        raise _unknown(path)
    _check_erased(path)
    quads = views.release().describe(iri)
    if not quads and iri not in views.release().graphs:  # a graph may be empty
        raise _unknown(path)
    chosen = fmt or respond.acceptable(respond.DOCUMENT_FORMATS)

    def make() -> str | bytes:
        if isinstance(chosen, rdf.RdfFormat):
            return rdf.serialise(quads, chosen, graph.prefixes)
        key = request.args.get("why", "")
        return _why(iri, key) if key else _html(iri, address)

    links = _links(address, f'<{views.uri(iri)}>; rel="describes"')
    if chosen is HTML or fmt is None:  # the address of the page, whatever was chosen
        links = [*links, *signposting.of_page(iri, address, quads)]
    return respond.representation(
        chosen,
        make,
        links=links,
        location=_address(address, chosen.suffix),
    )


def _is_bad(iri: str) -> bool:
    try:
        ox.NamedNode(iri)
    except ValueError:
        return True
    return any(ord(character) < 0x21 or character in '<>"{}|\\^`' for character in iri)


def _address(address: str, suffix: str) -> str:
    settings = views.graph().settings
    return f"{settings.public_url}/{quote(address, safe='/:@!$&()*+,;=~')}.{suffix}"


def _links(address: str, *more: str) -> Sequence[str]:
    """Link header values: the alternatives, the licence, the description of the dataset."""
    settings = views.graph().settings
    links = [
        f'<{_address(address, each.suffix)}>; rel="alternate"; type="{each.media_type}"'
        for each in respond.DOCUMENT_FORMATS
    ]
    links.append(f'<{_address(address, "md")}>; rel="alternate"; type="text/markdown"')
    if settings.licence:
        links.append(f'<{settings.licence}>; rel="license"')
    if settings.iri(address) != settings.dataset_iri:
        links.append(f'<{views.href(settings.dataset_iri)}>; rel="collection"')
    return [*links, *more]


def _why(iri: str, key: str) -> str:
    """Why one statement about a thing is believed.

    Raises:
        NotFoundError: the graph makes no such statement.
    """
    settings = views.graph().settings
    found = pages.statement(views.release().store, settings, iri, key, views.languages())
    if found is None:
        raise NotFoundError(
            "The graph makes no such statement, or not any more.",
            hint=f"What it says now is at {views.href(iri)}",
        )
    terms = {
        "subject": ox.NamedNode(found.subject.iri),
        "predicate": ox.NamedNode(found.property.iri),
        "value": found.value.term,
    }
    asked = sparql.bind(_SAID.read_text(encoding="utf-8"), terms)
    return render_template("why.html", found=found, asked=asked)


def _html(iri: str, address: str) -> str:
    settings = views.graph().settings
    release = views.release()
    languages = views.languages()
    page = pages.page(
        release.store,
        settings.base,
        iri,
        languages,
        everything=request.args.get("in", ""),
        number=request.args.get("supported", 1, type=int),
    )
    if page is None:
        raise _unknown(iri.removeprefix(settings.base))
    terms = pages.terms(release.store, iri, languages) if iri in release.graphs else []
    trees = pages.trees(release.store, terms, languages) if 0 < len(terms) <= 2 * _PAGE else []
    known = pages.vocabulary(release.store, settings)
    declared = bool(trees) and any(each.iri in known.facts for each in terms)
    whole = f"{views.site()}/{quote(address, safe='/:@!$&()*+,;=~')}"
    number = max(1, request.args.get("page", 1, type=int))
    shown = terms[(number - 1) * _PAGE : number * _PAGE]
    kind = iri.removeprefix(f"{settings.base}id/").split("/")[0] if "/id/" in iri else ""
    return render_template(
        "thing.html",
        page=page,
        iri=iri,
        address=address,
        kind=kind,
        named=_named(kind),
        trees=[
            (name, found, pages.diagram(found) if declared and name.iri in _DRAWN else None)
            for name, found in trees
        ],
        numbers=known.numbers if declared else None,
        whole=whole,
        markup=schema_org.thing(page, known, whole),
        terms=shown if len(terms) > 2 * _PAGE else terms,
        number=number,
        pages=-(-len(terms) // _PAGE) if len(terms) > 2 * _PAGE else 1,
        total=len(terms),
        formats=rdf.RDF_FORMATS,
    )


def _named(kind: str) -> pages.Kind | None:
    """A kind of things with its name; None where there is none, or it is not counted yet."""
    backend, base, languages = (
        views.release().store, views.graph().settings.base, views.languages()
    )  # fmt: skip
    count = functools.partial(pages.named_kinds, backend, base, languages)
    found = pages.soon(backend, ("kinds", *languages, "named"), count, _PATIENCE)
    return found[0].get(kind) if found else None


def _list(kind: str, fmt: rdf.Format | None) -> Response:
    """The things of a kind, page by page (RFC 8288: prev, next)."""
    graph = views.graph()
    shown, total = pages.members(
        views.release().store,
        graph.settings.base,
        kind,
        views.languages(),
        page=request.args.get("page", 1, type=int),
        size=_LISTED,
    )
    if not shown:
        raise _unknown(f"doc/{kind}")
    chosen = fmt or respond.acceptable(respond.DOCUMENT_FORMATS)
    count = -(-total // _LISTED)
    number = min(max(1, request.args.get("page", 1, type=int)), count)

    def make() -> str | bytes:
        if not isinstance(chosen, rdf.RdfFormat):
            return render_template(
                "list.html",
                kind=kind,
                named=_named(kind),
                entries=shown,
                total=total,
                number=number,
                pages=count,
                formats=rdf.RDF_FORMATS,
            )
        wanted = {entry.iri for entry in shown}
        quads = [
            quad
            for entry in shown
            for quad in views.release().describe(entry.iri)
            if quad.predicate in {_TYPE, _LABEL}
            and isinstance(quad.subject, ox.NamedNode)
            and quad.subject.value in wanted
        ]
        return rdf.serialise(quads, chosen, graph.prefixes)

    address = f"doc/{kind}"
    more = [
        f'<{_address(address, chosen.suffix)}?page={other}>; rel="{relation}"'
        for other, relation in ((number - 1, "prev"), (number + 1, "next"))
        if 1 <= other <= count
    ]
    return respond.represent(
        chosen, make, links=_links(address, *more), location=_address(address, chosen.suffix)
    )
