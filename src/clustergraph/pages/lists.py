"""Lists: the kinds of things there are, the things of a kind, the terms of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.once import once
from clustergraph.pages.queries import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.store import Backend


@dataclass(frozen=True)
class Kind:
    """A kind of things: what stands after ``id/`` in their IRIs."""

    name: str
    number: int


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    iri: str
    label: Label
    types: tuple[tuple[str, Label], ...] = ()
    definition: Label | None = None


def kinds(backend: Backend, base: str) -> list[Kind]:
    """The kinds of things under the base, with their numbers; counted once."""

    def count() -> list[Kind]:
        rows = select(backend, "kinds", prefix=ox.Literal(f"{base}id/"))
        named = [(row["kind"].value, int(row["number"].value)) for row in rows]
        return [Kind(name, number) for name, number in named if name]

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
    labels.fetch(value.value for row in rows for value in (row["term"], row["class"]))
    types: dict[str, dict[str, Label]] = {}
    definitions: dict[str, Label] = {}
    for row in rows:
        iri, kind = row["term"].value, row["class"].value
        types.setdefault(iri, {})[kind] = labels.of(kind)
        definition = row.get("definition")
        if isinstance(definition, ox.Literal):
            definitions[iri] = Label(definition.value, definition.language or "")
    return [
        Entry(iri, labels.of(iri), tuple(found.items()), definitions.get(iri))
        for iri, found in types.items()
    ]
