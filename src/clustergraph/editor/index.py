"""What the files say of each thing: labels, definitions, classes, and where it is described."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clustergraph.errors import ClusterGraphError
from clustergraph.positions.source import OBJECT, PREDICATE, SUBJECT
from clustergraph.positions.terms import RDF

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from clustergraph.positions import Place, Source

_TYPE = RDF + "type"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_TERMS = "http://purl.org/dc/terms/"
_SCHEMA = ("https://schema.org/", "http://schema.org/")
_LABELS = (
    _SKOS + "prefLabel", _RDFS + "label", _TERMS + "title", "http://xmlns.com/foaf/0.1/name",
    *(start + "name" for start in _SCHEMA), "http://www.w3.org/ns/shacl#name",
)  # fmt: skip
_DEFINITIONS = (
    _SKOS + "definition", _RDFS + "comment", _TERMS + "description", _SKOS + "scopeNote",
    *(start + "description" for start in _SCHEMA), "http://www.w3.org/ns/shacl#description",
)  # fmt: skip
_WANTED = {*_LABELS, *_DEFINITIONS, _TYPE, _OWL + "deprecated"}
_CLASSES = {_OWL + "Class", _RDFS + "Class"}
_PROPERTIES = {
    RDF + "Property",
    *(_OWL + name for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")),
}


@dataclass
class Thing:
    """What one file says of a thing."""

    place: tuple[int, int]
    """From where to before where its name stands, where it is described; -1 without positions."""
    typed: bool = False
    facts: dict[str, list[str]] = field(default_factory=dict)
    """Keys of its values (see ``positions.terms``), by property."""


class Summary:
    """The things that one file describes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.things: dict[str, Thing] = {}
        self.used: set[str] = set()
        """The properties of its statements."""
        try:
            statements = source.statements()
        except ClusterGraphError:  # it cannot be read now
            return
        for record in statements:
            subject, predicate = record[SUBJECT], record[PREDICATE]
            self.used.add(predicate)
            if subject.startswith("_:"):
                continue
            thing = self.things.get(subject)
            start = record[4]
            if thing is None:
                thing = self.things[subject] = Thing((start, start))
            if predicate == _TYPE and not thing.typed:
                thing.place, thing.typed = (start, start), True
            if predicate in _WANTED:
                thing.facts.setdefault(predicate, []).append(record[OBJECT])

    def place(self, iri: str) -> Place | None:
        """Where a thing is described."""
        thing = self.things.get(iri)
        return None if thing is None else self.source.place_at(thing.place[0])


class Index:
    """The summaries of all files; a file is read anew only if it changed."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Summary]] = {}
        self.summaries: list[Summary] = []

    def update(self, sources: Iterable[tuple[Hashable, Source]]) -> None:
        """Bring it up to date; each file comes with what changes when it does."""
        kept = {}
        for stamp, source in sources:
            known = self._kept.get(source.path)
            if known is None or known[0] != stamp:
                known = (stamp, Summary(source))
            kept[source.path] = known
        self._kept = kept
        self.summaries = [summary for _stamp, summary in kept.values()]

    def _facts(self, iri: str, properties: Iterable[str]) -> Iterator[str]:
        described = [each.things[iri] for each in self.summaries if iri in each.things]
        for each in properties:
            for thing in described:
                yield from thing.facts.get(each, ())

    def label(self, iri: str) -> str:
        """Its best label, English before others; empty if it has none."""
        return _best(self._facts(iri, _LABELS))

    def definition(self, iri: str) -> str:
        """Its definition; empty if it has none."""
        return _best(self._facts(iri, _DEFINITIONS))

    def classes(self, iri: str) -> list[str]:
        """The classes it is stated to be of."""
        return list(dict.fromkeys(self._facts(iri, (_TYPE,))))

    def is_deprecated(self, iri: str) -> bool:
        """Whether it shall not be used any more."""
        return any(key.startswith('"true"') for key in self._facts(iri, (_OWL + "deprecated",)))

    def kind(self, iri: str) -> str:
        """``class``, ``property`` or ``thing``."""
        classes = set(self.classes(iri))
        if classes & _CLASSES:
            return "class"
        if classes & _PROPERTIES:
            return "property"
        return "property" if any(iri in each.used for each in self.summaries) else "thing"

    def names(self, start: str) -> list[str]:
        """The things described and the properties used whose IRIs start so, in order."""
        found = {
            iri
            for each in self.summaries
            for names in (each.things, each.used)
            for iri in names
            if iri.startswith(start)
        }
        return sorted(found)

    def places(self, iri: str) -> list[Place]:
        """Where it is described: the files that give its class first, then by kind of file."""
        rank = {"ontology": 0, "data": 1, "shapes": 2}
        found = sorted(
            (each for each in self.summaries if iri in each.things),
            key=lambda each: (not each.things[iri].typed, rank.get(each.source.kind, 3)),
        )
        return [place for each in found if (place := each.place(iri)) is not None]


def _best(keys: Iterable[str]) -> str:
    """The text of the first literal in English or without language, else of the first."""
    found = [key for key in keys if key.startswith('"')]
    for key in found:
        language = key.rpartition('"')[2]
        if language == "@en" or not language.startswith("@"):
            return key[1 : key.rindex('"')]
    return found[0][1 : found[0].rindex('"')] if found else ""
