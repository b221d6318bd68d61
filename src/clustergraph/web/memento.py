"""Time travel by date: documents are their own time gates, with time maps (RFC 7089)."""

from __future__ import annotations

import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request

from clustergraph.errors import GoneError, UsageError
from clustergraph.rdf import Format
from clustergraph.web import respond, views

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as WerkzeugResponse

    from clustergraph.releases import Manifest

blueprint = Blueprint("memento", __name__)

LINKS = Format("link format", "application/link-format", "links")
_TRAVELLING = frozenset(
    {"documents.document", "documents.other", "sparql.sparql", "stored.query", "home.home"}
)
"""Endpoints whose answers exist at every release."""


def register(app: Flask) -> None:
    """Let documents answer Accept-Datetime, and say when the state that they show was published."""

    @app.before_request
    def travel() -> WerkzeugResponse | None:
        wanted = request.headers.get("Accept-Datetime")
        if wanted is None or request.endpoint not in _TRAVELLING or "release" in request.args:
            return None
        if request.method not in {"GET", "HEAD"}:
            return None
        chosen = _at(_date(wanted))
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
        if "release" in request.args:
            created = _moment(views.release().manifest)
            response.headers["Memento-Datetime"] = format_datetime(created, usegmt=True)
        return response


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
    arguments = [
        (name, value) for name, value in request.args.items(multi=True) if name != "release"
    ]
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in arguments)
    path = quote(request.path, safe="/:@!$&'()*+,;=~")
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
