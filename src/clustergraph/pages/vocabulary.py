"""The classes and properties of a release: hierarchy, expected use, counts, examples."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.queries import select
from clustergraph.pages.trees import Branch, forest
from clustergraph.pages.view import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clustergraph.rdf import Term
    from clustergraph.settings import Settings
    from clustergraph.store import Backend, Row

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_SCHEMA = "https://schema.org/"
_SH = "http://www.w3.org/ns/shacl#"
_CLASSES = frozenset({f"{_OWL}Class", f"{_RDFS}Class"})
_ABOVE = (f"{_RDFS}subClassOf", f"{_RDFS}subPropertyOf")
_DOMAIN = (f"{_SCHEMA}domainIncludes", f"{_RDFS}domain")
_RANGE = (f"{_SCHEMA}rangeIncludes", f"{_RDFS}range")
_ALIGNED = (
    *(f"{_SKOS}{each}Match" for each in ("exact", "close", "broad", "narrow", "related")),
    f"{_OWL}equivalentClass",
    f"{_OWL}equivalentProperty",
)
_DCTERMS = "http://purl.org/dc/terms/"
_NOTES = (
    *(f"{_SKOS}{each}" for each in ("scopeNote", "example", "changeNote", "historyNote")),
    *(f"{_DCTERMS}{each}" for each in ("created", "issued", "modified")),
    f"{_OWL}versionInfo",
)
_DEFINITIONS = (f"{_SKOS}definition", f"{_RDFS}comment")
_MOST_BELOW = 60


@dataclass(frozen=True)
class Expectation:
    """What a shape expects, of things of a class or of those that have a property."""

    on: str
    """The class or the property."""
    kind: str
    """Which of them: ``class``, ``having`` or ``pointed``."""
    shape: str
    path: str
    inverse: bool
    least: int | None
    most: int | None
    values: tuple[str, ...]
    """Classes or a datatype, one of which each value has."""
    pattern: str
    severity: str
    """``Violation``, ``Warning`` or ``Info``."""
    comment: Label | None


@dataclass(frozen=True)
class Expected:
    """An expectation with names, as a page shows it."""

    on: Named
    kind: str
    path: Named | None
    inverse: bool
    least: int | None
    most: int | None
    values: tuple[Named, ...]
    pattern: str
    severity: str
    comment: Label | None


@dataclass
class Vocabulary:
    """What a release says of its terms; read once."""

    facts: Mapping[str, Mapping[str, list[Term]]]
    """By term and property."""
    numbers: Mapping[str, int]
    """How many things a class has, and how many statements a property."""
    expected: Sequence[Expectation]
    pointing: Mapping[str, Mapping[str, list[str]]] = field(init=False)
    """What points to a term, by property."""

    def __post_init__(self) -> None:
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for term, said in self.facts.items():
            for predicate, values in said.items():
                for value in values:
                    if isinstance(value, ox.NamedNode):
                        found[value.value][predicate].append(term)
        self.pointing = found

    def values(self, term: str, *predicates: str) -> list[str]:
        """The things that a term names by some properties."""
        said = self.facts.get(term, {})
        found = (value for each in predicates for value in said.get(each, ()))
        return list(dict.fromkeys(each.value for each in found if isinstance(each, ox.NamedNode)))

    def is_class(self, term: str) -> bool:
        """Whether it is a class, as far as is known."""
        return not _CLASSES.isdisjoint(self.values(term, f"{_RDF}type"))

    def above(self, term: str) -> list[str]:
        """All that stands above a term, the nearest first."""
        found: list[str] = []
        waiting = self.values(term, *_ABOVE)
        while waiting:
            each = waiting.pop(0)
            if each not in found and each != term:
                found.append(each)
                waiting += self.values(each, *_ABOVE)
        return found

    def below(self, term: str) -> list[str]:
        """All that stands below a term."""
        found: list[str] = []
        waiting = [term]
        while waiting and len(found) < _MOST_BELOW:
            led = self.pointing.get(waiting.pop(0), {})
            for each in (name for predicate in _ABOVE for name in led.get(predicate, ())):
                if each not in found and each != term:
                    found.append(each)
                    waiting.append(each)
        return found


@dataclass(frozen=True)
class TermPage:
    """What a page shows of a class or a property."""

    iri: str
    label: Label
    kinds: tuple[Named, ...]
    definitions: tuple[Label, ...]
    notes: tuple[tuple[Named, tuple[Label, ...]], ...]
    is_class: bool
    number: int
    tree: tuple[Branch, ...]
    """What stands above it and below it."""
    inverse: tuple[Named, ...]
    domain: tuple[Named, ...]
    range: tuple[Named, ...]
    used: tuple[Named, ...]
    """Properties that are expected on a class."""
    leading: tuple[Named, ...]
    """Properties whose values are of a class."""
    aligned: tuple[tuple[Named, tuple[Named, ...]], ...]
    expected: tuple[Expected, ...]
    things: tuple[Named, ...]
    """Some of a class."""
    statements: tuple[tuple[Named, Label, str], ...]
    """Some with a property: subject, value and its IRI."""
    defined_by: tuple[Named, ...]
    replaced_by: tuple[Named, ...]
    status: str
    deprecated: bool


_read_once: WeakKeyDictionary[Backend, Vocabulary] = WeakKeyDictionary()


def vocabulary(backend: Backend, settings: Settings) -> Vocabulary:
    """The terms of a release.

    Args:
        backend: the store of the release.
        settings: of the project.
    """
    found = _read_once.get(backend)
    if found is None:
        found = _read_once[backend] = _read(backend, settings)
    return found


def narrowest(
    backend: Backend, known: Vocabulary, base: str, iris: Iterable[str]
) -> dict[str, str]:
    """The class that says most of each thing: one of this project if it has any, with few things.

    Args:
        backend: the store of the release.
        known: its terms.
        base: of the project.
        iris: the things.
    """
    things = [ox.NamedNode(iri) for iri in iris]
    found: dict[str, tuple[bool, int, str]] = {}
    for row in select(backend, "types", things=things) if things else []:
        thing, klass = row["thing"].value, row["class"].value
        order = (not klass.startswith(base), known.numbers.get(klass, 0), klass)
        found[thing] = min(found.get(thing, order), order)
    return {thing: klass for thing, (_own, _number, klass) in found.items()}


def term_page(
    backend: Backend, settings: Settings, iri: str, languages: Sequence[str]
) -> TermPage | None:
    """The page of a term; None if it is neither declared nor in use. Two queries.

    Args:
        backend: the store of the release.
        settings: of the project.
        iri: the term.
        languages: those of the reader, the best first.
    """
    known = vocabulary(backend, settings)
    rows = select(backend, "instances", term=ox.NamedNode(iri))
    if iri not in known.facts and not any(row for row in rows):
        return None
    return _Writer(known, iri, Labels(backend, languages)).page(rows)


class _Writer:
    """Makes the page of a term."""

    def __init__(self, known: Vocabulary, iri: str, labels: Labels) -> None:
        self._known = known
        self._iri = iri
        self._labels = labels

    def page(self, rows: Sequence[Row]) -> TermPage:
        """The page."""
        known, iri, labels = self._known, self._iri, self._labels
        is_class = known.is_class(iri) or any("thing" in row for row in rows)
        above, below = known.above(iri), known.below(iri)
        expected = list(self._expectations(above, is_class=is_class))
        self._fetch(rows, {iri, *above, *below}, expected)
        line = {iri, *above, *below}
        said = known.facts.get(iri, {})
        return TermPage(
            iri=iri,
            label=labels.of(iri),
            kinds=self._named(known.values(iri, f"{_RDF}type")),
            definitions=self._texts(said, _DEFINITIONS)[:1],
            notes=tuple(
                (self._name(each), found)
                for each in _NOTES
                if (found := self._texts(said, (each,)))
            ),
            is_class=is_class,
            number=known.numbers.get(iri, 0),
            tree=forest(
                {each: [up for up in known.values(each, *_ABOVE) if up in line] for each in line},
                labels,
            )
            if len(line) > 1
            else (),
            inverse=self._named(
                [
                    *known.values(iri, f"{_OWL}inverseOf"),
                    *known.pointing.get(iri, {}).get(f"{_OWL}inverseOf", ()),
                ]
            ),
            domain=self._named(known.values(iri, *_DOMAIN)),
            range=self._named(known.values(iri, *_RANGE)),
            used=self._leading(_DOMAIN),
            leading=self._leading(_RANGE),
            aligned=tuple(
                (self._name(each), others)
                for each in _ALIGNED
                if (others := self._named(known.values(iri, each)))
            ),
            expected=tuple(self._expected(each) for each in expected),
            things=self._named(row["thing"].value for row in rows if "thing" in row),
            statements=tuple(self._statements(rows)),
            defined_by=self._named(known.values(iri, f"{_RDFS}isDefinedBy")),
            replaced_by=self._named(known.values(iri, "http://purl.org/dc/terms/isReplacedBy")),
            status=next(
                (
                    each.value
                    for each in said.get(
                        "http://www.w3.org/2003/06/sw-vocab-status/ns#term_status", ()
                    )
                    if isinstance(each, ox.Literal)
                ),
                "",
            ),
            deprecated=any(
                each.value in {"true", "1"}
                for each in said.get(f"{_OWL}deprecated", ())
                if isinstance(each, ox.Literal)
            ),
        )

    def _expectations(self, above: Sequence[str], *, is_class: bool) -> Iterator[Expectation]:
        """Those of a class and of the classes above it, or those of a property."""
        line = [self._iri, *above]
        found = [
            each
            for each in self._known.expected
            if (is_class and each.kind == "class" and each.on in line)
            or self._iri in (each.path, each.on)
        ]
        place = {iri: number for number, iri in enumerate(line)}
        yield from sorted(
            found, key=lambda each: (place.get(each.on, len(line)), each.path, each.shape)
        )

    def _fetch(self, rows: Iterable[Row], iris: set[str], expected: Iterable[Expectation]) -> None:
        wanted = {*iris, *_ALIGNED, *_NOTES}
        for row in rows:
            wanted |= {term.value for term in row.values() if isinstance(term, ox.NamedNode)}
        for values in self._known.facts.get(self._iri, {}).values():
            wanted |= {each.value for each in values if isinstance(each, ox.NamedNode)}
        for led in self._known.pointing.get(self._iri, {}).values():
            wanted |= set(led)
        for each in expected:
            wanted |= {each.on, each.path, *each.values} - {""}
        self._labels.fetch(wanted)

    def _name(self, iri: str) -> Named:
        return Named(iri, self._labels.of(iri))

    def _named(self, iris: Iterable[str]) -> tuple[Named, ...]:
        found = [self._name(each) for each in dict.fromkeys(iris)]
        return tuple(sorted(found, key=lambda each: (each.label.text.casefold(), each.iri)))

    def _leading(self, predicates: Iterable[str]) -> tuple[Named, ...]:
        led = self._known.pointing.get(self._iri, {})
        return self._named(each for predicate in predicates for each in led.get(predicate, ()))

    def _texts(
        self, said: Mapping[str, list[Term]], predicates: Iterable[str]
    ) -> tuple[Label, ...]:
        found = [
            each
            for predicate in predicates
            for each in self._labels.best(
                each for each in said.get(predicate, ()) if isinstance(each, ox.Literal)
            )
        ]
        return tuple(Label(each.value, each.language or "") for each in found)

    def _expected(self, each: Expectation) -> Expected:
        return Expected(
            self._name(each.on), each.kind, self._name(each.path) if each.path else None,
            each.inverse, each.least, each.most, self._named(each.values), each.pattern,
            each.severity, each.comment,
        )  # fmt: skip

    def _statements(self, rows: Iterable[Row]) -> Iterator[tuple[Named, Label, str]]:
        for row in rows:
            subject, value = row.get("s"), row.get("o")
            if isinstance(subject, ox.NamedNode):
                if isinstance(value, ox.NamedNode):
                    yield self._name(subject.value), self._labels.of(value.value), value.value
                elif isinstance(value, ox.Literal):
                    label = Label(value.value, value.language or "")
                    yield self._name(subject.value), label, ""


def _read(backend: Backend, settings: Settings) -> Vocabulary:
    facts: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for row in select(backend, "vocabulary"):
        facts[row["term"].value][row["p"].value].append(row["o"])
    used = select(
        backend,
        "used",
        catalogue=ox.NamedNode(settings.iri("graph/catalogue")),
        dataset=ox.NamedNode(settings.dataset_iri),
    )
    numbers = {row["term"].value: int(row["number"].value) for row in used}
    return Vocabulary(facts, numbers, list(_expectations(backend, settings)))


def _expectations(backend: Backend, settings: Settings) -> Iterator[Expectation]:
    grouped: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in select(backend, "expected", shapes=ox.NamedNode(settings.iri("shapes"))):
        for kind in ("class", "having", "pointed"):
            if kind in row:
                grouped[row[kind].value, kind, str(row["shape"])].append(row)
    for (on, kind, shape), rows in sorted(grouped.items()):
        row = rows[0]
        path = row.get("inverse") or row.get("path")
        values = {
            each[name].value
            for each in rows
            for name in ("of", "datatype", "choice")
            if name in each
        }
        if not isinstance(path, ox.NamedNode) and all("comment" not in each for each in rows):
            continue  # there are no words for it
        comment = next((each["comment"] for each in rows if "comment" in each), None)
        yield Expectation(
            on,
            kind,
            shape,
            path.value if isinstance(path, ox.NamedNode) else "",
            "inverse" in row,
            _count(row, "min"),
            _count(row, "max"),
            tuple(sorted(values)),
            row["pattern"].value if "pattern" in row else "",
            row["severity"].value.removeprefix(_SH) if "severity" in row else "Violation",
            Label(comment.value, comment.language or "")
            if isinstance(comment, ox.Literal)
            else None,
        )


def _count(row: Row, name: str) -> int | None:
    term = row.get(name)
    text = term.value if isinstance(term, ox.Literal) else ""
    return int(text) if text.isascii() and text.isdecimal() else None
