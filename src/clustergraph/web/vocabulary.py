"""A page for each class and property: what it means, how it is used, what there is of it."""

from __future__ import annotations

import pyoxigraph as ox
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from clustergraph import pages, rdf
from clustergraph.errors import NotFoundError, UsageError
from clustergraph.web import history, respond, views
from clustergraph.web.negotiation import HTML

blueprint = Blueprint("vocabulary", __name__)


@blueprint.route("/term")
def term() -> WerkzeugResponse:
    """A term by its IRI, ``iri=``; one with a prefix has a shorter address.

    Raises:
        UsageError: there is no IRI.
        NotFoundError: nothing is known of it.
    """
    iri = request.args.get("iri", "")
    address = views.term_href(iri)
    if "?" not in address:
        return redirect(address, 301)
    return _term(iri)


@blueprint.route("/term/<name>")
def prefixed(name: str) -> Response:
    """A term by its prefixed name.

    Raises:
        NotFoundError: the prefix, or the term, is not known.
    """
    return _term(_expanded(name))


@blueprint.route("/term/history")
def term_history() -> Response:
    """What changed in what is said of a term, release by release, by its IRI, ``iri=``.

    Raises:
        UsageError: there is no IRI.
        NotFoundError: nothing was ever said of it.
    """
    iri = request.args.get("iri", "")
    _check(iri)
    return history.of(iri)


@blueprint.route("/term/<name>/history")
def prefixed_history(name: str) -> Response:
    """The same by its prefixed name.

    Raises:
        NotFoundError: the prefix is not known, or nothing was ever said of it.
    """
    return history.of(_expanded(name))


def _expanded(name: str) -> str:
    """The IRI that a prefixed name stands for."""
    prefix, _colon, local = name.partition(":")
    namespace = views.graph().prefixes.get(prefix)
    if namespace is None or not local:
        raise NotFoundError(f"{name[:80]!r} is no name of a term here.")
    return namespace + local


def _history(iri: str) -> str:
    """Where the history of a term is read."""
    head, question, iris = views.term_href(iri).partition("?")
    return f"{head}/history{question}{iris}"


def _check(iri: str) -> None:
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise UsageError("The IRI of a term is needed: iri=.") from error


def _term(iri: str) -> Response:
    _check(iri)
    release, settings = views.release(), views.graph().settings
    found = pages.term_page(release.store, settings, iri, views.languages())
    if found is None:
        raise NotFoundError(f"The graph knows no class or property <{iri}>.")
    chosen = respond.acceptable(respond.DOCUMENT_FORMATS)

    def make() -> str | bytes:
        if isinstance(chosen, rdf.RdfFormat):
            return rdf.serialise(release.describe(iri), chosen, views.graph().prefixes)
        return render_template(
            "term.html",
            page=found,
            drawn=pages.diagram(found.tree),
            numbers=pages.vocabulary(release.store, settings).numbers,
            history=_history(iri),
        )

    links = [f'<{views.uri(iri)}>; rel="describes"'] if chosen is HTML else []
    return respond.represent(chosen, make, links=links)
