"""The SPARQL 1.1 Protocol (query operation) and its page for browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import UnsupportedMediaType

from clustergraph import pages, rdf
from clustergraph.errors import ClusterGraphError, NotAcceptableError, UsageError, problem
from clustergraph.process import turns
from clustergraph.store import DatasetClause
from clustergraph.web import authorisation, description, negotiation, respond, views
from clustergraph.web.cached import INCOMPLETE
from clustergraph.web.incomplete import honest
from clustergraph.web.negotiation import HTML
from clustergraph.web.parameters import FORM, from_address, from_form, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from clustergraph.rdf import Term
    from clustergraph.sparql import Query

blueprint = Blueprint("sparql", __name__)

_BODY = "application/sparql-query"
_SHORT = {
    "json": rdf.JSON, "xml": rdf.XML, "csv": rdf.CSV, "tsv": rdf.TSV,
    "turtle": rdf.TURTLE, "ttl": rdf.TURTLE, "jsonld": rdf.JSON_LD, "rdfxml": rdf.RDF_XML,
    "rdf": rdf.RDF_XML, "ntriples": rdf.N_TRIPLES, "nt": rdf.N_TRIPLES, "nquads": rdf.N_QUADS,
    "nq": rdf.N_QUADS, "trig": rdf.TRIG, "n3": rdf.TURTLE, "json-ld": rdf.JSON_LD,
    "rdf+xml": rdf.RDF_XML,
}  # fmt: skip
_ROWS_SHOWN = 1000
_ROWS_NAMED = 300
"""Rows whose things are shown with their names."""
DECLARED = "Clustergraph-Declared-Prefixes"
"""The header that names the prefixes that were declared for the query's author."""


@blueprint.route("/sparql", methods=["GET", "POST"])
def sparql() -> Response:
    """Answer a query; without one, describe the service or show the page."""
    given = parameters()
    texts = given.getlist("query")
    if "update" in given:
        raise UsageError("This address answers queries; updates are not taken here.")
    if len(texts) > 1:
        raise UsageError("More than one query was sent.")
    if not texts:
        if request.method == "POST":
            raise UsageError("No query was sent.", hint="Send it as the parameter 'query'.")
        return description.service(
            lambda: render_template("sparql.html", query="", examples=_examples())
        )
    return answer(texts[0], given)


def answer(text: str, parameters: MultiDict[str, str], *, editable: bool = True) -> Response:
    """The answer to a query in the format that the client accepts, or its page for a browser.

    Args:
        text: the query.
        parameters: of the protocol: dataset, format, time limit.
        editable: whether a browser gets the page with the editor; else the page of errors.
    """
    page = editable and _wants_page(parameters)
    try:
        query = views.graph().parse(text)
        if page:
            return _page(text, query, parameters)
        return _stream(query, parameters)
    except ClusterGraphError as error:
        if not page:
            raise
        status, _title = problem(error)
        body = render_template("sparql.html", query=text, error=error, examples=_examples())
        return finish(Response(body, status, content_type=HTML.content_type))


def parameters() -> MultiDict[str, str]:
    """The protocol's parameters, from the address or the body (sections 2.1.1 to 2.1.3).

    Raises:
        UsageError: a body that is not UTF-8.
        UnsupportedMediaType: a body that is no query.
    """
    if request.method in {"GET", "HEAD"}:
        return from_address()
    body = request.get_data()
    turns.begin()
    if request.mimetype == FORM:
        given = from_form(body)
        for name, values in from_address().lists():  # a query in both is one too many
            given.setlist(name, [*given.getlist(name), *values])
        return given
    if request.mimetype != _BODY:
        raise UnsupportedMediaType
    given = from_address()
    given.setlist("query", [text_of(body)])
    return given


def _offered(query: Query) -> tuple[rdf.Format, ...]:
    return rdf.RDF_FORMATS if query.form.is_graph else rdf.RESULTS_FORMATS


