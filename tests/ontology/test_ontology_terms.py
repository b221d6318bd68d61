"""The terms of the ontology: all are there, and each is documented as the contract demands."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "ontology"
BASE = "https://w3id.org/clustergraph/"
CG = Namespace(BASE + "ontology#")
SCHEMA = Namespace("https://schema.org/")
VS = Namespace("http://www.w3.org/2003/06/sw-vocab-status/ns#")
VANN = Namespace("http://purl.org/vocab/vann/")
VOAF = Namespace("http://purl.org/vocommons/voaf#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
ONTOLOGY = URIRef(BASE + "ontology")
PROPERTY_KINDS = (OWL.ObjectProperty, OWL.DatatypeProperty)
FILES = sorted(FOLDER.rglob("*.ttl"))


def turtle(*paths: Path) -> Graph:
    """The merge of some Turtle files."""
    graph = Graph()
    for path in paths:
        graph.parse(path, format="turtle")
    return graph


CORE = turtle(FOLDER / "clustergraph.ttl")
EVERYTHING = turtle(*FILES)
with (HERE / "contract-terms.csv").open(encoding="utf-8", newline="") as table:
    CONTRACT = list(csv.DictReader(table))


def declared(graph: Graph) -> dict[URIRef, set[URIRef]]:
    """Our classes and properties, each with its kinds."""
    found: dict[URIRef, set[URIRef]] = {}
    for kind in (OWL.Class, *PROPERTY_KINDS):
        for term in graph.subjects(RDF.type, kind):
            if isinstance(term, URIRef) and term.startswith(CG):
                found.setdefault(term, set()).add(kind)
    return found


TERMS = declared(CORE)
IDS = [str(term).removeprefix(CG) for term in TERMS]


def expand(name: str) -> URIRef:
    """A name as the list of terms writes it: bare for ours, with a prefix for others."""
    return CORE.namespace_manager.expand_curie(name) if ":" in name else CG[name]


@pytest.mark.parametrize("row", CONTRACT, ids=[row["name"] for row in CONTRACT])
def test_term_of_the_contract_is_declared(row: dict[str, str]) -> None:
    """Every listed term exists, with exactly the listed superterms and inverse."""
    term = CG[row["name"]]
    is_class = row["kind"] == "class"
    assert term in TERMS
    assert (OWL.Class in TERMS[term]) == is_class
    above = RDFS.subClassOf if is_class else RDFS.subPropertyOf
    assert set(CORE.objects(term, above)) == {expand(n) for n in row["superproperty"].split()}
    inverses = {CG[row["inverse"]]} if row["inverse"] else set()
    assert set(CORE.objects(term, OWL.inverseOf)) == inverses


def test_list_of_terms_and_ontology_are_the_same() -> None:
    """No term is declared that the list lacks, and the counts are those of the contract."""
    assert {CG[row["name"]] for row in CONTRACT} == set(TERMS)
    kinds = [row["kind"] for row in CONTRACT]
    assert kinds.count("class") == 42
    assert kinds.count("inverse") == 28


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_term_is_documented(term: URIRef) -> None:
    """A term has one English label, definition and comment, its ontology and its status."""
    for predicate in (RDFS.label, SKOS.definition, RDFS.comment):
        (value,) = CORE.objects(term, predicate)
        assert isinstance(value, Literal)
        assert value.language == "en"
    assert set(CORE.objects(term, RDFS.isDefinedBy)) == {ONTOLOGY}
    (status,) = CORE.objects(term, VS.term_status)
    assert str(status) in {"stable", "testing", "unstable", "archaic"}


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_definition_is_one_plain_sentence(term: URIRef) -> None:
    """A definition runs from a capital to its only full stop, without negation."""
    text = str(CORE.value(term, SKOS.definition))
    assert re.fullmatch(r"[A-Z][^.]*\.", text)
    assert not re.search(r"\b(no|not|never|none|without)\b", text, re.IGNORECASE)


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_name_follows_the_style(term: URIRef) -> None:
    """Classes are UpperCamel, properties lowerCamel, and a label says the same words."""
    name = str(term).removeprefix(CG)
    pattern = r"([A-Z][a-z0-9]+)+" if OWL.Class in TERMS[term] else r"[a-z0-9]+([A-Z][a-z0-9]*)*"
    assert re.fullmatch(pattern, name)
    assert len(TERMS[term]) == 1


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_inverse_names_it_back(term: URIRef) -> None:
    """Both ends of an inverse pair name each other, and differ unless symmetric."""
    for inverse in CORE.objects(term, OWL.inverseOf):
        assert (inverse, OWL.inverseOf, term) in CORE
        if inverse == term:
            assert (term, RDF.type, OWL.SymmetricProperty) in EVERYTHING


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_no_term_stands_alone(term: URIRef) -> None:
    """A property says where it is used, a class is used by a property or says what it is for."""
    if OWL.Class in TERMS[term]:
        uses = [
            *CORE.subjects(SCHEMA.domainIncludes, term),
            *CORE.subjects(SCHEMA.rangeIncludes, term),
            *CORE.subjects(RDFS.subClassOf, term),
            *CORE.objects(term, SKOS.scopeNote),
        ]
        above = CORE.value(term, RDFS.subClassOf)
        assert uses or (above in TERMS)
    else:
        note = (term, SKOS.scopeNote, None) in CORE
        assert note or (term, SCHEMA.domainIncludes, None) in CORE
        assert note or (term, SCHEMA.rangeIncludes, None) in CORE


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_expected_use_names_declared_things(term: URIRef) -> None:
    """Domains, ranges and superterms are our terms, datatypes or declared terms of others."""
    for predicate in (
        SCHEMA.domainIncludes,
        SCHEMA.rangeIncludes,
        RDFS.subClassOf,
        RDFS.subPropertyOf,
    ):
        for other in CORE.objects(term, predicate):
            datatype = str(other).startswith(("http://www.w3.org/2001/XMLSchema#", str(RDF)))
            assert datatype or (other, RDF.type, None) in EVERYTHING


@pytest.mark.parametrize("term", TERMS, ids=IDS)
def test_kind_of_property_fits_its_range(term: URIRef) -> None:
    """Datatype properties have a datatype as their range, object properties have none."""
    ranges = set(CORE.objects(term, SCHEMA.rangeIncludes))
    literal = {
        r
        for r in ranges
        if str(r).startswith("http://www.w3.org/2001/XMLSchema#") or r == RDF.langString
    }
    if OWL.DatatypeProperty in TERMS[term]:
        assert len(ranges) == 1
        assert ranges == literal
    else:
        assert not literal


def test_concept_properties_name_their_scheme() -> None:
    """A property whose values are concepts of ours names a scheme that exists."""
    for term in CORE.subjects(SCHEMA.rangeIncludes, SKOS.Concept):
        schemes = set(CORE.objects(term, RDFS.seeAlso))
        assert schemes or term == CG.hasCurrency
        for scheme in schemes:
            assert (scheme, RDF.type, SKOS.ConceptScheme) in EVERYTHING


def test_no_unknown_term_of_ours_is_used() -> None:
    """Schemes, alignments and axioms use no term that the ontology lacks."""
    used = {
        part
        for triple in EVERYTHING
        for part in triple
        if isinstance(part, URIRef) and part.startswith(CG)
    }
    assert used <= set(TERMS)


def test_rules_use_known_terms_only() -> None:
    """The rules use no term that the ontology lacks."""
    used = {
        CG[name]
        for path in (FOLDER / "rules").glob("*.rq")
        for name in re.findall(r"\bcg:(\w+)", path.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= set(TERMS)


def test_header_is_complete() -> None:
    """The header holds what catalogues of vocabularies ask for."""
    for predicate in (
        DCTERMS.title,
        DCTERMS.description,
        DCTERMS.abstract,
        DCTERMS.creator,
        DCTERMS.publisher,
        DCTERMS.license,
        DCTERMS.created,
        DCTERMS.modified,
        DCTERMS.bibliographicCitation,
        ADMS.status,
    ):
        assert (ONTOLOGY, predicate, None) in CORE
    kinds = set(CORE.objects(ONTOLOGY, RDF.type))
    assert kinds == {OWL.Ontology, VOAF.Vocabulary}
    assert CORE.value(ONTOLOGY, VANN.preferredNamespacePrefix) == Literal("cg")
    assert CORE.value(ONTOLOGY, VANN.preferredNamespaceUri) == Literal(str(CG))
    assert CORE.value(ONTOLOGY, OWL.versionInfo) == Literal("1.0.0")
    assert CORE.value(ONTOLOGY, OWL.versionIRI) == URIRef(BASE + "ontology/1.0.0")
    prior = CORE.value(ONTOLOGY, OWL.priorVersion)
    assert (prior, RDF.type, OWL.Ontology) in CORE


def heads() -> Iterator[tuple[Path, Graph]]:
    """Each Turtle file with its own triples."""
    for path in FILES:
        yield path, turtle(path)


def test_each_file_names_itself_and_its_licence() -> None:
    """Each file has one head of its own under CC BY 4.0."""
    for path, graph in heads():
        own = {
            head
            for kind in (OWL.Ontology, SKOS.ConceptScheme)
            for head in graph.subjects(RDF.type, kind)
        } - {URIRef(BASE + "ontology/0.9.0")}
        assert len(own) == 1, path
        (head,) = own
        licence = URIRef("https://creativecommons.org/licenses/by/4.0/")
        assert set(graph.objects(head, DCTERMS.license)) == {licence}, path
        for predicate in (DCTERMS.title, DCTERMS.description, DCTERMS.creator):
            assert (head, predicate, None) in graph, path


def test_core_types_nothing_by_domain_or_range() -> None:
    """No domain and no range anywhere: they would hide a wrong type."""
    for predicate in (RDFS.domain, RDFS.range):
        assert (None, predicate, None) not in EVERYTHING


def test_reasoning_stays_light() -> None:
    """No property chains, equivalences, sameAs, cardinalities or class expressions."""
    forbidden = (
        OWL.propertyChainAxiom,
        OWL.equivalentClass,
        OWL.equivalentProperty,
        OWL.sameAs,
        OWL.onProperty,
        OWL.cardinality,
        OWL.minCardinality,
        OWL.maxCardinality,
        OWL.qualifiedCardinality,
        OWL.unionOf,
        OWL.intersectionOf,
        OWL.hasKey,
        OWL.imports,
    )
    for predicate in forbidden:
        assert (None, predicate, None) not in EVERYTHING
    for kind in (OWL.FunctionalProperty, OWL.InverseFunctionalProperty, OWL.Restriction):
        assert (None, RDF.type, kind) not in EVERYTHING


def test_core_holds_no_reasoner_axioms() -> None:
    """Disjointness and characteristics of properties stand in their own file."""
    for kind in (OWL.TransitiveProperty, OWL.SymmetricProperty, OWL.AsymmetricProperty):
        assert (None, RDF.type, kind) not in CORE
    assert (None, RDF.type, OWL.AllDisjointClasses) not in CORE
    assert (None, OWL.disjointWith, None) not in CORE
