"""What crawlers ask for first: robots.txt and the map of the site (sitemaps.org)."""

from __future__ import annotations

import datetime
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request

from clustergraph.dumps import Dump, things
from clustergraph.errors import NotFoundError
from clustergraph.web import views

blueprint = Blueprint("sitemap", __name__)

_XML = "application/xml"
_SOON = "5"


@blueprint.route("/robots.txt")
def robots() -> Response:
    """Pages may be read; answers that are made for those who ask are not for indexes."""
    text = render_template("robots.txt", site=views.site())
    return Response(text, content_type="text/plain;charset=utf-8")


@blueprint.route("/sitemap.xml")
def index() -> Response:
    """The maps: one of pages, the others of things."""
    dump = _dump()
    if dump is None:
        return _not_yet()
    maps = [("pages", _day(dump.created))]
    maps += [(str(n), _day(part.modified)) for n, part in enumerate(dump.things, start=1)]
    return _sent(render_template("sitemap-index.xml", site=views.site(), maps=maps), dump)


@blueprint.route("/sitemap/pages.xml")
def pages() -> Response:
    """The pages that are about no thing: lists, questions, graphs and vocabularies."""
    dump = _dump()
    if dump is None:
        return _not_yet()
    release, day = views.release(), _day(dump.created)
    settings = views.graph().settings
    paths = ["", "catalog", "dump/", "query", "quality", "releases"]
    paths += [f"doc/{quote(kind)}" for kind in dump.kinds]
    paths += [
        quote(graph.removeprefix(settings.base))
        for graph in release.graphs
        if graph.startswith(settings.base)
    ]
    return _sent(_map([(path, day) for path in paths]), dump)


@blueprint.route("/sitemap/<int:number>.xml")
def part(number: int) -> Response:
    """Some of the things, each with the day of its last change.

    Raises:
        NotFoundError: there are not so many.
    """
    dump = _dump()
    if dump is None:
        return _not_yet()
    if not 1 <= number <= len(dump.things):
        raise NotFoundError(f"The map of the site has {len(dump.things)} parts.")
    lines = (dump.folder / things.FILE.format(number)).read_text(encoding="utf-8").splitlines()
    entries = []
    for line in lines:
        path, _, moment = line.partition("\t")
        name = quote(path.removeprefix("id/"), safe="/:@!$&'()*+,;=%~")
        entries.append((f"doc/{name}", _day(moment)))
    return _sent(_map(entries), dump)


def _map(entries: list[tuple[str, str]]) -> str:
    return render_template("sitemap.xml", site=views.site(), entries=entries)


def _dump() -> Dump | None:
    dumps = views.graph().dumps
    dumps.wish()
    return dumps.newest()


def _day(moment: str) -> str:
    """A W3C datetime with its zone."""
    found = datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC)
    return found.isoformat(timespec="seconds")


def _sent(text: str, dump: Dump) -> Response:
    response = Response(text, content_type=_XML)
    response.last_modified = datetime.datetime.fromisoformat(dump.created)
    response.add_etag()
    response.make_conditional(request)
    return response


def _not_yet() -> Response:
    """It is written with the dumps: come again."""
    text = "The map of the site is being written. Ask again in some seconds.\n"
    response = Response(text, 503, content_type="text/plain;charset=utf-8")
    response.headers["Retry-After"] = _SOON
    return response
