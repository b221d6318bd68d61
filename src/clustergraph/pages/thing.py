"""The page of one thing: its statements with labels, graphs and evidence, and what leads to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.queries import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_DCTERMS = "http://purl.org/dc/terms/"
TYPE = _RDF + "type"
_DESCRIPTIONS = (_DCTERMS + "description", _SKOS + "definition", _SKOS + "scopeNote")
_FIRST = (
    _SKOS + "prefLabel",
    _SKOS + "altLabel",
    _DCTERMS + "title",
    "http://xmlns.com/foaf/0.1/name",
)
INCOMING_SHOWN = 25
"""Things that are shown of each kind of incoming links; the rest on a page of its own."""


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
    graphs: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()

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
class Property:
    """A property with its values."""

    iri: str
    label: Label
    values: tuple[Value, ...]


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
    stated: tuple[Property, ...]
    inferred: tuple[Property, ...]
    parts: tuple[Page, ...]
    incoming: tuple[Incoming, ...]
    graphs: tuple[tuple[str, Label], ...]
    """The graphs that say anything here."""


def page(
    backend: Backend, base: str, iri: str, languages: Sequence[str], *, everything: str = ""
) -> Page | None:
    """The page of a thing, or None if nothing is said of it; four queries, whatever its size.

    Args:
        backend: the store of the release.
        base: the base IRI.
        iri: the thing.
        languages: those of the reader, the best first.
        everything: a property whose incoming links are all wanted.
    """
    node = ox.NamedNode(iri)
    rows = select(backend, "statements", thing=node, parts=ox.Literal(iri + "#"))
    rows = [row for row in rows if "s" in row]
    incoming = select(backend, "incoming", thing=node)
    if not rows and not incoming:
        return None
    evidence = _evidence(backend, base, node)
    labels = Labels(backend, languages)
    labels.fetch(_iris(rows, incoming, iri))
    sections: dict[Term, list[Row]] = defaultdict(list)
    for row in rows:
        sections[row["s"]].append(row)
    inferred = f"{base}graph/inferred"
    parts = tuple(
        _section(subject, found, {}, labels, inferred)
        for subject, found in sorted(sections.items(), key=lambda each: str(each[0]))
        if subject != node
    )
    main = _section(node, sections.get(node, []), evidence, labels, inferred)
    return Page(
        iri=main.iri,
        label=main.label,
        descriptions=main.descriptions,
        types=main.types,
        stated=main.stated,
        inferred=main.inferred,
        parts=parts,
        incoming=_incoming(incoming, labels, everything),
        graphs=main.graphs,
    )


def _iris(rows: Iterable[Row], incoming: Iterable[Row], iri: str) -> set[str]:
    found = {iri}
    for row in (*rows, *incoming):
        found |= {term.value for term in row.values() if isinstance(term, ox.NamedNode)}
        graphs = row.get("graphs")
        if graphs is not None:
            found |= set(graphs.value.split())
    return found


def _section(
    subject: Term,
    rows: Iterable[Row],
    evidence: dict[tuple[Term, Term], tuple[Evidence, ...]],
    labels: Labels,
    inferred_graph: str,
) -> Page:
    stated: dict[str, list[Value]] = defaultdict(list)
    inferred: dict[str, list[Value]] = defaultdict(list)
    descriptions: list[ox.Literal] = []
    types: list[tuple[str, Label]] = []
    graphs: dict[str, Label] = {}
    for row in rows:
        predicate, term = row["p"], row["o"]
        names = tuple(sorted(row["graphs"].value.split()))
        graphs |= {name: labels.of(name) for name in names}
        derived = names == (inferred_graph,)
        if predicate.value in _DESCRIPTIONS and isinstance(term, ox.Literal):
            descriptions.append(term)
            continue
        if predicate.value == TYPE and not derived and isinstance(term, ox.NamedNode):
            types.append((term.value, labels.of(term.value)))
        value = Value(term, _shown(term, labels), names, evidence.get((predicate, term), ()))
        (inferred if derived else stated)[predicate.value].append(value)
    return Page(
        iri=subject.value,
        label=labels.of(subject.value),
        descriptions=tuple(
            Label(each.value, each.language or "") for each in labels.best(descriptions)
        ),
        types=tuple(sorted(types)),
        stated=_properties(stated, labels),
        inferred=_properties(inferred, labels),
        parts=(),
        incoming=(),
        graphs=tuple(sorted(graphs.items())),
    )


def _shown(term: Term, labels: Labels) -> Label:
    if isinstance(term, ox.NamedNode):
        return labels.of(term.value)
    if isinstance(term, ox.Literal):
        return Label(term.value, term.language or "")
    return Label("(unnamed)")


def _properties(values: dict[str, list[Value]], labels: Labels) -> tuple[Property, ...]:
    return tuple(
        Property(
            iri,
            labels.of(iri),
            tuple(sorted(found, key=lambda each: (each.label.text.casefold(), str(each.term)))),
        )
        for iri, found in sorted(values.items(), key=lambda each: _place(each[0], labels))
        if iri != TYPE
    )


def _place(iri: str, labels: Labels) -> tuple[int, str]:
    """Names first, then what the project's own vocabulary says, then the rest."""
    if iri in _FIRST:
        return (_FIRST.index(iri), "")
    own = "/ontology#" in iri
    return (len(_FIRST) + (0 if own else 1), labels.of(iri).text.casefold())


def _incoming(rows: Iterable[Row], labels: Labels, everything: str) -> tuple[Incoming, ...]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if isinstance(row["s"], ox.NamedNode):
            found[row["p"].value].add(row["s"].value)
    sections = []
    for predicate, subjects in sorted(found.items(), key=lambda each: labels.of(each[0]).text):
        ordered = sorted(subjects, key=lambda iri: (labels.of(iri).text.casefold(), iri))
        shown = ordered if everything == predicate else ordered[:INCOMING_SHOWN]
        sections.append(
            Incoming(
                predicate,
                labels.of(predicate),
                tuple((iri, labels.of(iri)) for iri in shown),
                len(ordered),
                len(shown) == len(ordered),
            )
        )
    return tuple(sections)


def _evidence(
    backend: Backend, base: str, node: ox.NamedNode
) -> dict[tuple[Term, Term], tuple[Evidence, ...]]:
    """The attestations of a thing's statements, by predicate and object."""

    def cg(name: str) -> ox.NamedNode:
        return ox.NamedNode(f"{base}ontology#{name}")

    rows = select(
        backend,
        "evidence",
        thing=node,
        cg_certainty=cg("certainty"),
        cg_rationale=cg("rationale"),
        cg_hasPassage=cg("hasPassage"),
        cg_firstLine=cg("firstLine"),
        cg_lastLine=cg("lastLine"),
    )
    grouped: dict[tuple[Term, Term], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        grouped[row["p"], row["o"]][row["attestation"].value].append(row)
    return {
        key: tuple(_attestation(iri, found) for iri, found in sorted(each.items()))
        for key, each in grouped.items()
    }


def _attestation(iri: str, rows: Sequence[Row]) -> Evidence:
    def text(name: str) -> str:
        return next((row[name].value for row in rows if name in row), "")

    passages = {
        (row["passage"].value, int(row["first"].value), int(row["last"].value))
        for row in rows
        if "passage" in row
    }
    return Evidence(
        iri,
        text("certainty"),
        text("rationale"),
        tuple(sorted(passages, key=lambda each: (each[1], each[0]))),
    )
