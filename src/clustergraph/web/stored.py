"""Stored queries: each a page with a form, and a call with typed parameters."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from clustergraph.errors import NotFoundError
from clustergraph.web import negotiation, respond, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.sparql import answer

blueprint = Blueprint("stored", __name__)

_PROTOCOL = frozenset({"format", "timeout", "lang", "default-graph-uri", "named-graph-uri"})
"""Parameters of the protocol; all others are those of the query."""


@blueprint.route("/query")
def queries() -> Response:
    """All stored queries."""
    respond.acceptable((HTML,))
    found = sorted(views.release().queries.values(), key=lambda each: each.name)
    return respond.represent(HTML, lambda: render_template("queries.html", queries=found))


@blueprint.route("/query/<name>")
def query(name: str) -> Response:
    """One stored query: its page for browsers, else its answer."""
    graph = views.graph()
    stored = views.release().queries.get(name)
    if stored is None:
        raise NotFoundError(f"There is no stored query {name!r}.", hint="All of them: /query")
    given = {key: value for key, value in request.args.items() if key not in _PROTOCOL and value}
    complete = all(each.default is not None or each.name in given for each in stored.parameters)
    accept = request.headers.get("Accept")
    if not request.args.get("format") and (
        negotiation.choose(accept, respond.DOCUMENT_FORMATS) is HTML
    ):
        text = graph.stored_query(name, given) if complete else ""
        page = render_template("query.html", stored=stored, given=given, text=text)
        response = Response(page, content_type=HTML.content_type)
        response.vary.update(("Accept", "Accept-Language"))
        return response
    return answer(graph.stored_query(name, given), request.args, editable=False)
