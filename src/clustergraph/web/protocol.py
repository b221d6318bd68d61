"""The SPARQL 1.1 Protocol (query operation), for programs; browsers get pages (``sparql``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.exceptions import UnsupportedMediaType

from clustergraph import rdf
from clustergraph.errors import NotAcceptableError, UsageError
from clustergraph.process import turns
from clustergraph.store import DatasetClause, Whole
from clustergraph.web import authorisation, negotiation, respond, views
from clustergraph.web.asked import current
from clustergraph.web.cached import INCOMPLETE
from clustergraph.web.incomplete import honest
from clustergraph.web.negotiation import HTML
from clustergraph.web.parameters import FORM, from_address, from_form, text_of
from clustergraph.web.respond import Representation

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from clustergraph.sparql import Query

_BODY = "application/sparql-query"
SHORT = {
    "json": rdf.JSON, "xml": rdf.XML, "csv": rdf.CSV, "tsv": rdf.TSV,
    "turtle": rdf.TURTLE, "ttl": rdf.TURTLE, "jsonld": rdf.JSON_LD, "rdfxml": rdf.RDF_XML,
    "rdf": rdf.RDF_XML, "ntriples": rdf.N_TRIPLES, "nt": rdf.N_TRIPLES, "nquads": rdf.N_QUADS,
    "nq": rdf.N_QUADS, "trig": rdf.TRIG, "n3": rdf.TURTLE, "json-ld": rdf.JSON_LD,
    "rdf+xml": rdf.RDF_XML,
}  # fmt: skip
"""Formats by the names that ``format=`` takes beside media types."""
DECLARED = "Clustergraph-Declared-Prefixes"
"""The header that names the prefixes that were declared for the query's author."""
_ADDRESS = re.compile(r"/sparql|/releases/\d+/sparql")


def is_endpoint(path: str) -> bool:
    """Whether an address answers queries."""
    return _ADDRESS.fullmatch(path) is not None


def direct() -> Representation | None:
    """The answer to the query that is sent; None if a page or a description is wanted.

    Raises:
        ClusterGraphError: it cannot be answered.
        HTTPException: the body cannot be read.
    """
    given = parameters()
    text = query_in(given)
    if text is None or wants_page(given):
        return None
    return answered(text, given)


def parameters() -> MultiDict[str, str]:
    """The protocol's parameters, from the address or the body (sections 2.1.1 to 2.1.3).

    Raises:
        UsageError: a body that is not UTF-8.
        UnsupportedMediaType: a body that is no query.
    """
    asked = current()
    if asked.method in {"GET", "HEAD"}:
        return from_address()
    body = asked.body()
    turns.begin()
    if asked.media_type == FORM:
        given = from_form(body)
        for name, values in from_address().lists():  # a query in both is one too many
            given.setlist(name, [*given.getlist(name), *values])
        return given
    if asked.media_type != _BODY:
        raise UnsupportedMediaType
    given = from_address()
    given.setlist("query", [text_of(body)])
    return given


def query_in(given: MultiDict[str, str]) -> str | None:
    """The query among the parameters; None if somebody only looks what is here.

    Raises:
        UsageError: an update, more than one query, or none where one must be.
    """
    texts = given.getlist("query")
    if "update" in given:
        raise UsageError("This address answers queries; updates are not taken here.")
    if len(texts) > 1:
        raise UsageError("More than one query was sent.")
    if not texts and current().method == "POST":
        raise UsageError("No query was sent.", hint="Send it as the parameter 'query'.")
    return texts[0] if texts else None


def wants_page(given: MultiDict[str, str]) -> bool:
    """Whether a browser asks: HTML by its name, before any format of results."""
    accept = current().header("Accept")
    if given.get("format") or not accept or "html" not in accept:
        return False
    offered = (rdf.JSON, HTML, *rdf.RESULTS_FORMATS[1:], *rdf.RDF_FORMATS)
    return negotiation.choose(accept, offered) is HTML


def answered(text: str, given: MultiDict[str, str]) -> Representation:
    """The answer to a query, as it comes from the engine, in the format that the client accepts.

    Args:
        text: the query.
        given: parameters of the protocol: dataset, format, time limit.

    Raises:
        QueryError: it cannot be run.
        NotAcceptableError: it cannot be written so.
        LimitError: it takes more than it may.
    """
    query = views.graph().parse(text)
    fmt = _format(query, given)
    clause = dataset(given)
    asked = current()
    found = Representation(
        respond.tag(fmt, query.text, repr(clause)), ("Accept",), fmt.content_type
    )
    if query.declared:
        found.headers.append((DECLARED, ", ".join(query.declared)))
    if asked.method != "POST" and asked.holds(found.etag):
        found.fresh = True
    else:
        seconds, client, release = seconds_for(given), authorisation.client(), views.release()
        turns.end()
        chunks = release.answer(query, fmt, clause, client=client, seconds=seconds)
        if asked.method == "HEAD":  # it began, so GET would be 200; nobody reads on
            next(chunks, b"")
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        elif isinstance(chunks, Whole):
            found.body = chunks.content
        else:
            environ = asked.environ
            found.chunks = honest(chunks, fmt, lambda: environ.update({INCOMPLETE: True}))
    return found


def offered_for(query: Query) -> tuple[rdf.Format, ...]:
    """The formats in which the answer to a query can be written."""
    return rdf.RDF_FORMATS if query.form.is_graph else rdf.RESULTS_FORMATS


def _format(query: Query, given: MultiDict[str, str]) -> rdf.Format:
    """The format of the answer: ``format=`` wins over Accept.

    Raises:
        NotAcceptableError: none that the query's form can have.
    """
    offered = offered_for(query)
    asked = given.get("format")
    if not asked:
        return respond.acceptable(offered)
    found = SHORT.get(asked) or next((each for each in offered if each.media_type == asked), None)
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


def dataset(given: MultiDict[str, str]) -> DatasetClause:
    """The dataset that the protocol's parameters name."""
    return DatasetClause(
        tuple(given.getlist("default-graph-uri")),
        tuple(given.getlist("named-graph-uri")),
    )


def seconds_for(given: MultiDict[str, str]) -> float:
    """How long the query may run: what the client may have, or less if it asks for that.

    Raises:
        UsageError: it asks for something that is no time.
    """
    allowed = authorisation.query_seconds()
    text = given.get("timeout")
    if not text:
        return allowed
    try:
        seconds = float(text)
    except ValueError as error:
        raise UsageError(f"timeout={text[:40]!r} is no number of seconds.") from error
    if not 0 < seconds < float("inf"):
        raise UsageError("timeout must be a number of seconds above 0.")
    return min(seconds, allowed)
