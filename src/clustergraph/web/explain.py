"""Why a query answers nothing: for programs in JSON, for people as a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from clustergraph.errors import UsageError
from clustergraph.rdf import Format
from clustergraph.web import authorisation, respond, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.protocol import dataset, parameters
from clustergraph.web.sparql import finish

if TYPE_CHECKING:
    from clustergraph.explain import Explanation
    from clustergraph.sparql import Query

blueprint = Blueprint("explain", __name__)

JSON = Format("JSON", "application/json", "json")


@blueprint.route("/sparql/explain", methods=["GET", "POST"])
def explain() -> Response:
    """What a query asks for that nothing matches, and what the data have there.

    Raises:
        UsageError: there is no query, or more than one.
    """
    given = parameters()
    texts = given.getlist("query")
    if len(texts) != 1:
        raise UsageError("Send one query.", hint="Send it as the parameter 'query'.")
    chosen = respond.acceptable((JSON, HTML))
    query = views.graph().parse(texts[0])
    clause = dataset(given)
    etag = respond.tag(chosen, query.text, repr(clause))
    if request.method == "GET" and etag in request.if_none_match:
        response = Response(status=304)
        response.set_etag(etag)
        return finish(response, query)
    found = views.release().explain(query, clause, client=authorisation.client())
    make = _json if chosen is JSON else _page
    response = Response(make(found, query, texts[0]), content_type=chosen.content_type)
    if found.complete:
        response.set_etag(etag)
    else:  # another time there may be more
        response.headers["Cache-Control"] = "no-store"
    return finish(response, query)


def _json(found: Explanation, query: Query, _text: str) -> str:
    fields = asdict(found) | {"declared": list(query.declared)}
    return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def _page(found: Explanation, _query: Query, text: str) -> str:
    return render_template("explain.html", found=found, query=text)
