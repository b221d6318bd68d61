"""How pages show things, as the shapes say: what together, in which order, what as a table.

Forms and pages are what SHACL's non-validating characteristics are for (section 2.3.2):
``sh:group`` and ``sh:order`` of the property shapes of a class; DASH says what is a table.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.once import once
from clustergraph.pages.queries import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.rdf import Term
    from clustergraph.store import Backend

_TABLES = frozenset(
    f"http://datashapes.org/dash#{each}" for each in ("ValueTableViewer", "DetailsViewer")
)


@dataclass(frozen=True, order=True)
class Field:
    """A property that pages of a class show."""

    place: float
    """Of its group among the groups."""
    group: str
    order: float
    predicate: str
    inverse: bool
    """Whether what points to the thing is shown."""
    table: bool
    """Whether the properties of its values are shown with it."""
    names: tuple[tuple[str, str], ...] = ()
    """What it is called on these pages, if not as the property: language and text."""

    @property
    def key(self) -> tuple[str, bool]:
        """The property, and its direction."""
        return self.predicate, self.inverse


class Layout:
    """What the shapes of a release say about pages."""

    def __init__(self, fields: Mapping[str, Iterable[Field]]) -> None:
        self._fields = {name: sorted(found) for name, found in fields.items()}
        self.groups = frozenset(field.group for found in self._fields.values() for field in found)
        """The groups that there are."""
        every = {field for found in self._fields.values() for field in found if field.table}
        self.tables = frozenset(field.predicate for field in every if not field.inverse)
        """Properties whose values are shown with their own statements."""
        self.inverse_tables = frozenset(field.predicate for field in every if field.inverse)
        """The same, where the values are what points to the thing."""

    def of(self, classes: Iterable[str]) -> list[Field]:
        """The fields of a thing, in order; a property that several classes place comes once."""
        found: dict[tuple[str, bool], Field] = {}
        for name in classes:
            for field in self._fields.get(name, ()):
                found[field.key] = min(field, found.get(field.key, field))
        return sorted(found.values())


def layout(backend: Backend, base: str) -> Layout:
    """The layout of a release, read once.

    Args:
        backend: the store of the release.
        base: the base IRI.
    """
    return once(backend, "layout", lambda: _read(backend, base))


def _read(backend: Backend, base: str) -> Layout:
    fields: dict[str, set[Field]] = defaultdict(set)
    names: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    rows = select(backend, "layout", shapes=ox.NamedNode(f"{base}shapes"))
    for row in rows:
        name = row.get("name")
        if isinstance(name, ox.Literal):
            names[row["class"].value, str(row.get("inverse") or row["forward"])].append(
                (name.language or "", name.value)
            )
    for row in rows:
        inverse = "inverse" in row
        viewer = row.get("viewer")
        fields[row["class"].value].add(
            Field(
                place=_number(row.get("place")),
                group=row["group"].value,
                order=_number(row.get("order")),
                predicate=row["inverse" if inverse else "forward"].value,
                inverse=inverse,
                table=viewer is not None and viewer.value in _TABLES,
                names=tuple(
                    sorted(names[row["class"].value, str(row.get("inverse") or row["forward"])])
                ),
            )
        )
    return Layout(fields)


def _number(term: Term | None) -> float:
    """An order; what has none comes last."""
    try:
        return float(term.value) if isinstance(term, ox.Literal) else math.inf
    except ValueError:
        return math.inf
