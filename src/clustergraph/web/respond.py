"""Answers with a representation: negotiated, validated by ETag, linked to its alternatives."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from flask import Response, request

from clustergraph import rdf
from clustergraph.errors import NotAcceptableError
from clustergraph.web import negotiation, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

F = TypeVar("F", bound=rdf.Format)

DOCUMENT_FORMATS: tuple[rdf.Format, ...] = (rdf.TURTLE, HTML, *rdf.RDF_FORMATS[1:])
"""Formats of a document: Turtle for whoever takes anything."""

_BY_SUFFIX = {each.suffix: each for each in DOCUMENT_FORMATS}


def acceptable(offered: Sequence[F], named: str = "") -> F:
    """The format that the client accepts best; ``format=`` names one by its suffix.

    Args:
        offered: those that there are.
        named: the name of one, where a form gives it.

    Raises:
        NotAcceptableError: none.
    """
    named = named or request.args.get("format", "")
    if named:
        found = next((each for each in offered if named in {each.suffix, each.media_type}), None)
        if found is None:
            raise NotAcceptableError(
                f"Nothing here is {named[:80]!r}.", tuple(each.suffix for each in offered)
            )
        return found
    chosen = negotiation.choose(request.headers.get("Accept"), offered)
    if chosen is None:
        raise NotAcceptableError(
            f"Nothing here is {request.headers.get('Accept', '')[:200]}.",
            tuple(each.media_type for each in offered),
        )
    return chosen


def split_suffix(path: str) -> tuple[str, rdf.Format | None]:
    """A path without the suffix that names a format, and that format."""
    stem, dot, suffix = path.rpartition(".")
    if dot and "/" not in suffix and suffix in _BY_SUFFIX and stem:
        return stem, _BY_SUFFIX[suffix]
    return path, None


def represent(
    fmt: rdf.Format,
    make: Callable[[], str | bytes],
    *,
    links: Sequence[str] = (),
    location: str | None = None,
    parts: Sequence[str] = (),
) -> Response:
    """An answer in one format, or 304 if the client holds it; ``make`` is only called if needed.

    Args:
        fmt: of the representation.
        make: makes it.
        links: values of the Link header.
        location: the address of this very representation.
        parts: what it depends on beside the release.
    """
    etag = tag(fmt, *parts)
    if etag in request.if_none_match:
        response = Response(status=304)
    else:
        response = Response(make(), content_type=fmt.content_type)
    response.set_etag(etag)
    response.vary.update(("Accept", "Accept-Language") if fmt is HTML else ("Accept",))
    if links:
        response.headers["Link"] = ", ".join(links)
    if location:
        response.headers["Content-Location"] = location
    return response


def tag(fmt: rdf.Format, *parts: str) -> str:
    """The validator of a representation: release, address, format, and languages of a page."""
    varying = [request.full_path, fmt.media_type, *parts]
    if fmt is HTML:
        varying += views.languages()
    digest = hashlib.sha256("\n".join(varying).encode()).hexdigest()[:16]
    return f"{views.release().etag}-{digest}"
