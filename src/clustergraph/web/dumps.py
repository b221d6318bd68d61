"""Dumps: the whole public graph as files, of the newest release that was written and of earlier."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request

from clustergraph.dumps.kept import INDEX, SUMS, Dump
from clustergraph.errors import NotFoundError, UsageError
from clustergraph.rdf import Format
from clustergraph.web import files, respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as WerkzeugResponse

blueprint = Blueprint("dumps", __name__, url_prefix="/dump")

_JSON = Format("JSON", "application/json", "json")
_LATEST = "latest"
_SOON = "5"
"""Seconds after which it is worth asking again."""
_DAY = "public, max-age=86400, immutable"
"""For what has a release's number in its address: kept for a day, since it may be forgotten."""


@blueprint.route("/")
def index() -> Response:
    """What can be downloaded: the newest, and the releases of which there are files."""
    return _listing(_LATEST)


@blueprint.route("/<release>/")
def listing(release: str) -> Response:
    """The files of a release."""
    return _listing(release)


@blueprint.route("/<release>/<name>")
def file(release: str, name: str) -> Response | WerkzeugResponse:
    """One file, whole or in part.

    Raises:
        NotFoundError: there is none of that name.
        GoneError: its release is not kept any more.
    """
    dump = _dump(release)
    if dump is None:
        return _not_yet()
    found = next((each for each in dump.files if each.name == name), None)
    if found is not None:
        response = files.send(
            dump.folder / name,
            media_type=found.compress_type,
            size=found.size,
            sha256=found.sha256,
            modified=datetime.datetime.fromisoformat(dump.created).astimezone(datetime.UTC),
        )
        response.headers["Link"] = _links(dump, name)
    elif name in {SUMS, INDEX}:
        kind = "text/plain;charset=utf-8" if name == SUMS else _JSON.media_type
        response = Response((dump.folder / name).read_bytes(), content_type=kind)
        response.add_etag()
        response.make_conditional(request)
    elif any(each.name.startswith(f"{name}.") for each in dump.files):
        return redirect(f"{address(release)}{name}.gz", 302)
    else:
        raise NotFoundError(f"There is no file {name[:80]!r}.", hint="The files: /dump/")
    if release == _LATEST:
        response.headers["Content-Location"] = f"{address(dump.release)}{name}"
    elif response.status_code < 400:
        response.headers["Cache-Control"] = _DAY
    return response


def address(release: int | str) -> str:
    """Where the files of a release are."""
    return f"{views.graph().settings.public_url}/dump/{release}/"


def _links(dump: Dump, name: str) -> str:
    settings = views.graph().settings
    links = [
        f'<{views.href(settings.dataset_iri)}>; rel="collection"',
        f'<{settings.public_url}/catalog>; rel="describedby"',
        f'<{address(dump.release)}{name}>; rel="canonical"',
    ]
    if settings.licence:
        links.append(f'<{settings.licence}>; rel="license"')
    return ", ".join(links)


def _dump(release: str) -> Dump | None:
    """The files of a release; None if there will be some soon.

    Raises:
        UsageError: that is no number of a release.
        NotFoundError, GoneError: there is no such release, or no files of it.
    """
    dumps = views.graph().dumps
    dumps.wish()
    if release == _LATEST:
        return dumps.newest()
    if not release.isdecimal() or len(release) > 9:
        raise UsageError(f"{release[:40]!r} is no number of a release.")
    if int(release) == views.graph().number() and dumps.newest() is None:
        return None
    return dumps.of(int(release))


def _not_yet() -> Response:
    """They are being written: come again."""
    text = "The files are being written. Ask again in some seconds.\n"
    response = Response(text, 503, content_type="text/plain;charset=utf-8")
    response.headers["Retry-After"] = _SOON
    return response


def _listing(release: str) -> Response:
    chosen = respond.acceptable((HTML, _JSON))
    dump = _dump(release)
    if dump is None and chosen is not HTML:
        return _not_yet()
    graph = views.graph()
    others = [
        each
        for each in graph.archive.numbers()
        if (graph.archive.dumps(each) / INDEX).is_file() and (not dump or each != dump.release)
    ]
    if chosen is HTML:
        text = render_template(
            "dumps.html", dump=dump, others=others[::-1], sums=SUMS, current=graph.number()
        )
    else:
        content = json.loads((dump.folder / INDEX).read_text(encoding="utf-8")) if dump else {}
        text = json.dumps({**content, "others": others}, indent=1) + "\n"
    response = Response(text, content_type=chosen.content_type)
    if dump is None:
        response.headers["Retry-After"] = _SOON
    else:
        response.add_etag()
        response.make_conditional(request)
    response.vary.add("Accept")
    return response
