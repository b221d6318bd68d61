"""Pages of fragments, read from a release's store on disk: light, whatever the size of the data.

Passing over a statement takes the engine less than a microsecond; few may go deep at once. Values
that the engine holds as numbers are compared here too: its scans on disk (0.5.13) may go too far.
"""

from __future__ import annotations

import itertools
import re
import string
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import OverloadedError, UsageError
from clustergraph.fragments.patterns import Variable
from clustergraph.releases.candidate import FULL, PUBLIC
from clustergraph.store.embedded import EmbeddedStore, as_stored, store_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.fragments.patterns import Pattern
    from clustergraph.reading import OpenRelease
    from clustergraph.releases import Archive

PAGE = 100
"""Statements on a page."""
_COUNTED = 100_000
"""Statements up to which a fragment is counted exactly."""
_COMPARED = 20_000
"""The same where each is compared here."""
_DEEP = 100_000
"""A page this far in takes one of a few places."""
_FARTHEST = 20_000_000
_AT_ONCE = 2
_HELD = 4
_KEPT = 10_000
_FOLDER = Path(__file__).resolve().parent
_EXACT = frozenset(
    {
        "http://www.w3.org/2001/XMLSchema#string",
        "http://www.w3.org/2001/XMLSchema#boolean",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    }
)
"""Datatypes whose values never end so."""
_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
_DIGITS = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Page:
    """One page of a fragment."""

    quads: tuple[ox.Quad, ...]
    number: int
    """From 1."""
    count: int
    """Statements of the whole fragment."""
    is_exact: bool
    """Whether the count is exact; else there are about so many, or more."""
    has_next: bool


