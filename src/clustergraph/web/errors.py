"""Errors over HTTP: a page for browsers, RFC 9457 problem details for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from clustergraph import errors, rdf
from clustergraph.rdf import Format
from clustergraph.web import negotiation

if TYPE_CHECKING:
    from flask import Flask

FOUND = "clustergraph.error"
"""In the environment of a request: an error that was found before Flask, which tells it."""
_PROBLEM = Format("problem details", "application/problem+json", "json", ("application/json",))
_TEXT = Format("text", "text/plain", "txt")
_LATER = "Try again soon."
_WORDS = {
    400: "The request cannot be understood.",
    404: "Nothing is known under this address.",
    405: "This address does not answer that method.",
    413: "The request is too large.",
    414: "The address is too long.",
    415: "That kind of content is not read here.",
}


def register(app: Flask) -> None:
    """Turn every exception into an answer for people or programs; tell nothing of the inside."""

    @app.before_request
    def raise_found() -> None:
        found = request.environ.pop(FOUND, None)
        if found is not None:
            raise found

    @app.errorhandler(errors.ClusterGraphError)
    def ours(error: errors.ClusterGraphError) -> Response:
        status, title = errors.problem(error)
        extra: dict[str, object] = {}
        if isinstance(error, errors.QueryError) and error.line is not None:
            extra = {"line": error.line, "column": error.column}
        if isinstance(error, errors.NotAcceptableError):
            extra = {"alternatives": list(error.alternatives)}
        if isinstance(error, errors.ValidationFailedError):
            return _refused(status, title, error)
        detail, hint = error.message, error.hint
        if isinstance(error, errors.EngineError):
            current_app.logger.error("%s", error.message)
            detail, hint = "The graph is held by an engine that is away or out of order.", _LATER
        response = problem(status, title, detail, hint=hint, **extra)
        if isinstance(error, errors.UnauthorisedError):
            response.headers["WWW-Authenticate"] = 'Bearer realm="clustergraph"'
        if (
            isinstance(error, errors.LimitError | errors.EngineError)
            and error.retry_after is not None
        ):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        own = isinstance(error, MethodNotAllowed) and error.description != type(error).description
        words = str(error.description) if own else _WORDS.get(status, error.name + ".")
        response = problem(status, error.name, words)
        kept = {"allow", "location", "retry-after", "www-authenticate"}
        for name, value in error.get_headers():
            if name.lower() in kept:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        current_app.logger.error("unexpected error", exc_info=error)
        return problem(500, "Something went wrong on our side", "The error has been noted.")


def _refused(status: int, title: str, error: errors.ValidationFailedError) -> Response:
    """A write that breaks the shapes: with the report, in the format that the client wants."""
    offered = (_PROBLEM, _TEXT, *rdf.RDF_FORMATS)
    chosen = negotiation.choose(request.headers.get("Accept"), offered)
    documents = error.documents
    if isinstance(chosen, rdf.RdfFormat) and "text/turtle" in documents:
        base = current_app.extensions["clustergraph"].settings.base
        turtle = documents["text/turtle"].encode()
        body = rdf.serialise(
            rdf.parse(turtle, rdf.TURTLE, base=base, name="report"), chosen, {"sh": rdf.SHACL}
        )
        response = Response(body, status, content_type=chosen.content_type)
    elif chosen is _TEXT:
        response = Response(
            f"{error.text}{error.message}\n", status, content_type=_TEXT.content_type
        )
    else:
        report = json.loads(documents.get("application/json", "{}"))
        return problem(status, title, error.message, report=report)
    response.vary.add("Accept")
    return response


def _instead(formats: object) -> list[tuple[str, str]]:
    """The formats that there are, each with the address of what was asked for in it."""
    if not isinstance(formats, tuple | list) or request.method not in {"GET", "HEAD"}:
        return []
    kept = [pair for pair in request.args.items(multi=True) if pair[0] != "format"]
    return [(each, "?" + urlencode([*kept, ("format", each)])) for each in formats]


def problem(
    status: int, title: str, detail: str, *, hint: str | None = None, **extra: object
) -> Response:
    """An error in the form that the client wants."""
    accept = request.headers.get("Accept")
    chosen = negotiation.choose(accept, (_PROBLEM, negotiation.HTML))
    if chosen is negotiation.HTML:
        page = render_template(
            "error.html",
            status=status,
            title=title,
            detail=detail,
            hint=hint,
            alternatives=_instead(extra.get("alternatives")),
        )
        response = Response(page, status, content_type=negotiation.HTML.content_type)
    else:
        fields = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        if hint:
            fields["hint"] = hint
        body = json.dumps(fields | extra, ensure_ascii=False)
        response = Response(body, status, content_type=_PROBLEM.media_type)
    response.vary.add("Accept")
    return response
