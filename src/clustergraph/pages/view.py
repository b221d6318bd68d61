"""What a page shows of a thing, ready for a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    from clustergraph.pages.labels import Label
    from clustergraph.rdf import Term


@dataclass(frozen=True)
class Evidence:
    """Why a statement is believed."""

    attestation: str
    certainty: str
    rationale: str
    passages: tuple[tuple[str, int, int], ...]
    """IRI, first and last line of each."""


@dataclass(frozen=True)
class Value:
    """One value of a property."""

    term: Term
    label: Label
    graphs: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    inferred: bool = False
    """Whether it is stated nowhere, and follows by rule."""

    @property
    def iri(self) -> str:
        """The IRI, or nothing for a literal."""
        return self.term.value if isinstance(self.term, ox.NamedNode) else ""

    @property
    def datatype(self) -> str:
        """The datatype of a literal without language."""
        if isinstance(self.term, ox.Literal) and not self.term.language:
            return self.term.datatype.value
        return ""


@dataclass(frozen=True)
class Line:
    """A thing in a table, with one cell for each column."""

    iri: str
    label: Label
    cells: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Table:
    """Things with some of their properties."""

    columns: tuple[tuple[str, Label], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Property:
    """A property with its values."""

    iri: str
    label: Label
    values: tuple[Value, ...]
    inverse: bool = False
    """Whether it is the values that point to the thing."""
    table: Table | None = None
    """What is said of the values, where that is shown with them."""
    total: int = 0
    """How many values there are, those that are not shown too; without the lines of the table."""


@dataclass(frozen=True)
class Group:
    """Properties that belong together."""

    iri: str
    label: Label
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Incoming:
    """What points to the thing by one property."""

    iri: str
    label: Label
    things: tuple[tuple[str, Label], ...]
    total: int
    complete: bool


@dataclass(frozen=True)
class Page:
    """All that is shown about a thing."""

    iri: str
    label: Label
    descriptions: tuple[Label, ...]
    types: tuple[tuple[str, Label], ...]
    groups: tuple[Group, ...]
    """What the shapes place, in their order."""
    stated: tuple[Property, ...]
    """What else is stated."""
    inferred: tuple[Property, ...]
    """What else follows by rule."""
    parts: tuple[Page, ...]
    incoming: tuple[Incoming, ...]
    graphs: tuple[tuple[str, Label], ...]
    """The graphs that say anything here."""
