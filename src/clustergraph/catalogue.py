"""The dataset's own description: DCAT-AP 3 and VoID, with every count taken from the data."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import examples, rdf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.inference import Inference
    from clustergraph.settings import Settings

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DCTERMS = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
FOAF = "http://xmlns.com/foaf/0.1/"
PROV = "http://www.w3.org/ns/prov#"
VOID = "http://rdfs.org/ns/void#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
_LANGUAGE = "http://publications.europa.eu/resource/authority/language/"
_LANGUAGE_CODES = {
    "ca": "CAT", "de": "DEU", "en": "ENG", "es": "SPA", "fr": "FRA", "it": "ITA", "ja": "JPN",
}  # fmt: skip
_LOCAL = re.compile(r"([^#/]+)[#/]?$")
_TYPE = ox.NamedNode(RDF + "type")
_ROUNDS = 10


class _Description:
    """A graph in the making."""

    def __init__(self, graph: str) -> None:
        self.graph = ox.NamedNode(graph)
        self.quads: dict[ox.Quad, None] = {}

    def add(self, subject: str, predicate: str, value: str | ox.Literal) -> None:
        """Add a triple; a ``str`` value is an IRI."""
        term = ox.NamedNode(value) if isinstance(value, str) else value
        self.quads[ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), term, self.graph)] = None

    def number(self, subject: str, predicate: str, value: int) -> None:
        """Add a count."""
        self.add(subject, predicate, ox.Literal(str(value), datatype=ox.NamedNode(XSD + "integer")))

    def text(self, subject: str, predicate: str, value: str) -> None:
        """Add a text in English; nothing where there is none."""
        if value:
            self.add(subject, predicate, ox.Literal(value, language="en"))

    def day(self, subject: str, predicate: str, value: str) -> None:
        """Add a date; nothing where there is none."""
        if value:
            self.add(subject, predicate, ox.Literal(value, datatype=ox.NamedNode(XSD + "date")))


def describe(quads: Iterable[ox.Quad], inference: Inference, settings: Settings) -> list[ox.Quad]:
    """The catalogue graph and the description of the inferred graph.

    The counts are of the default graph of the release, this description included; so it is made
    again until its counts are those of the graph that holds it.

    Args:
        quads: all public quads of the release but these.
        inference: what was inferred, by which rules.
        settings: the project's settings.
    """
    own = _provenance(inference, settings)
    others = _Statistics([*rdf.triples(quads), *rdf.triples(own)])
    made: list[ox.Quad] = []
    for _ in range(_ROUNDS):
        again = _dataset(others.plus(rdf.triples(made)), settings)
        if again == made:
            break
        made = again
    return own + made


def is_computed(quad: ox.Quad, settings: Settings) -> bool:
    """Whether a quad is one that the program computes: an inference, or a part of the catalogue."""
    graph = getattr(quad.graph_name, "value", "")
    own = tuple(
        settings.iri(name) for name in ("graph/inferred", "graph/catalogue", examples.GRAPH)
    )
    if graph == settings.iri("graph/provenance"):
        subject = getattr(quad.subject, "value", "")
        return str(subject).split("#", 1)[0] in own
    return graph in own


class _Statistics:
    """What is counted of a set of triples."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        self._triples: set[ox.Triple] = set()
        self.subjects: set[object] = set()
        self.objects: set[object] = set()
        self.members: dict[str, set[object]] = defaultdict(set)
        self.uses: Counter[str] = Counter()
        self._count(triples)

    def __len__(self) -> int:
        return len(self._triples)

    def _count(self, triples: Iterable[ox.Triple]) -> None:
        new = set(triples) - self._triples
        self._triples |= new
        for triple in new:
            self.subjects.add(triple.subject)
            self.objects.add(triple.object)
            self.uses[triple.predicate.value] += 1
            if triple.predicate == _TYPE and isinstance(triple.object, ox.NamedNode):
                self.members[triple.object.value].add(triple.subject)

    def plus(self, triples: Iterable[ox.Triple]) -> _Statistics:
        """What is counted of these and of some more; these are not counted again."""
        both = _Statistics(())
        both._triples = set(self._triples)
        both.subjects, both.objects = set(self.subjects), set(self.objects)
        both.members = defaultdict(set, {kind: set(each) for kind, each in self.members.items()})
        both.uses = Counter(self.uses)
        both._count(triples)
        return both


