"""SPARQL 1.1 Update over HTTP (SPARQL 1.1 Protocol section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed, UnsupportedMediaType

from clustergraph.errors import UsageError
from clustergraph.releases import Write
from clustergraph.web import views, writes
from clustergraph.web.parameters import FORM, from_address, from_form, text_of

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

blueprint = Blueprint("updates", __name__)

BODY = "application/sparql-update"


@blueprint.route("/update", methods=["GET", "POST"])
def update() -> Response:
    """Publish an update, sent as a form or as the body."""
    token = writes.author()
    if request.method != "POST":
        raise MethodNotAllowed(valid_methods=["POST", "OPTIONS"])
    text, parameters = _request()
    written = writes.publish(
        Write(
            method="UPDATE",
            payload=text,
            using=tuple(parameters.getlist("using-graph-uri")),
            using_named=tuple(parameters.getlist("using-named-graph-uri")),
            base=views.graph().settings.iri("update"),
        ),
        token,
    )
    return writes.answered(written, 200)


def _request() -> tuple[bytes, MultiDict[str, str]]:
    """The text of the update and the protocol's parameters.

    Raises:
        UsageError: there is no update, or more than one, or it is not UTF-8.
        UnsupportedMediaType: a body that is no update.
    """
    if request.mimetype == FORM:
        parameters = from_form(writes.body())
        texts = [each.encode() for each in parameters.getlist("update")]
    elif request.mimetype == BODY:
        parameters = from_address()
        texts = [text_of(writes.body()).encode()]
    else:
        raise UnsupportedMediaType
    if "query" in parameters:
        raise UsageError("This address takes updates; queries are answered by /sparql.")
    if len(texts) != 1 or not texts[0].strip():
        raise UsageError(
            "No update was sent." if not texts or len(texts) == 1 else "More than one was sent.",
            hint="Send one, as the parameter 'update' or as a body of type " + BODY + ".",
        )
    return texts[0], parameters
