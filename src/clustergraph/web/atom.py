"""The change feed as Atom (RFC 4287, RFC 5005): releases, or what became of some things."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from clustergraph import rdf
from clustergraph.errors import GoneError, NotFoundError, UsageError
from clustergraph.pages.labels import Labels
from clustergraph.releases import feed, members
from clustergraph.web import ldes, respond, views
from clustergraph.web.history import ATOM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.releases.feed import State

blueprint = Blueprint("atom", __name__)

_RELEASES = 50
_ENTRIES = 50
_PAGES = 200  # of the feed, that are looked at for one page of Atom
_NEWEST = 10**9
_FILTERS = ("thing", "class", "place")


@dataclass
class Entry:
    """What a release made of a thing."""

    id: str
    thing: str = ""
    kind: str = ""
    release: int = 0
    created: str = ""
    types: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    """What its statements lead to."""


@blueprint.route("/feed/atom")
def atom() -> Response:
    """The newest releases; with ``thing``, ``class`` or ``place`` what became of these things."""
    chosen = respond.acceptable((ATOM,))
    wanted = {name: _iri(name) for name in _FILTERS if request.args.get(name)}
    if not wanted:
        return respond.represent(chosen, _releases)
    if views.graph().is_erased(wanted.get("thing", "")):
        raise GoneError("What stood here was erased on request, with its history.")
    state = ldes.current()
    begin = _number("page", state.full + 1)
    if not 1 <= begin <= state.full + 1:
        raise NotFoundError("The feed has no such page.")

    def make() -> str:
        entries, rest = _entries(state, begin, wanted)
        labels = Labels(views.release().store, views.languages())
        labels.fetch(each.thing for each in entries)
        return render_template(
            "things.atom",
            entries=entries,
            labels=labels,
            address=_address(wanted | ({"page": str(begin)} if "page" in request.args else {})),
            first=_address(wanted),
            following=_address({**wanted, "page": str(rest)}) if rest else "",
            updated=entries[0].created if entries else state.started,
            wanted=", ".join(wanted.values()),
        )

    return respond.represent(chosen, make)


def _releases() -> str:
    manifests = views.graph().archive.history()
    before = _number("before", _NEWEST)
    older = [each for each in manifests if each.number < before]
    shown = older[:_RELEASES]
    return render_template(
        "releases.atom",
        manifests=shown,
        following=shown[-1].number if len(older) > len(shown) else None,
        before=before if before != _NEWEST else None,
    )


def _iri(name: str) -> str:
    """The IRI that a parameter names; it may be relative to the base.

    Raises:
        UsageError: it names none.
    """
    text = request.args[name]
    full = text if ":" in text.split("/", 1)[0] else views.graph().settings.iri(text)
    try:
        return rdf.checked_iri(full).value
    except ValueError as error:
        raise UsageError(f"{name}: {error}.") from error


def _number(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{name}: {text[:40]!r} is no number.")
    return int(text)


def _address(arguments: dict[str, str]) -> str:
    settings = views.graph().settings
    root = settings.public_url or settings.base.rstrip("/")
    return f"{root}/feed/atom" + (f"?{urlencode(arguments)}" if arguments else "")


def _entries(state: State, begin: int, wanted: dict[str, str]) -> tuple[list[Entry], int]:
    """Entries, the newest first; and the page of the feed where older ones begin, 0 if none do."""
    found: list[Entry] = []
    last = max(begin - _PAGES, 0)
    for number in range(begin, last, -1):
        lines = _mentioning(feed.page(views.graph().archive, state, number), wanted.values())
        found += [each for each in reversed(_read(lines)) if _suits(each, wanted)]
        if len(found) >= _ENTRIES:
            return found, number - 1
    return found, last


def _mentioning(lines: Iterable[bytes], iris: Iterable[str]) -> Iterator[bytes]:
    """The lines of those members on a page that name all these IRIs: the others are not parsed."""
    start = f"\n<{views.graph().settings.iri(members.STREAM)}> <{members.MEMBER}> ".encode()
    needles = [iri.encode() for iri in iris]
    for part in b"".join([b"\n", *lines]).split(start)[1:]:  # no literal holds a line's end
        if all(needle in part for needle in needles):
            yield from (start[1:] + part).rstrip(b"\n").split(b"\n")


def _suits(entry: Entry, wanted: dict[str, str]) -> bool:
    thing, kind, place = (wanted.get(name) for name in _FILTERS)
    return (
        (thing is None or entry.thing == thing or entry.thing.startswith(f"{thing}#"))
        and (kind is None or kind in entry.types)
        and (place is None or place in entry.mentioned)
    )


def _read(lines: Iterable[bytes]) -> list[Entry]:
    """The members on a page, in their order."""
    found: dict[str, Entry] = {}
    for line in lines:
        subject, predicate, value, graph = (each.decode() for each in members.split(line + b"\n"))
        name, text = predicate[1:-1], value.strip("<>")
        if name == members.MEMBER:
            found[text] = Entry(text)
        elif not graph and subject[1:-1] in found:
            _tell(found[subject[1:-1]], name, text)
        elif graph[1:-1] in found and value.startswith("<"):
            entry = found[graph[1:-1]]
            (entry.types if name == members.TYPE else entry.mentioned).add(text)
    return list(found.values())


def _tell(entry: Entry, name: str, text: str) -> None:
    if name == members.VERSION_OF:
        entry.thing = text
    elif name == members.TYPE:
        entry.kind = text.removeprefix(members.AS)
    elif name == members.FORMER_TYPE:
        entry.types.add(text)
    elif name == members.CREATED:
        entry.created = text.split('"')[1]
    elif name == members.SEQUENCE:
        entry.release = int(text.split('"')[1])
