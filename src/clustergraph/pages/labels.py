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


class Labels:
    """The names of some things."""

    def __init__(self, backend: Backend, languages: Sequence[str]) -> None:
        self._backend = backend
        self._languages = list(languages)
        self._found: dict[str, Label] = {}

    def fetch(self, iris: Iterable[str]) -> None:
        """Look up the names of things, in one query."""
        wanted = sorted({iri for iri in iris if iri not in self._found})
        if not wanted:
            return
        rows = select(self._backend, "labels", things=[ox.NamedNode(iri) for iri in wanted])
        best: dict[str, tuple[int, int]] = {}
        for row in rows:
            iri, label, rank = row["thing"].value, row["label"], int(row["rank"].value)
            if not isinstance(label, ox.Literal):
                continue
            order = (self._preference(label.language), rank)
            if iri not in best or order < best[iri]:
                best[iri] = order
                self._found[iri] = Label(label.value, label.language or "")

    def _preference(self, language: str | None) -> int:
        tag = (language or "").lower()
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
        return sorted(literals, key=lambda each: (self._preference(each.language), each.value))


def _readable(iri: str) -> str:
    match = _LAST.search(iri)
    return unquote(match[1]) if match and match[1] else iri
