"""What requests that write have in common: who may, on which condition, and the answer."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Response, request

from clustergraph.errors import NotFoundError, OverloadedError
from clustergraph.releases import Write
from clustergraph.web import authorisation, views

if TYPE_CHECKING:
    from clustergraph.tokens import Token
    from clustergraph.writing import Written

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
_LENIENT = re.compile(r"\bhandling\s*=\s*\"?lenient\"?", re.IGNORECASE)
_MESSAGE = "Change-Message"
_LONGEST_MESSAGE = 500
_at_once = threading.BoundedSemaphore(8)  # writes wait long; reads shall find free threads


def author() -> Token:
    """The token of a request that writes.

    Raises:
        NotFoundError: no token was ever made: nothing is written over HTTP.
        UnauthorisedError: the request carries none, or one that is not valid.
    """
    if not views.graph().tokens.configured():
        raise NotFoundError("Nothing is known under this address.")
    return authorisation.bearer()


def publish(write: Write, token: Token) -> Written:
    """Publish a write with all that its request says of it.

    Raises:
        ClusterGraphError: it was refused or could not be done.
    """
    write = replace(
        write,
        who=token.name,
        why=_message(),
        grant=token.grant,
        lenient=lenient(),
        if_match=_tags("If-Match"),
        if_new=request.headers.get("If-None-Match", "").strip() == "*",
    )
    if not _at_once.acquire(blocking=False):
        raise OverloadedError("Too many writes are waiting.", hint="Try again in a few seconds.")
    try:
        return views.graph().write(write)
    finally:
        _at_once.release()


def _message() -> str:
    """Why, in the client's words: headers come as Latin-1, and are meant as UTF-8."""
    sent = request.headers.get(_MESSAGE, "").encode("latin-1", "replace")
    return sent.decode("utf-8", "replace")[:_LONGEST_MESSAGE]


def lenient() -> bool:
    """Whether the client accepts warnings (RFC 7240)."""
    return any(_LENIENT.search(each) for each in request.headers.getlist("Prefer"))


def _tags(header: str) -> tuple[str, ...]:
    value = request.headers.get(header, "").strip()
    return ("*",) if value == "*" else tuple(_ETAG.findall(value))


def body() -> bytes:
    """The request's body, as large as a document may be.

    Raises:
        RequestEntityTooLarge: it is larger.
    """
    request.max_content_length = views.graph().settings.max_upload << 20
    return request.get_data(cache=False)


def answered(written: Written, status: int) -> Response:
    """The answer to a write that is done."""
    if status == 204:
        response = Response(status=204)
        del response.headers["Content-Type"]
    else:
        fields = {
            "release": written.number,
            "added": written.added,
            "removed": written.removed,
        }
        response = Response(json.dumps(fields) + "\n", status, content_type="application/json")
    response.set_etag(written.etag)
    response.headers["Cache-Control"] = "no-store"
    if lenient():
        response.headers["Preference-Applied"] = "handling=lenient"
    return response
