"""Headers of every answer: security, CORS for reading, and how long it may be kept."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from flask import request

from clustergraph.web.asked import current

if TYPE_CHECKING:
    from flask import Flask, Response

    from clustergraph.web.asked import Asked

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Encoding, Content-Type, "
    "If-None-Match",
    "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After, Content-Location, "
    "Memento-Datetime, Clustergraph-Release, Clustergraph-Declared-Prefixes, Repr-Digest, "
    "Server-Timing",
    "Access-Control-Max-Age": "86400",
}


_ALWAYS = tuple(_SECURITY.items())
_READABLE = (*_ALWAYS, *_CORS.items())
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKED_BY_POST = frozenset(
    {"sparql.sparql", "explain.explain", "terms.labels", "validate.validate", "reconcile.service",
     "reconcile.match", "reconcile.extend"}
)  # fmt: skip
"""What is read with POST; pages of other sites may do so. They never write: a token is needed."""


def of_answer(asked: Asked, *, readable: bool) -> list[tuple[str, str]]:
    """The headers of an answer, beside those of its own.

    Args:
        asked: what is answered.
        readable: whether pages of other sites may read it.
    """
    found = list(_READABLE if readable else _ALWAYS)
    if asked.opened is not None:
        found.append(("Clustergraph-Release", str(asked.opened.manifest.number)))
    found.append(("Cache-Control", "no-store" if asked.is_personal else "no-cache"))
    return found


def digest(body: bytes) -> tuple[str, str]:
    """The header that tells the content from any other (RFC 9530)."""
    encoded = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return "Repr-Digest", f"sha-256=:{encoded}:"


def register(app: Flask) -> None:
    """Add the headers to every answer of Flask, errors included."""

    @app.after_request
    def add(response: Response) -> Response:
        nothing = request.endpoint is None  # no such address or method: pages may be told so
        readable = nothing or request.method in _SAFE or request.endpoint in _ASKED_BY_POST
        asked = current()
        if asked.is_personal:
            del response.headers["Cache-Control"]
            response.vary.add("Authorization")
        told = {name.lower() for name, _value in response.headers}
        more = of_answer(asked, readable=readable)
        if (
            response.status_code == 200
            and not response.is_streamed
            and not response.direct_passthrough
        ):
            more.append(digest(response.get_data()))
        response.headers.extend([each for each in more if each[0].lower() not in told])
        return response
