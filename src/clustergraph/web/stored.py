"""Stored queries: each a page with a form, and a call with typed parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template

from clustergraph import examples, rdf
from clustergraph.errors import ClusterGraphError, NotFoundError, ParameterError, problem
from clustergraph.queries import RESERVED
from clustergraph.rdf import Format
from clustergraph.web import negotiation, respond, views
from clustergraph.web.asked import current
from clustergraph.web.negotiation import HTML
from clustergraph.web.protocol import answered
from clustergraph.web.sparql import finish, shown

if TYPE_CHECKING:
    from clustergraph.queries import StoredQuery
    from clustergraph.web.respond import Representation

blueprint = Blueprint("stored", __name__)

_QUERY = "/query/"

JSON = Format("JSON", "application/json", "json")


@blueprint.route("/query")
def queries() -> Response:
    """All stored queries: a page, JSON, or RDF with their texts (``sh:SPARQLExecutable``)."""
    chosen = respond.acceptable((HTML, JSON, *rdf.RDF_FORMATS))
    found = sorted(views.release().queries.values(), key=lambda each: each.name)

    def make() -> str | bytes:
        if isinstance(chosen, rdf.RdfFormat):
            described = examples.describe(found, views.graph().settings)
            return rdf.serialise(described, chosen, views.graph().prefixes)
        if chosen is JSON:
            entries = [_entry(each) for each in found]
            return json.dumps({"queries": entries}, ensure_ascii=False, indent=1) + "\n"
        return render_template("queries.html", queries=found)

    return respond.represent(chosen, make)


def _entry(query: StoredQuery) -> dict[str, Any]:
    """A stored query for programs."""
    return {
        "name": query.name,
        "title": query.title,
        "description": query.description,
        "address": f"{views.graph().settings.public_url}/query/{query.name}",
        "parameters": [
            {
                "name": each.name,
                "type": each.type,
                "description": each.description,
                "default": each.default,
            }
            for each in query.parameters
        ],
    }


def is_call(path: str) -> bool:
    """Whether an address is that of a stored query."""
    return path.startswith(_QUERY) and "/" not in path[len(_QUERY) :]


def direct() -> Representation | None:
    """The answer to the stored query that is asked for; None if its page is wanted.

    Raises:
        NotFoundError: there is no such query.
        ParameterError: a value is missing or does not fit.
        ClusterGraphError: it cannot be answered.
    """
    asked = current()
    stored = _found(asked.path.removeprefix(_QUERY))
    chosen = negotiation.choose(asked.header("Accept"), respond.DOCUMENT_FORMATS)
    if chosen is HTML and not asked.arguments.get("format"):
        return None
    return answered(views.graph().stored_query(stored.name, _given()), asked.arguments)


@blueprint.route(f"{_QUERY}<name>")
def query(name: str) -> Response:
    """The page of a stored query; calls were answered before this is reached."""
    stored, given = _found(name), _given()
    complete = all(each.default is not None or each.name in given for each in stored.parameters)
    return _page(stored, given, complete=complete)


def _found(name: str) -> StoredQuery:
    stored = views.release().queries.get(name)
    if stored is None:
        raise NotFoundError(f"There is no stored query {name!r}.", hint="All of them: /query")
    return stored


def _given() -> dict[str, str]:
    """The values that the address sets; an empty one, as a form sends it, is none.

    Raises:
        ParameterError: one is set twice.
    """
    found: dict[str, str] = {}
    for name, values in current().arguments.lists():
        if name in RESERVED:
            continue
        if len(values) > 1:
            raise ParameterError(f"{name} is set more than once.")
        if values[0]:
            found[name] = values[0]
    return found


def _page(stored: StoredQuery, given: dict[str, str], *, complete: bool) -> Response:
    """The form of a stored query, and its answer if all its parameters are set."""
    parsed = error = None
    text, answered = "", {}
    try:
        text = views.graph().stored_query(stored.name, given) if complete else ""
        if text:
            parsed = views.graph().parse(text)
            answered = shown(parsed, current().arguments)
    except ClusterGraphError as caught:  # the form is there to mend it
        error = caught
    body = render_template(
        "query.html", stored=stored, given=given, text=text, error=error, **answered
    )
    response = Response(body, problem(error)[0] if error else 200, content_type=HTML.content_type)
    response.vary.add("Accept-Language")
    return finish(response, parsed)
