"""Pages as Markdown: by the suffix ``.md`` or ``Accept: text/markdown`` (RFC 7763)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clustergraph.web import markdown, negotiation
from clustergraph.web.begun import begun

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]

_TYPE = "text/markdown"
_SUFFIX = ".md"
_INDEX = "/index"
_DROPPED = frozenset({"content-length", "content-type", "etag", "repr-digest", "content-location"})
_TAG = re.compile(r'^(W/)?"(.*)"$')
_LONGEST = 8 << 20
"""Bytes of a page beyond which it is given as it is."""


class Twin:
    """WSGI middleware before the application."""

    def __init__(self, app: WSGIApplication, site: str) -> None:
        """Put it before an application.

        Args:
            app: what answers with pages.
            site: where the site is reached, for links; "" if that is not known.
        """
        self._app = app
        self._site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer in Markdown where that is wanted, and as always where not."""
        path = environ.get("PATH_INFO", "")
        named = path.endswith(_SUFFIX)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not (named or _prefers(environ)):
            return self._app(environ, start_response)
        inner = dict(environ)
        if named:
            stem = path.removesuffix(_SUFFIX)
            inner["PATH_INFO"] = f"{stem.removesuffix(_INDEX)}/" if stem.endswith(_INDEX) else stem
        inner["HTTP_ACCEPT"] = "text/html"
        inner["REQUEST_METHOD"] = "GET"
        inner.pop("HTTP_IF_NONE_MATCH", None)
        inner.pop("HTTP_IF_MODIFIED_SINCE", None)
        status, headers, chunks = begun(self._app, inner)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        if not kind.startswith("text/html"):
            start_response(status, headers)
            return chunks
        body = _joined(chunks)
        if len(body) > _LONGEST:
            start_response(status, headers)
            return [body]
        text = markdown.of(body.decode("utf-8", "replace"), self._site, inner["PATH_INFO"])
        content = text.encode()
        kept = [(name, value) for name, value in headers if name.lower() not in _DROPPED]
        tag = next((value for name, value in headers if name.lower() == "etag"), "")
        match = _TAG.match(tag)
        if match:
            tag = f'{match[1] or ""}"{match[2]}-md"'
            kept.append(("ETag", tag))
        if (
            match
            and status.startswith("200")
            and tag.removeprefix("W/") in environ.get("HTTP_IF_NONE_MATCH", "")
        ):
            start_response("304 NOT MODIFIED", kept)
            return []
        kept += [
            ("Content-Type", f"{_TYPE};charset=utf-8"),
            ("Content-Length", str(len(content))),
        ]
        start_response(status, kept)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def _prefers(environ: WSGIEnvironment) -> bool:
    """Whether Markdown is asked for by name, and nothing else more."""
    accept = environ.get("HTTP_ACCEPT", "")
    if _TYPE not in accept:
        return False
    best: tuple[float, int] | None = None
    chosen = ""
    for position, each in enumerate(negotiation.parse_accept(accept)):
        rank = (each.quality, -position)
        if each.subtype != "*" and each.quality > 0 and (best is None or rank > best):
            best, chosen = rank, f"{each.type}/{each.subtype}"
    return chosen == _TYPE


def _joined(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
