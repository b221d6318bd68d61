"""What a page shows of a thing, ready for a template."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    from clustergraph.pages.labels import Label
    from clustergraph.pages.maps import Map
    from clustergraph.rdf import Term


@dataclass(frozen=True)
class Named:
    """A thing with its name, for a link."""

    iri: str
    label: Label


@dataclass(frozen=True)
class Passage:
    """A stretch of a source."""

    iri: str
    source: Named | None
    told: Named | None
    """The part of the source in which it stands, such as a post."""
    first: int | None
    last: int | None
    """Lines."""
    start: int | None
    end: int | None
    """Characters."""
    digest: str = ""
    """SHA-256 of its characters."""


@dataclass(frozen=True)
class Reading:
    """One of the ways in which a source may be understood."""

    iri: str
    label: Label
    preferred: bool
    mine: bool
    """Whether it is the one that makes the statement."""
    rationale: Label | None


@dataclass(frozen=True)
class Ambiguity:
    """A point on which the source admits several readings."""

    iri: str
    label: Label
    readings: tuple[Reading, ...]
    """The preferred one first."""


@dataclass(frozen=True)
class Evidence:
    """Why a statement is believed."""

    attestation: str
    certainty: Named | None
    rationale: Label | None
    author: Named | None
    created: str
    passages: tuple[Passage, ...]
    ambiguities: tuple[Ambiguity, ...]
    whole: bool = False
    """Whether it holds for all that is said of the thing, not for one statement."""


def statement_key(subject: Term, predicate: Term, term: Term) -> str:
    """What names a statement in the address of the page that says why it is believed."""
    text = f"{subject} {predicate} {term}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Value:
    """One value of a property."""

    term: Term
    label: Label
    graphs: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    inferred: bool = False
    """Whether it is stated nowhere, and follows by rule."""
    key: str = ""
    """Names the statement that gives it."""
    at: str = ""
    """The thing on whose page that statement is explained."""
    asserted: bool = True
    """Whether the graph says so; not, where only a reading that is not preferred would."""

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
    rivals: tuple[Value, ...] = ()
    """What other readings would say, and the graph does not."""


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
    things: tuple[Value, ...]
    total: int
    complete: bool


@dataclass(frozen=True)
class Support:
    """A statement or a thing that a passage supports."""

    why: Named
    statement: tuple[Named, Named, Value] | None
    """Subject, property and value; None where it is a thing as a whole."""


@dataclass(frozen=True)
class Supports:
    """What passages of a source support, in the order of the source; one page of it."""

    passages: tuple[tuple[Passage, tuple[Support, ...]], ...]
    total: int
    """Statements and things, all pages together."""
    number: int
    pages: int


@dataclass(frozen=True)
class Page:
    """All that is shown about a thing."""

    iri: str
    label: Label
    descriptions: tuple[Value, ...]
    types: tuple[Value, ...]
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
    whole: tuple[Evidence, ...] = ()
    """Why the thing is believed as a whole."""
    beside: Table | None = None
    """Figures that say something of the same, or editions of its series; this one among them."""
    beside_by: str = ""
    """What stands side by side: ``figures`` or ``editions``."""
    supports: Supports | None = None
    """What the thing supports, where it is a source or a part of one."""
    world: Map | None = None
    """Where it is, or the places that it names."""
    classes: tuple[str, ...] = ()
    """All its classes, inferred ones too."""
    other_types: tuple[Value, ...] = ()
    """Classes that other readings would give it."""


@dataclass(frozen=True)
class Derivation:
    """How a statement follows by a rule."""

    rule: Named
    description: str
    bindings: tuple[tuple[str, Value], ...]
    """What the rule was applied to: its variables and their values."""


@dataclass(frozen=True)
class Statement:
    """One statement, and all that speaks for and against it."""

    subject: Named
    property: Named
    value: Value
    graphs: tuple[Named, ...]
    """Who says so."""
    derivations: tuple[Derivation, ...]
    beside: tuple[Value, ...]
    """What else is said, or might be read, of the same subject by the same property."""