class Fragments:
    """The fragments of all releases of one project."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._stores: OrderedDict[Path, ox.Store] = OrderedDict()
        self._counts: OrderedDict[tuple[str, Pattern, bool], tuple[int, bool]] = OrderedDict()
        self._lock = threading.Lock()
        self._deep = threading.BoundedSemaphore(_AT_ONCE)

    def page(self, release: OpenRelease, pattern: Pattern, number: int, *, merged: bool) -> Page:
        """A page of a fragment.

        Args:
            release: whose; shows what is restricted or not.
            pattern: of the fragment.
            number: of the page, from 1.
            merged: whether the default graph is the merge of the others: then a pattern for any
                graph is not for the default graph too.

        Raises:
            UsageError: the page is farther in than can be reached.
            OverloadedError: it is far in, and others read far in now.
            StoreError: the release cannot be read.
        """
        offset = (number - 1) * PAGE
        if offset > _FARTHEST:
            raise UsageError("That page is too far in.", hint="Take a dump of the dataset.")
        if not pattern.is_possible:
            return Page((), number, 0, is_exact=True, has_next=False)
        store = self._store(release)
        if offset > _DEEP and not self._deep.acquire(blocking=False):
            raise OverloadedError("Others read far in now.", hint="Try again in a few seconds.")
        try:
            found = _read(store, pattern, offset, PAGE + 1, merged=merged)
        except (OSError, RuntimeError) as error:
            raise store_error(error) from error
        finally:
            if offset > _DEEP:
                self._deep.release()
        has_next = len(found) > PAGE
        if not has_next and (found or not offset):
            count, is_exact = offset + len(found), True
        else:
            count, is_exact = self._count(release, store, pattern, merged=merged)
            count = max(count, offset + len(found)) if found else count
        return Page(tuple(found[:PAGE]), number, count, is_exact, has_next)

    def _store(self, release: OpenRelease) -> ox.Store:
        """The store on disk of a release."""
        manifest = release.manifest
        hidden = release.restricted and manifest.restricted
        folder = self._archive.path(manifest.number) / (FULL if hidden else PUBLIC)
        with self._lock:
            for each in [each for each in self._stores if not each.exists()]:
                del self._stores[each]  # thinned, or something in it was forgotten
            held = self._stores.pop(folder, None)
            try:
                self._stores[folder] = held or ox.Store.read_only(str(folder))
            except (OSError, RuntimeError) as error:
                raise store_error(error, folder) from error
            while len(self._stores) > _HELD:
                self._stores.popitem(last=False)
            return self._stores[folder]

    def _count(
        self, release: OpenRelease, store: ox.Store, pattern: Pattern, *, merged: bool
    ) -> tuple[int, bool]:
        """How many statements match, and whether that is exact."""
        key = (release.etag, pattern, merged)
        with self._lock:
            held = self._counts.get(key)
        if held is None:
            held = _counted(store, pattern, merged=merged)
            with self._lock:
                self._counts[key] = held
                while len(self._counts) > _KEPT:
                    self._counts.popitem(last=False)
        return held if held[1] else (max(held[0], _estimate(release, pattern)), False)


def _read(
    store: ox.Store, pattern: Pattern, offset: int, most: int, *, merged: bool
) -> list[ox.Quad]:
    """Some of the quads that match."""
    if _is_compared(pattern):
        matching = _compared(store, pattern, merged=merged)
        return list(itertools.islice(matching, offset, offset + most))
    text = _text("page").substitute(
        pattern=_written(pattern, merged=merged), offset=offset, limit=most
    )
    rows = EmbeddedStore(store).select(sparql.parse(text))
    return [_quad(pattern, row) for row in rows]


def _counted(store: ox.Store, pattern: Pattern, *, merged: bool) -> tuple[int, bool]:
    if _is_compared(pattern):
        some = itertools.islice(_compared(store, pattern, merged=merged), _COMPARED + 1)
        count, most = sum(1 for _ in some), _COMPARED
    else:
        text = _text("count").substitute(
            pattern=_written(pattern, merged=merged), limit=_COUNTED + 1
        )
        row = EmbeddedStore(store).select(sparql.parse(text))[0]
        count, most = int(row["count"].value), _COUNTED
    return count, count <= most


def _estimate(release: OpenRelease, pattern: Pattern) -> int:
    """About how many statements match, by what was counted when the release was made."""
    manifest, places = release.manifest, pattern.places
    bound = {name for name, each in places.items() if not isinstance(each, Variable)}
    if not bound:
        return manifest.triples if pattern.graph is None else manifest.quads
    if bound == {"graph"}:
        return release.graphs.get(getattr(pattern.graph, "value", ""), 0)
    if bound == {"predicate"} and isinstance(pattern.predicate, ox.NamedNode):
        text = (_FOLDER / "property.rq").read_text(encoding="utf-8")
        query = sparql.parse(sparql.bind(text, {"property": pattern.predicate}))
        counts = [row["count"].value for row in release.store.select(query) if "count" in row]
        return int(counts[0]) if counts else 0
    return 0


@cache
def _text(name: str) -> string.Template:
    return string.Template((_FOLDER / f"{name}.rq").read_text(encoding="utf-8"))


def _written(pattern: Pattern, *, merged: bool) -> str:
    """The pattern in SPARQL."""
    names = _names(pattern)
    terms = {
        place: f"?{names[place]}" if isinstance(each, Variable) else str(each)
        for place, each in pattern.places.items()
    }
    anywhere = isinstance(pattern.graph, Variable) and not merged
    named = "anywhere" if anywhere else "named"
    return _text("default" if pattern.graph is None else named).substitute(terms)


def _names(pattern: Pattern) -> dict[str, str]:
    """The variable of each place: the first place where its name stands."""
    first: dict[str, str] = {}
    found = {}
    for place, each in pattern.places.items():
        if isinstance(each, Variable):
            found[place] = first.setdefault(each.name, place)
    return found


def _quad(pattern: Pattern, row: Any) -> ox.Quad:
    names = _names(pattern)
    terms: dict[str, Any] = {
        place: row.get(names[place], rdf.DEFAULT_GRAPH) if isinstance(each, Variable) else each
        for place, each in pattern.places.items()
    }
    return ox.Quad(
        terms["subject"], terms["predicate"], terms["object"],
        terms.get("graph", rdf.DEFAULT_GRAPH),
    )  # fmt: skip


def _is_compared(pattern: Pattern) -> bool:
    """Whether quads are compared here: for blank nodes, and for what may end in the byte 255."""
    if any(isinstance(each, ox.BlankNode) for each in pattern.places.values()):
        return True
    value = pattern.object
    if not isinstance(value, ox.Literal) or value.datatype.value in _EXACT:
        return False
    is_whole = value.datatype.value == _INTEGER and _DIGITS.fullmatch(value.value)
    return not is_whole or int(value.value) % 256 == 255


def _compared(store: ox.Store, pattern: Pattern, *, merged: bool) -> Iterator[ox.Quad]:
    """The quads that match, each compared with the pattern."""
    wanted: dict[str, Any] = {
        place: None if isinstance(each, Variable) else each
        for place, each in pattern.places.items()
    }
    value = wanted["object"]
    if isinstance(value, ox.Literal):
        wanted["object"] = value = _as_stored(value)
    graph = wanted.get("graph") if pattern.graph is not None else rdf.DEFAULT_GRAPH
    names = _names(pattern)
    same = [(place, first) for place, first in names.items() if place != first]
    for quad in store.quads_for_pattern(wanted["subject"], wanted["predicate"], value, graph):
        terms = {"subject": quad.subject, "predicate": quad.predicate, "object": quad.object,
                 "graph": quad.graph_name}  # fmt: skip
        is_merge = graph is None and merged and isinstance(quad.graph_name, ox.DefaultGraph)
        if is_merge:  # the graphs that it merges are there themselves
            continue
        if all(each is None or terms[place] == each for place, each in wanted.items()) and all(
            terms[place] == terms[first] for place, first in same
        ):
            yield quad


def _as_stored(value: ox.Literal) -> ox.Literal:
    """A literal as the store gives it back."""
    node = ox.NamedNode("urn:x")
    found = next(iter(as_stored([ox.Quad(node, node, value)]))).object
    if not isinstance(found, ox.Literal):
        raise UsageError(f"{value} is no literal.")
    return found
