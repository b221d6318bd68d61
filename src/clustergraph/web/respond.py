"""Answers with a representation: negotiated, validated by ETag, linked to its alternatives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from flask import Response

from clustergraph import rdf
from clustergraph.errors import NotAcceptableError
from clustergraph.web import negotiation, views
from clustergraph.web.asked import current
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

F = TypeVar("F", bound=rdf.Format)

DOCUMENT_FORMATS: tuple[rdf.Format, ...] = (rdf.TURTLE, HTML, *rdf.RDF_FORMATS[1:])
"""Formats of a document: Turtle for whoever takes anything."""

_BY_SUFFIX = {each.suffix: each for each in DOCUMENT_FORMATS}


@dataclass
class Representation:
    """An answer of 200 or 304, before the headers that every answer has."""

    etag: str
    """Without quotes."""
    vary: tuple[str, ...]
    content_type: str = ""
    body: bytes | None = None
    """None if the client holds it, or it comes in ``chunks``."""
    chunks: Iterable[bytes] | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Values of the Link header."""
    fresh: bool = False
    """Whether the client holds it."""


def acceptable(offered: Sequence[F], named: str = "") -> F:
    """The format that the client accepts best; ``format=`` names one by its suffix.

    Args:
        offered: those that there are.
        named: the name of one, where a form gives it.

    Raises:
        NotAcceptableError: none.
    """
    asked = current()
    named = named or asked.arguments.get("format", "")
    if named:
        found = next((each for each in offered if named in {each.suffix, each.media_type}), None)
        if found is None:
            raise NotAcceptableError(
                f"Nothing here is {named[:80]!r}.", tuple(each.suffix for each in offered)
            )
        return found
    accept = asked.header("Accept")
    chosen = negotiation.choose(accept, offered)
    if chosen is None:
        raise NotAcceptableError(
            f"Nothing here is {(accept or '')[:200]}.",
            tuple(each.media_type for each in offered),
        )
    return chosen


def split_suffix(path: str) -> tuple[str, rdf.Format | None]:
    """A path without the suffix that names a format, and that format."""
    stem, dot, suffix = path.rpartition(".")
    if dot and "/" not in suffix and suffix in _BY_SUFFIX and stem:
        return stem, _BY_SUFFIX[suffix]
    return path, None


def representation(
    fmt: rdf.Format,
    make: Callable[[], str | bytes],
    *,
    links: Sequence[str] = (),
    location: str | None = None,
    parts: Sequence[str] = (),
) -> Representation:
    """One format of something, or 304 if the client holds it; ``make`` is only called if needed.

    Args:
        fmt: of the representation.
        make: makes it.
        links: values of the Link header.
        location: the address of this very representation.
        parts: what it depends on beside the release.
    """
    etag = tag(fmt, *parts)
    vary = ("Accept", "Accept-Language") if fmt is HTML else ("Accept",)
    found = Representation(etag, vary, fmt.content_type, links=[*links])
    if current().holds(etag):
        found.fresh = True
    else:
        made = make()
        found.body = made.encode() if isinstance(made, str) else made
    if location:
        found.headers.append(("Content-Location", location))
    return found


def represent(
    fmt: rdf.Format,
    make: Callable[[], str | bytes],
    *,
    links: Sequence[str] = (),
    location: str | None = None,
    parts: Sequence[str] = (),
) -> Response:
    """The same as Flask answers it; see ``representation``."""
    return response(representation(fmt, make, links=links, location=location, parts=parts))


def response(found: Representation) -> Response:
    """A representation as Flask answers it."""
    if found.fresh:
        answer = Response(status=304)
    else:
        answer = Response(found.body, content_type=found.content_type)
    answer.set_etag(found.etag)
    answer.vary.update(found.vary)
    answer.headers.extend(found.headers)
    if found.links:
        answer.headers["Link"] = ", ".join(found.links)
    return answer


def tag(fmt: rdf.Format, *parts: str) -> str:
    """The validator of a representation: release, address, format, and languages of a page."""
    environ = current().environ
    varying = [environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), fmt.media_type]
    varying += parts
    if fmt is HTML:
        varying += views.languages()
    digest = hashlib.sha256("\n".join(varying).encode()).hexdigest()[:16]
    return f"{views.release().etag}-{digest}"
