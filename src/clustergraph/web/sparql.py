"""The page of the SPARQL endpoint for browsers, and its description; answers: ``protocol``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request

from clustergraph import pages, rdf
from clustergraph.errors import ClusterGraphError, problem
from clustergraph.process import turns
from clustergraph.web import authorisation, description, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.protocol import (
    DECLARED,
    SHORT,
    dataset,
    offered_for,
    parameters,
    query_in,
    seconds_for,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from clustergraph.rdf import Term
    from clustergraph.sparql import Query

blueprint = Blueprint("sparql", __name__)

_ROWS_SHOWN = 1000
_ROWS_NAMED = 300
"""Rows whose things are shown with their names."""


@blueprint.route("/sparql", methods=["GET", "POST"])
def sparql() -> Response:
    """The page with the answer to a query; without one, the description or the empty page.

    Programs were answered before this is reached.
    """
    given = parameters()
    text = query_in(given)
    if text is None:
        return description.service(
            lambda: render_template("sparql.html", query="", examples=_examples())
        )
    try:
        return _page(text, views.graph().parse(text), given)
    except ClusterGraphError as error:
        status, _title = problem(error)
        body = render_template("sparql.html", query=text, error=error, examples=_examples())
        return finish(Response(body, status, content_type=HTML.content_type))


def finish(response: Response, query: Query | None = None) -> Response:
    """Say what the answer depends on, and what was declared for the query's author."""
    response.vary.add("Accept")
    if query is not None and query.declared:
        response.headers[DECLARED] = ", ".join(query.declared)
    return response


def _page(text: str, query: Query, given: MultiDict[str, str]) -> Response:
    """The page with an answer."""
    body = render_template("sparql.html", query=text, examples=_examples(), **shown(query, given))
    return finish(Response(body, content_type=HTML.content_type), query)


def shown(query: Query, given: MultiDict[str, str]) -> dict[str, object]:
    """An answer as pages show it: a table, a yes or no, or Turtle."""
    fmt = rdf.TURTLE if query.form.is_graph else rdf.JSON
    turns.end()
    chunks = views.release().answer(
        query,
        fmt,
        dataset(given),
        client=authorisation.client(),
        seconds=seconds_for(given),
    )
    content = b"".join(chunks)
    turns.begin()
    answered: dict[str, object] = {}
    if query.form.is_graph:
        answered["turtle"] = content.decode()
    else:
        results = ox.parse_query_results(content, rdf.JSON.engine)
        if isinstance(results, ox.QueryBoolean):
            answered["boolean"] = bool(results)
        else:
            names = [variable.value for variable in results.variables]
            rows = [[row[name] for name in names] for row in results]
            answered |= {"names": names, "rows": rows[:_ROWS_SHOWN], "total": len(rows)}
            answered |= _drawn(names, rows[:_ROWS_SHOWN])
    short = {each: name for name, each in reversed(SHORT.items())}  # the first name of each
    return answered | {
        "nothing": _is_nothing(answered),
        "number": views.release().manifest.number,
        "formats": [short[each] for each in offered_for(query)],
        "declared": {each: views.graph().prefixes[each] for each in query.declared},
        "graphs": given,
        "release": (request.view_args or {}).get("number") or request.args.get("release"),
    }


def _drawn(names: Sequence[str], rows: Sequence[Sequence[Term | None]]) -> dict[str, object]:
    """Names for the things of an answer, and what can be drawn of it."""
    labels = pages.Labels(views.release().store, views.languages())
    found = [
        {name: term for name, term in zip(names, row, strict=True) if term is not None}
        for row in rows[:_ROWS_NAMED]
    ]
    labels.fetch(
        term.value for row in found for term in row.values() if isinstance(term, ox.NamedNode)
    )
    return {"picture": pages.picture(found, labels), "known": labels}


def _is_nothing(answered: Mapping[str, object]) -> bool:
    """Whether an answer holds nothing: then the page offers to explain it."""
    return (
        answered.get("total") == 0
        or answered.get("boolean") is False
        or not str(answered.get("turtle", "x")).strip()
    )


def _examples() -> Sequence[tuple[str, str, str]]:
    """Name, title and text of the stored queries, parameters set to their defaults."""
    base = views.graph().settings.base
    return [
        (each.name, each.title, each.bound({}, base))
        for each in sorted(views.release().queries.values(), key=lambda each: each.name)
        if all(parameter.default is not None for parameter in each.parameters)
    ]
