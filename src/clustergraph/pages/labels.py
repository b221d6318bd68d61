"""Labels of things in the languages of the reader, fetched for all things of a page at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyoxigraph as ox

from clustergraph.pages.queries import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clustergraph.store import Backend

_LAST = re.compile(r"([^/#]*)[/#]?$")


@dataclass(frozen=True)
class Label:
    """A name, with its language if it has one."""

    text: str
    language: str = ""


Name = tuple[str, str, str, int]
"""The IRI of a thing, a name of it, the language, and the rank of the property that names it."""


class Labels:
    """The names of some things."""

    def __init__(self, backend: Backend, languages: Sequence[str]) -> None:
        self._backend = backend
        self._languages = list(languages)
        self._found: dict[str, Label] = {}

    def fetch(self, iris: Iterable[str]) -> None:
        """Look up the names of things, in one query."""
        self.choose(names(self._backend, {iri for iri in iris if iri not in self._found}))

    def choose(self, found: Iterable[Name]) -> None:
        """Of the names of things, know the best one of each."""
        best: dict[str, tuple[int, int]] = {}
        for iri, text, language, rank in found:
            order = (self._preference(language), rank)
            if iri not in best or order < best[iri]:
                best[iri] = order
                self._found[iri] = Label(text, language)

    def _preference(self, language: str) -> int:
        tag = language.lower()
        for position, wanted in enumerate(self._languages):
            if tag == wanted:
                return position
        return len(self._languages) + (1 if tag else 0)

    def of(self, iri: str) -> Label:
        """The name of a thing; the end of its IRI if it has none."""
        return self._found.get(iri) or Label(_readable(iri))

    def known(self, iri: str) -> str:
        """The name of a thing; empty if it has none."""
        found = self._found.get(iri)
        return found.text if found else ""

    def best(self, literals: Iterable[ox.Literal]) -> list[ox.Literal]:
        """Literals, those in the reader's languages first."""
        return sorted(
            literals, key=lambda each: (self._preference(each.language or ""), each.value)
        )


def names(backend: Backend, iris: Iterable[str]) -> list[Name]:
    """All names of some things, in all languages, looked up in one query.

    What is no IRI has none: a year by which results are narrowed.
    """
    things = [node for iri in sorted(set(iris)) if (node := _node(iri)) is not None]
    if not things:
        return []
    rows = select(backend, "labels", things=things)
    return [
        (row["thing"].value, label.value, label.language or "", int(row["rank"].value))
        for row in rows
        if isinstance(label := row["label"], ox.Literal)
    ]


def _node(iri: str) -> ox.NamedNode | None:
    try:
        return ox.NamedNode(iri)
    except ValueError:
        return None


def _readable(iri: str) -> str:
    match = _LAST.search(iri)
    return unquote(match[1]) if match and match[1] else iri
