"""Lists: the kinds of things there are, the things of a kind, the terms of a vocabulary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
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


def members(backend: Backend, base: str, kind: str, languages: Sequence[str]) -> list[Entry]:
    """The things of a kind, by label; looked up once for readers of the same languages."""

    def find() -> list[Entry]:
        rows = select(backend, "members", prefix=ox.Literal(f"{base}id/{kind}/"))
        iris = [row["thing"].value for row in rows]
        labels = Labels(backend, languages)
        labels.fetch(iris)
        entries = [Entry(iri, labels.of(iri)) for iri in iris]
        return sorted(entries, key=lambda each: (each.label.text.casefold(), each.iri))

    if all(each.name != kind for each in kinds(backend, base)):
        return []
    return once(backend, ("members", kind, *languages), find)


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