def _dataset(statistics: _Statistics, settings: Settings) -> list[ox.Quad]:
    iri = settings.dataset_iri
    d = _Description(settings.iri("graph/catalogue"))
    for kind in (DCAT + "Dataset", VOID + "Dataset"):
        d.add(iri, RDF + "type", kind)
    d.text(iri, DCTERMS + "title", settings.title)
    d.text(iri, DCTERMS + "description", settings.description or settings.title)
    d.add(iri, DCTERMS + "identifier", ox.Literal(iri, datatype=ox.NamedNode(XSD + "anyURI")))
    d.day(iri, DCTERMS + "issued", settings.issued)
    d.day(iri, DCTERMS + "modified", settings.modified)
    if settings.licence:
        d.add(iri, DCTERMS + "license", settings.licence)
    for language in settings.languages:
        if language in _LANGUAGE_CODES:
            d.add(iri, DCTERMS + "language", _LANGUAGE + _LANGUAGE_CODES[language])
    if settings.publisher:
        publisher = f"{iri}#maintainers"
        d.add(iri, DCTERMS + "publisher", publisher)
        d.add(publisher, RDF + "type", FOAF + "Agent")
        d.text(publisher, FOAF + "name", settings.publisher)
    d.add(iri, DCTERMS + "conformsTo", settings.iri("shapes"))
    d.add(iri, FOAF + "homepage", settings.base)
    d.add(iri, VOID + "uriSpace", ox.Literal(settings.base))
    d.add(iri, VOID + "sparqlEndpoint", settings.iri("sparql"))
    if settings.example:
        d.add(iri, VOID + "exampleResource", settings.iri(settings.example))
    service = f"{iri}#sparql"
    d.add(service, RDF + "type", DCAT + "DataService")
    d.text(service, DCTERMS + "title", "SPARQL 1.1 endpoint")
    d.add(service, DCAT + "endpointURL", settings.iri("sparql"))
    d.add(service, DCAT + "servesDataset", iri)
    namespaces = {re.sub(r"[^#/]+$", "", predicate) for predicate in statistics.uses}
    for vocabulary in sorted(namespaces - {""}):  # a predicate such as <urn:x> has none
        d.add(iri, VOID + "vocabulary", vocabulary)
    _counts(d, iri, statistics, settings)
    return list(d.quads)


def _counts(d: _Description, iri: str, statistics: _Statistics, settings: Settings) -> None:
    members, uses = statistics.members, statistics.uses
    d.number(iri, VOID + "triples", len(statistics))
    d.number(iri, VOID + "distinctSubjects", len(statistics.subjects))
    d.number(iri, VOID + "distinctObjects", len(statistics.objects))
    d.number(iri, VOID + "classes", len(members))
    d.number(iri, VOID + "properties", len(uses))
    d.number(iri, VOID + "entities", len({each for found in members.values() for each in found}))
    for name, kind in _partition_names(members, settings):
        part = f"{iri}#class-{name}"
        d.add(iri, VOID + "classPartition", part)
        d.add(part, VOID + "class", kind)
        d.number(part, VOID + "entities", len(members[kind]))
    for name, predicate in _partition_names(uses, settings):
        part = f"{iri}#property-{name}"
        d.add(iri, VOID + "propertyPartition", part)
        d.add(part, VOID + "property", predicate)
        d.number(part, VOID + "triples", uses[predicate])


def _partition_names(terms: Iterable[str], settings: Settings) -> Iterator[tuple[str, str]]:
    """A readable fragment for each IRI; where two end alike, the later gets a number.

    Our own come first, so that the names do not depend on the base.
    """
    seen: Counter[str] = Counter()
    for term in sorted(terms, key=lambda iri: (not iri.startswith(settings.base), iri)):
        match = _LOCAL.search(term)
        local = re.sub(r"[^\w-]+", "-", match[1]) if match else "x"
        seen[local] += 1
        yield (local if seen[local] == 1 else f"{local}-{seen[local]}"), term


def _provenance(inference: Inference, settings: Settings) -> list[ox.Quad]:
    """What ``graph/inferred`` is and by which rules it was made, in ``graph/provenance``."""
    d = _Description(settings.iri("graph/provenance"))
    inferred, run = settings.iri("graph/inferred"), settings.iri("graph/inferred#materialisation")
    catalogue = settings.iri("graph/catalogue")
    d.add(inferred, RDF + "type", PROV + "Entity")
    d.text(inferred, DCTERMS + "title", "Inferred statements")
    d.text(
        inferred,
        DCTERMS + "description",
        "Statements that no source makes itself and that follow by the rules named here.",
    )
    d.add(inferred, PROV + "wasGeneratedBy", run)
    d.add(run, RDF + "type", PROV + "Activity")
    d.text(run, SKOS + "prefLabel", "Materialisation of inferred statements")
    d.add(catalogue, RDF + "type", PROV + "Entity")
    d.text(catalogue, DCTERMS + "title", "Catalogue")
    d.text(
        catalogue,
        DCTERMS + "description",
        "The description of the dataset itself, computed when a release is built.",
    )
    queries = settings.iri(examples.GRAPH)
    d.add(queries, RDF + "type", PROV + "Entity")
    d.text(queries, DCTERMS + "title", "Example queries")
    d.text(
        queries,
        DCTERMS + "description",
        "The stored queries of the project, as anybody can run them.",
    )
    for name, rule in sorted(inference.rules.items()):
        node = settings.iri(f"graph/inferred#{name}")
        d.add(run, PROV + "used", node)
        d.add(node, RDF + "type", PROV + "Plan")
        d.text(node, SKOS + "prefLabel", rule.title)
        d.text(node, DCTERMS + "description", rule.description)
    return list(d.quads)