def _format(query: Query, parameters: MultiDict[str, str]) -> rdf.Format:
    """The format of the answer: ``format=`` wins over Accept.

    Raises:
        NotAcceptableError: none that the query's form can have.
    """
    offered = _offered(query)
    asked = parameters.get("format")
    if not asked:
        return respond.acceptable(offered)
    found = _SHORT.get(asked) or next((each for each in offered if each.media_type == asked), None)
    if found == rdf.JSON and query.form.is_graph:
        found = rdf.JSON_LD
    if found == rdf.XML and query.form.is_graph:
        found = rdf.RDF_XML
    if found not in offered:
        raise NotAcceptableError(
            f"The answer cannot be written as {asked[:80]!r}.",
            tuple(each.media_type for each in offered),
        )
    return found


def _wants_page(parameters: MultiDict[str, str]) -> bool:
    """Whether a browser asks: HTML by its name, before any format of results."""
    if parameters.get("format") or "html" not in request.headers.get("Accept", ""):
        return False
    offered = (rdf.JSON, HTML, *rdf.RESULTS_FORMATS[1:], *rdf.RDF_FORMATS)
    return negotiation.choose(request.headers.get("Accept"), offered) is HTML


def dataset(parameters: MultiDict[str, str]) -> DatasetClause:
    """The dataset that the protocol's parameters name."""
    return DatasetClause(
        tuple(parameters.getlist("default-graph-uri")),
        tuple(parameters.getlist("named-graph-uri")),
    )


def _seconds(parameters: MultiDict[str, str]) -> float:
    """How long the query may run: what the client may have, or less if it asks for that.

    Raises:
        UsageError: it asks for something that is no time.
    """
    allowed = authorisation.query_seconds()
    text = parameters.get("timeout")
    if not text:
        return allowed
    try:
        seconds = float(text)
    except ValueError as error:
        raise UsageError(f"timeout={text[:40]!r} is no number of seconds.") from error
    if not 0 < seconds < float("inf"):
        raise UsageError("timeout must be a number of seconds above 0.")
    return min(seconds, allowed)


def _stream(query: Query, parameters: MultiDict[str, str]) -> Response:
    """The answer, as it comes from the engine."""
    fmt = _format(query, parameters)
    etag = respond.tag(fmt, query.text, repr(dataset(parameters)))
    if etag in request.if_none_match and request.method != "POST":
        response = Response(status=304)
    else:
        turns.end()
        chunks = views.release().answer(
            query,
            fmt,
            dataset(parameters),
            client=authorisation.client(),
            seconds=_seconds(parameters),
        )
        if request.method == "HEAD":  # it began, so GET would be 200; nobody reads on
            next(chunks, b"")
            chunks.close()  # type: ignore[attr-defined]  # a generator
            chunks = iter(())
        environ = request.environ
        response = Response(
            honest(chunks, fmt, lambda: environ.update({INCOMPLETE: True})),
            content_type=fmt.content_type,
        )
    response.set_etag(etag)
    return finish(response, query)


def finish(response: Response, query: Query | None = None) -> Response:
    """Say what the answer depends on, and what was declared for the query's author."""
    response.vary.add("Accept")
    if query is not None and query.declared:
        response.headers[DECLARED] = ", ".join(query.declared)
    return response


def _page(text: str, query: Query, parameters: MultiDict[str, str]) -> Response:
    """The page with an answer."""
    body = render_template(
        "sparql.html", query=text, examples=_examples(), **shown(query, parameters)
    )
    return finish(Response(body, content_type=HTML.content_type), query)


def shown(query: Query, parameters: MultiDict[str, str]) -> dict[str, object]:
    """An answer as pages show it: a table, a yes or no, or Turtle."""
    fmt = rdf.TURTLE if query.form.is_graph else rdf.JSON
    turns.end()
    chunks = views.release().answer(
        query,
        fmt,
        dataset(parameters),
        client=authorisation.client(),
        seconds=_seconds(parameters),
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
    short = {each: name for name, each in reversed(_SHORT.items())}  # the first name of each
    return answered | {
        "nothing": _is_nothing(answered),
        "number": views.release().manifest.number,
        "formats": [short[each] for each in _offered(query)],
        "declared": {each: views.graph().prefixes[each] for each in query.declared},
        "graphs": parameters,
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
