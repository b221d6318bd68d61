"""What is measured of a release: completeness, evidence, links."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.queries import select_from

if TYPE_CHECKING:
    from clustergraph.rdf import Term
    from clustergraph.settings import Settings
    from clustergraph.store import Backend, Row

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Completeness:
    """How many instances of a class have a property of which its shapes speak."""

    cls: str
    property: str
    required: bool
    """Whether a shape asks for at least one value."""
    having: int
    instances: int


@dataclass(frozen=True)
class Link:
    """A statement whose object nothing describes."""

    subject: str
    property: str
    object: str


@dataclass(frozen=True)
class Measures:
    """All that is measured."""

    completeness: tuple[Completeness, ...]
    """Of classes that have instances."""
    things: int
    unattested: tuple[str, ...]
    """The things without evidence."""
    nowhere: tuple[Link, ...]

    @property
    def unattested_by_kind(self) -> dict[str, int]:
        """Their number by kind, a kind being the part of an IRI after id/."""
        counts: dict[str, int] = {}
        for iri in self.unattested:
            kind = iri.split("/id/", 1)[-1].split("/", 1)[0]
            counts[kind] = counts.get(kind, 0) + 1
        return counts


def measured(backend: Backend, settings: Settings) -> Measures:
    """Measure a release.

    Args:
        backend: its public store.
        settings: of the project.

    Raises:
        StoreError: it cannot be read.
    """
    things: dict[str, Term] = {
        "prefix": ox.Literal(settings.iri("id/")),
        "passage": ox.NamedNode(settings.iri("ontology#Passage")),
    }
    return Measures(
        completeness=tuple(_completeness(backend)),
        things=_number(select_from(_FOLDER, backend, "things", **things)),
        unattested=tuple(
            row["thing"].value for row in select_from(_FOLDER, backend, "unattested", **things)
        ),
        nowhere=tuple(
            Link(_shown(row["subject"]), row["property"].value, row["object"].value)
            for row in select_from(
                _FOLDER,
                backend,
                "nowhere",
                base=ox.Literal(settings.base),
                base_iri=ox.NamedNode(settings.base),
                endpoint=ox.NamedNode(settings.iri("sparql")),
            )
        ),
    )


def _completeness(backend: Backend) -> list[Completeness]:
    found: list[Completeness] = []
    instances: dict[str, int] = {}
    for row in select_from(_FOLDER, backend, "expected"):
        cls, name = row["class"], row["property"]
        if cls.value not in instances:
            instances[cls.value] = _number(
                select_from(_FOLDER, backend, "instances", **{"class": cls})
            )
        if instances[cls.value]:
            pair = {"class": cls, "property": name}
            having = _number(select_from(_FOLDER, backend, "having", **pair))
            required = "required" in row and row["required"].value in {"true", "1"}
            found.append(
                Completeness(cls.value, name.value, required, having, instances[cls.value])
            )
    return found


def _number(rows: list[Row]) -> int:
    return int(rows[0]["number"].value)


def _shown(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else "[]"
