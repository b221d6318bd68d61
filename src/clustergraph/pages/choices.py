"""What a form for questions offers: classes in use, what is said of their things, and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import sparql
from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.queries import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clustergraph.pages.vocabulary import Vocabulary
    from clustergraph.store import Backend, Row


@dataclass(frozen=True)
class Choice:
    """One of what is offered."""

    iri: str
    label: Label
    number: int


@dataclass(frozen=True)
class Fact:
    """A property that things of a class have."""

    iri: str
    things: int
    """How many have it."""
    kind: str
    """What most of its values are: ``link``, ``number``, ``day`` or ``text``."""


def classes(
    backend: Backend, known: Vocabulary, base: str, languages: Sequence[str]
) -> list[Choice]:
    """The classes in use that this project declares, by name; all in use if it declares none.

    Args:
        backend: the store of the release.
        known: its terms.
        base: of the project.
        languages: those of the reader, the best first.
    """
    used = {iri: number for iri, number in known.numbers.items() if known.is_class(iri) and number}
    own = {iri: number for iri, number in used.items() if iri.startswith(base)} or used
    labels = Labels(backend, languages)
    labels.fetch(own)
    found = [Choice(iri, labels.of(iri), number) for iri, number in own.items()]
    return sorted(found, key=lambda each: (each.label.text.casefold(), each.iri))


def facts(ask: Callable[[sparql.Query], list[Row]], kind: str) -> list[Fact]:
    """The properties of the things of a class, those that most have first.

    Args:
        ask: answers a query.
        kind: the class.
    """
    rows = ask(_bound("facts-of-class", **{"class": ox.NamedNode(kind)}))
    return [
        Fact(row["property"].value, int(row["things"].value), _kind(row))
        for row in rows
        if "property" in row
    ]


def values(
    ask: Callable[[sparql.Query], list[Row]], kind: str, predicate: str
) -> list[tuple[str, int]]:
    """What a property leads to from the things of a class, with the number of them.

    Args:
        ask: answers a query.
        kind: the class.
        predicate: the property.
    """
    terms = {"class": ox.NamedNode(kind), "property": ox.NamedNode(predicate)}
    rows = ask(_bound("values-in-class", **terms))
    return [(row["value"].value, int(row["number"].value)) for row in rows if "value" in row]


def named(
    backend: Backend, found: Iterable[tuple[str, int]], languages: Sequence[str]
) -> list[Choice]:
    """What was found, with names, in the order of these."""
    found = list(found)
    labels = Labels(backend, languages)
    labels.fetch(iri for iri, _number in found)
    choices = [Choice(iri, labels.of(iri), number) for iri, number in found]
    return sorted(choices, key=lambda each: (each.label.text.casefold(), each.iri))


def _kind(row: Row) -> str:
    numbers = {
        name: int(row[counted].value) if counted in row else 0
        for name, counted in (
            ("link", "links"), ("number", "numerals"), ("day", "days"), ("text", "texts")
        )
    }  # fmt: skip
    return max(numbers, key=lambda name: numbers[name])


def _bound(name: str, **terms: ox.NamedNode) -> sparql.Query:
    return sparql.parse(sparql.bind(text_of(name), terms))
