"""Lists: the kinds of things there are, the things of a kind, the terms of a vocabulary."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels, Name, names
from clustergraph.pages.once import once
from clustergraph.pages.queries import select
from clustergraph.pages.trees import Branch, forest
from clustergraph.pages.view import Named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.store import Backend


@dataclass(frozen=True)
class Kind:
    """A kind of things: what stands after ``id/`` in their IRIs."""

    name: str
    number: int
    place: float = math.inf
    """Of its classes among those that the shapes order; infinite if they order none of them."""

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
        rows = select(
            backend,
            "kinds",
            prefix=ox.Literal(f"{base}id/"),
            shapes=ox.NamedNode(f"{base}shapes"),
        )
        found = [
            Kind(
                row["kind"].value,
                int(row["number"].value),
                float(row["place"].value) if "place" in row else math.inf,
            )
            for row in rows
            if "kind" in row and row["kind"].value
        ]
        return sorted(found, key=lambda each: (each.place, each.name))

    return once(backend, "kinds", count)


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
