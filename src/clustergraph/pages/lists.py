"""Lists: the kinds of things there are, the things of a kind, the terms of a vocabulary."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels, Name, names
from clustergraph.pages.once import once
from clustergraph.pages.queries import select
from clustergraph.pages.trees import Branch, forest
from clustergraph.pages.view import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clustergraph.store import Backend, Row


@dataclass(frozen=True)
class Kind:
    """A kind of things: what stands after ``id/`` in their IRIs."""

    name: str
    number: int
    place: float = math.inf
    """Of its classes among those that the shapes order; infinite if they order none of them."""

    klass: str = ""
    """The narrowest of these that all its things are of; names the kind."""
    label: Label | None = None
    """Its name, where a reader is known."""

    @property
    def ordered(self) -> bool:
        """Whether the shapes give it a place: it is what people look for."""
        return math.isfinite(self.place)


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    iri: str
    label: Label
    types: tuple[tuple[str, Label], ...] = ()
    definition: Label | None = None
    above: tuple[str, ...] = ()
    """What stands above it in a hierarchy of its own kind."""


def kinds(backend: Backend, base: str) -> list[Kind]:
    """The kinds of things under the base, with their numbers; those that shapes order first."""

    def count() -> list[Kind]:
        prefix, shapes = ox.Literal(f"{base}id/"), ox.NamedNode(f"{base}shapes")
        rows = select(backend, "kinds", prefix=prefix, shapes=shapes)
        classes = _classes(select(backend, "kind-classes", prefix=prefix, shapes=shapes))
        found = [
            Kind(
                row["kind"].value,
                int(row["number"].value),
                float(row["place"].value) if "place" in row else math.inf,
                classes.get((row["kind"].value, int(row["number"].value)), ""),
            )
            for row in rows
            if "kind" in row and row["kind"].value
        ]
        return sorted(found, key=lambda each: (each.place, each.name))

    return once(backend, "kinds", count)


def _classes(rows: Iterable[Row]) -> dict[tuple[str, int], str]:
    """For a kind and a number of things, the narrowest class of which there are so many."""
    found = [
        (row["kind"].value, int(row["number"].value), row["class"].value)
        for row in rows
        if "kind" in row
    ]
    sizes: Counter[str] = Counter()
    for _kind, number, klass in found:
        sizes[klass] += number
    found.sort(key=lambda each: (-sizes[each[2]], each[2]))
    return {(kind, number): klass for kind, number, klass in found}


def named_kinds(backend: Backend, base: str, languages: Sequence[str]) -> dict[str, Kind]:
    """The kinds of things, with the names of their classes where there are any.

    Args:
        backend: the store of the release.
        base: of the graph's IRIs.
        languages: those of the reader, the best first.
    """

    def name() -> dict[str, Kind]:
        found = kinds(backend, base)
        labels = Labels(backend, languages)
        labels.fetch(each.klass for each in found if each.klass)
        return {
            each.name: replace(each, label=labels.of(each.klass) if each.klass else None)
            for each in found
        }

    return once(backend, ("kinds", *languages), name)


def members(
    backend: Backend, base: str, kind: str, languages: Sequence[str], *, page: int, size: int
) -> tuple[list[Entry], int]:
    """The things of a kind, by label, page by page.

    Args:
        backend: the store of the release.
        base: of the graph's IRIs.
        kind: what stands after ``id/`` in those of the things.
        languages: those of the reader, the best first.
        page: from 1; one that is not there gives the one nearest to it.
        size: things on a page.

    Returns:
        Those of the page, and how many there are in all.
    """
    if all(each.name != kind for each in kinds(backend, base)):
        return [], 0
    things = _named(backend, base, kind)
    iris = list(things)

    def order() -> array[int]:
        labels = Labels(backend, languages)
        labels.choose(name for found in things.values() for name in found)
        keys = [(labels.of(iri).text.casefold(), iri) for iri in iris]
        return array("L", sorted(range(len(keys)), key=keys.__getitem__))

    ordered = once(backend, ("order", kind, *languages), order)
    last = -(-len(iris) // size)
    first = (min(max(page, 1), last) - 1) * size
    shown = [iris[position] for position in ordered[first : first + size]]
    labels = Labels(backend, languages)
    labels.choose(name for iri in shown for name in things[iri])
    return [Entry(iri, labels.of(iri)) for iri in shown], len(iris)


def prepare_lists(backend: Backend, base: str) -> None:
    """Find out what the lists take long for, of those kinds that the shapes put first."""
    for kind in kinds(backend, base):
        if kind.ordered:
            _named(backend, base, kind.name)


def _named(backend: Backend, base: str, kind: str) -> dict[str, list[Name]]:
    """The things of a kind by IRI, with their names in all languages."""

    def find() -> dict[str, list[Name]]:
        rows = select(backend, "members", prefix=ox.Literal(f"{base}id/{kind}/"))
        found: dict[str, list[Name]] = {row["thing"].value: [] for row in rows}
        for name in names(backend, found):
            found[name[0]].append(name)
        return found

    return once(backend, ("named", kind), find)


def terms(backend: Backend, graph: str, languages: Sequence[str]) -> list[Entry]:
    """What a named graph describes, with class and definition, by IRI."""
    rows = select(backend, "terms", graph=ox.NamedNode(graph))
    labels = Labels(backend, languages)
    labels.fetch(
        row[name].value for row in rows for name in ("term", "class", "above") if name in row
    )
    types: dict[str, dict[str, Label]] = {}
    definitions: dict[str, Label] = {}
    above: dict[str, dict[str, None]] = {}
    for row in rows:
        iri, kind = row["term"].value, row["class"].value
        types.setdefault(iri, {})[kind] = labels.of(kind)
        if "above" in row:
            above.setdefault(iri, {})[row["above"].value] = None
        definition = row.get("definition")
        if isinstance(definition, ox.Literal):
            definitions[iri] = Label(definition.value, definition.language or "")
    return [
        Entry(
            iri, labels.of(iri), tuple(found.items()), definitions.get(iri),
            tuple(above.get(iri, ())),
        )
        for iri, found in types.items()
    ]  # fmt: skip


def trees(
    backend: Backend, entries: Sequence[Entry], languages: Sequence[str]
) -> list[tuple[Named, tuple[Branch, ...]]]:
    """The hierarchies of terms, one for each class of terms that has any.

    Args:
        backend: the store of the release.
        entries: the terms.
        languages: those of the reader, the best first.
    """
    grouped: dict[str, dict[str, tuple[str, ...]]] = {}
    kinds: dict[str, Label] = {}
    for entry in entries:
        for iri, label in entry.types:
            kinds[iri] = label
            grouped.setdefault(iri, {})[entry.iri] = entry.above
    labels = Labels(backend, languages)
    labels.fetch({*(each.iri for each in entries), *(up for each in entries for up in each.above)})
    return [
        (Named(iri, kinds[iri]), forest(above, labels))
        for iri, above in sorted(
            grouped.items(), key=lambda each: (not each[0].endswith("Class"), each[0])
        )
        if any(above.values())
    ]
