"""Time travel by date: documents are their own time gates, with time maps (RFC 7089)."""

from __future__ import annotations

import datetime
import re
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request

from clustergraph.errors import GoneError, UsageError
from clustergraph.rdf import Format
from clustergraph.web import respond, views
from clustergraph.web.asked import current

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as WerkzeugResponse

    from clustergraph.releases import Manifest
    from clustergraph.web.asked import Asked
    from clustergraph.web.respond import Representation

blueprint = Blueprint("memento", __name__)

_PATHS = ("/doc/", "/sparql", "/query/")
"""Where those are that need no page."""
_RELEASE = re.compile(rb"(?:r|%72)(?:e|%65)(?:l|%6[cC])(?:e|%65)(?:a|%61)(?:s|%73)(?:e|%65)(?:=|$)")
"""The parameter that names a release, however it is spelt."""
LINKS = Format("link format", "application/link-format", "links")
_TRAVELLING = frozenset(
    {"documents.document", "documents.other", "sparql.sparql", "stored.query", "home.home"}
)
"""Endpoints whose answers exist at every release."""


def register(app: Flask) -> None:
    """Let documents answer Accept-Datetime, and say when the state that they show was published."""

    @app.before_request
    def travel() -> WerkzeugResponse | None:
        asked = current()
        if request.endpoint not in _TRAVELLING or not travels(asked):
            return None
        chosen = _at(_date(asked.header("Accept-Datetime") or ""))
        response = redirect(_memento(chosen), 302)
        response.vary.add("Accept-Datetime")
        response.headers["Link"] = ", ".join(_links())
        return response

    @app.after_request
    def say(response: Response) -> Response:
        if request.endpoint not in _TRAVELLING or response.status_code >= 400:
            return response
        response.vary.add("Accept-Datetime")
        if response.status_code != 302:
            known = response.headers.get("Link")
            links = ([known] if known else []) + list(_links())
            response.headers["Link"] = ", ".join(links)
        response.headers.extend(_moments(current()))
        return response


def exists_in_each(path: str) -> bool:
    """Whether what is answered directly at an address exists at every release by ``?release=``."""
    return path.startswith(_PATHS)


def travels(asked: Asked) -> bool:
    """Whether somebody wants to be led to an earlier state of what they ask for."""
    return (
        asked.method in {"GET", "HEAD"}
        and asked.header("Accept-Datetime") is not None
        and "release" not in asked.arguments
    )


def tell(found: Representation, asked: Asked) -> None:
    """Say of a representation that it exists at every release, and of which one this is."""
    found.vary = (*found.vary, "Accept-Datetime")
    found.links += _links()
    found.headers += _moments(asked)


def _moments(asked: Asked) -> list[tuple[str, str]]:
    """When the state was published that is shown, where one was asked for."""
    if "release" not in asked.arguments:
        return []
    created = _moment(views.release().manifest)
    return [("Memento-Datetime", format_datetime(created, usegmt=True))]


def _date(text: str) -> datetime.datetime:
    """The date of Accept-Datetime.

    Raises:
        UsageError: it is none (4.5.3: 400).
    """
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Accept-Datetime: {text[:60]!r} is no date.",
            hint="Write it as in: Thu, 31 May 2007 20:35:00 GMT",
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _moment(manifest: Manifest) -> datetime.datetime:
    return datetime.datetime.fromisoformat(manifest.created).astimezone(datetime.UTC)


def _at(moment: datetime.datetime) -> Manifest:
    """The release that was current at a moment, of those that are kept; else the first of them.

    Raises:
        GoneError: no release is kept.
    """
    kept = views.graph().releases()
    if not kept:
        raise GoneError("No release is kept.")
    return next((each for each in kept if _moment(each) <= moment), kept[-1])


def _original() -> str:
    """The address of what was asked for, as it is today."""
    root = views.graph().settings.public_url
    asked = current()
    text = asked.query_string
    if "release" in asked.arguments:
        text = b"&".join(each for each in text.split(b"&") if not _RELEASE.match(each))
    query = quote(text, safe=_QUERY)
    path = quote(asked.path, safe=_PATH)
    return f"{root}{path}" + (f"?{query}" if query else "")


def _memento(manifest: Manifest) -> str:
    original = _original()
    return f"{original}{'&' if '?' in original else '?'}release={manifest.number}"


def _links() -> tuple[str, ...]:
    original = _original()
    root = views.graph().settings.public_url
    timemap = f"{root}/timemap{original.removeprefix(root)}"
    return (
        f'<{original}>; rel="original timegate"',
        f'<{timemap}>; rel="timemap"; type="{LINKS.media_type}"',
    )


@blueprint.route("/timemap/", defaults={"path": ""})
@blueprint.route("/timemap/<path:path>")
def timemap(path: str) -> Response:
    """The mementos of a document: one for each release that is kept (section 5)."""
    respond.acceptable((LINKS,))
    root = views.graph().settings.public_url
    query = request.query_string.decode("ascii", "replace")
    original = f"{root}/{quote(path, safe=_PATH)}"
    original += f"?{quote(query, safe=_QUERY)}" if query else ""
    joint = "&" if query else "?"

    def make() -> str:
        lines = [
            f'<{original}>; rel="original timegate"',
            f'<{root}/timemap/{quote(path, safe=_PATH)}>; rel="self"; type="{LINKS.media_type}"',
        ]
        kept = list(reversed(views.graph().releases()))
        for position, each in enumerate(kept):
            first = " first" if position == 0 else ""
            last = " last" if position == len(kept) - 1 else ""
            moment = format_datetime(_moment(each), usegmt=True)
            lines.append(
                f'<{original}{joint}release={each.number}>; rel="{(first + last).strip()}'
                f'{" " if first or last else ""}memento"; datetime="{moment}"'
            )
        return ",\n".join(lines) + "\n"

    return respond.represent(LINKS, make)


_PATH, _QUERY = "/:@!$&'()*+,;=~", "&=%+-._~/:@!$'()*,;?"
