"""The change feed as a Linked Data Event Stream (LDES 1.0, with TREE); its pages are files.

The root tells what the stream is and names all pages: full blocks by an index page each, the others
themselves. What is full never changes; the root and the page behind the last full one do.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Response, request

from clustergraph import rdf
from clustergraph.errors import GoneError, NotFoundError
from clustergraph.releases import feed, members
from clustergraph.web import respond, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clustergraph.releases.feed import State

blueprint = Blueprint("ldes", __name__)

FORMATS = (rdf.TRIG, rdf.JSON_LD, rdf.N_QUADS)
"""Of pages that hold members: those that can name graphs."""
OTHERS = (*FORMATS, rdf.TURTLE, rdf.N_TRIPLES, rdf.RDF_XML)
_HERE = Path(__file__).resolve().parent
_SITE = "http://site.invalid"
"""Stands for the address of the site until the text is written; no project has it in its data."""
_EPOCH = re.compile(r"\d{1,9}-[0-9a-f]{12}")
_FULL = "public, max-age=86400, immutable"
"""A day and no longer, so that no cache keeps for ever what is forgotten here."""
_CHUNK = 500  # lines


@blueprint.route("/feed/ldes")
def root() -> Response:
    """What the stream is, and where its pages are."""
    chosen = respond.acceptable(OTHERS)
    state = current()
    settings = views.graph().settings
    manifest = views.release().manifest

    def make() -> bytes:
        address = f"{_SITE}/feed/ldes"
        told = _filled(
            "ldes.ttl",
            stream=settings.iri(members.STREAM),
            root=address,
            dataset=settings.dataset_iri,
            base=settings.base,
            service=settings.iri("sparql"),
            feature="UnionDefaultGraph" if settings.default_graph == "merge" else "EmptyGraphs",
            release=settings.iri(f"releases/{manifest.number}"),
            retention=settings.iri(f"feed/ldes/{state.epoch}#retention"),
            started=state.started,
            title=_escaped(settings.title),
            language=settings.languages[0],
        )
        for number, span in enumerate(state.blocks, start=1):
            told += _relation(address, f"index/{number}", state, span)
        before = len(state.blocks) * state.size
        for number, span in enumerate(state.recent, start=before + 1):
            told += _relation(address, str(number), state, span)
        if state.items:
            told += _relation(address, str(state.full + 1), state, (state.first, ""))
        return _written(told, chosen)

    return respond.represent(chosen, make)


@blueprint.route("/feed/ldes/<epoch>/index/<int:number>")
def index(epoch: str, number: int) -> Response:
    """The pages of a full block."""
    chosen = respond.acceptable(OTHERS)
    state = _current(epoch)
    spans = feed.block(views.graph().archive, state, number)

    def make() -> bytes:
        address = f"{_SITE}{request.path}"
        told = _head(address, full=True)
        for each, span in enumerate(spans, start=(number - 1) * state.size + 1):
            told += _relation(address, str(each), state, span)
        return _written(told, chosen)

    return _full(chosen, state, make)


@blueprint.route("/feed/ldes/<epoch>/<int:number>")
def page(epoch: str, number: int) -> Response:
    """The members of a page: those of the earliest release first."""
    chosen = respond.acceptable(FORMATS)
    state = _current(epoch)
    lines = feed.page(views.graph().archive, state, number)
    full = number <= state.full
    settings = views.graph().settings

    def make() -> bytes:
        head = _written(_head(f"{_SITE}{request.path}", full=full), chosen)
        if chosen is rdf.JSON_LD:
            return b"".join(_json(head, lines))
        return b"".join([head, *(_trig(lines) if chosen is rdf.TRIG else lines)])

    if full:
        return _full(chosen, state, make)
    answer = respond.represent(chosen, make)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers.setdefault("Link", f'<{settings.public_url}/feed/ldes>; rel="collection"')
    return answer


def current() -> State:
    """The feed at the release that is shown.

    Raises:
        NotFoundError: it was not written.
    """
    state = feed.state_of(views.graph().archive, views.release().manifest)
    if state is None:
        raise NotFoundError(
            "There is no feed of this release.", hint="clustergraph build writes that of the newest"
        )
    return state


def _current(epoch: str) -> State:
    """The feed, if a page of it is asked for.

    Raises:
        GoneError: the page was of an earlier epoch: what was forgotten stood in it, or it was lost.
        NotFoundError: there never was such a page.
    """
    state = current()
    if epoch != state.epoch:
        if _EPOCH.fullmatch(epoch):
            raise GoneError(
                "This part of the feed was taken away: the stream begins anew.",
                hint="Begin at /feed/ldes again.",
            )
        raise NotFoundError(f"The feed has no part {epoch[:40]!r}.")
    return state


def _full(fmt: rdf.RdfFormat, state: State, make: Callable[[], bytes]) -> Response:
    """A page that never changes."""
    key = f"{state.epoch} {request.path} {fmt.media_type}"
    etag = hashlib.sha256(key.encode()).hexdigest()[:32]
    if etag in request.if_none_match:
        response = Response(status=304)
    elif request.method == "HEAD":
        response = Response(content_type=fmt.content_type)
    else:
        response = Response(make(), content_type=fmt.content_type)
    response.set_etag(etag)
    response.vary.add("Accept")
    response.headers["Cache-Control"] = _FULL
    return response


def _head(address: str, *, full: bool) -> list[ox.Quad]:
    stream = views.graph().settings.iri(members.STREAM)
    told = _filled("ldes-page.ttl", stream=stream, page=address, root=f"{_SITE}/feed/ldes")
    return told + (_filled("ldes-immutable.ttl", page=address) if full else [])


def _relation(address: str, name: str, state: State, span: feed.Span) -> list[ox.Quad]:
    """The relations from one page to another; the second time is "" where more may come."""
    node = f"{_SITE}/feed/ldes/{state.epoch}/{name}"
    first, last = span
    name = name.replace("/", "-")
    told = _filled("ldes-from.ttl", page=address, name=name, first=first, node=node)
    if last:
        told += _filled("ldes-until.ttl", page=address, name=name, last=last, node=node)
    return told


@functools.cache
def _template(name: str) -> string.Template:
    return string.Template((_HERE / name).read_text(encoding="utf-8"))


def _filled(name: str, /, **values: str) -> list[ox.Quad]:
    text = _template(name).substitute(values)
    return list(ox.parse(text, ox.RdfFormat.TURTLE))


def _escaped(text: str) -> str:
    """A text as it stands inside a literal of Turtle."""
    return str(ox.Literal(text))[1:-1]


def _written(quads: Iterable[ox.Quad], fmt: rdf.RdfFormat) -> bytes:
    """What is told of pages, under the address of this site.

    Formats that know relative IRIs have such, where no address is set; the others the base.
    """
    settings = views.graph().settings
    site = settings.public_url
    if not site and fmt in {rdf.N_QUADS, rdf.N_TRIPLES}:
        site = settings.base.removesuffix("/")
    text = rdf.serialise(quads, fmt, views.graph().prefixes)
    return text.replace(_SITE.encode(), site.encode())


def _trig(lines: Iterable[bytes]) -> Iterator[bytes]:
    """N-Quads as TriG, line by line."""
    for graph, group in itertools.groupby(map(members.split, lines), key=lambda each: each[3]):
        if graph:
            yield b"%s {\n" % graph
        for subject, predicate, value, _graph in group:
            yield b"%s %s %s .\n" % (subject, predicate, value)
        if graph:
            yield b"}\n"


def _json(head: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    """N-Quads as JSON-LD (expanded form), some lines at a time."""
    yield head.rstrip().removesuffix(b"]")
    while chunk := b"".join(itertools.islice(lines, _CHUNK)):
        quads = ox.parse(chunk, ox.RdfFormat.N_QUADS)
        text = ox.serialize(quads, format=ox.RdfFormat.JSON_LD) or b"[]"
        inside = text.strip().removeprefix(b"[").removesuffix(b"]")
        yield b"," + inside if inside.strip() else b""
    yield b"]"
