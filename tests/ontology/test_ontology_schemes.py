"""The concept schemes: each concept is documented and in its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rdflib import RDF, SKOS, Graph, Literal, Namespace, URIRef

FOLDER = Path(__file__).resolve().parents[2] / "ontology" / "schemes"
BASE = "https://w3id.org/clustergraph/"
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
ORG = Namespace("http://www.w3.org/ns/org#")
LANGUAGES = {"en", "fr", "de", "es", "ca", "it", "ja"}

CONTRACT = {
    "agreement-kind": "business-development-agreement memorandum-of-understanding "
    "commercial-agreement collaboration project-consortium",
    "mission-kind": "sme-mission discovery-mission cluster-delegation",
    "event-kind": "convention partnering-conference trade-fair matchmaking workshop "
    "kick-off-meeting cultural-visit",
    "item-kind": "arrival workshop cultural-visit conference transfer trade-fair "
    "trade-fair-participation",
    "organisation-kind": "cluster-organisation science-park public-agency executive-agency "
    "supranational-body industry-association promotion-centre unspecified",
    "person-role": "chief-executive acting-chief-executive chief-executive-officer "
    "vice-president ambassador contact author",
    "participation-role": "signatory partner project-leader organiser co-organiser supporter "
    "host attendee speaker represented-party",
    "sector": "life-sciences biotechnology pharma medical-technology drug-development healthcare "
    "personalised-healthcare ict-for-health big-data-and-ai",
    "market": "usa china brazil japan australia asia-pacific europe",
    "metric": "smes companies-and-research-organisations companies listed-companies attendees "
    "agreements-and-collaborations memoranda regions signatories comments followers sector-size "
    "investment rd-investment programme-allocation share-of-world-turnover share-of-biotech-sales",
    "comparator": "exactly more-than about at-least",
    "unit": "entity percent year day",
    "certainty": "stated implied inferred curated external",
    "attribution-mode": "explicit implied narration",
    "status": "planned provisional announced held cancelled unknown",
    "document-kind": "report agenda programme logistics-note handbook strategy article blog-post "
    "profile",
    "day-part": "morning afternoon evening all-day",
    "audience": "smes-of-alliance-regions smes-outside-alliance european-clusters "
    "cluster-managers european-cluster-staff company-managers",
    "contact-purpose": "media regional mission-information event-information",
}

SCHEMES = {path.stem: Graph().parse(path, format="turtle") for path in sorted(FOLDER.glob("*.ttl"))}
CONCEPTS = [
    (name, URIRef(concept))
    for name, graph in SCHEMES.items()
    for concept in sorted(map(str, graph.subjects(RDF.type, SKOS.Concept)))
]
IDS = [str(concept).removeprefix(BASE + "scheme/") for _, concept in CONCEPTS]


def test_all_schemes_and_their_concepts_exist() -> None:
    """The schemes are those of the contract, with at least its notations."""
    assert set(SCHEMES) == set(CONTRACT)
    for name, notations in CONTRACT.items():
        for notation in notations.split():
            concept = URIRef(f"{BASE}scheme/{name}/{notation}")
            assert (concept, RDF.type, SKOS.Concept) in SCHEMES[name]


@pytest.mark.parametrize(("name", "concept"), CONCEPTS, ids=IDS)
def test_concept_is_documented(name: str, concept: URIRef) -> None:
    """A concept has labels, an English definition of one sentence and its notation."""
    graph = SCHEMES[name]
    labels = [str(getattr(x, "language", "")) for x in graph.objects(concept, SKOS.prefLabel)]
    assert "en" in labels
    assert len(labels) == len(set(labels))
    assert set(labels) <= LANGUAGES
    (definition,) = graph.objects(concept, SKOS.definition)
    assert isinstance(definition, Literal)
    assert definition.language == "en"
    assert re.fullmatch(r"[A-Z][^.]*\.", str(definition))
    (notation,) = graph.objects(concept, SKOS.notation)
    assert notation == Literal(str(concept).rsplit("/", 1)[1])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(notation))


@pytest.mark.parametrize(("name", "concept"), CONCEPTS, ids=IDS)
def test_concept_has_one_place_in_its_scheme(name: str, concept: URIRef) -> None:
    """A concept is in its scheme, either at the top or below a concept of the same scheme."""
    graph = SCHEMES[name]
    scheme = URIRef(f"{BASE}scheme/{name}")
    assert set(graph.objects(concept, SKOS.inScheme)) == {scheme}
    tops = set(graph.objects(concept, SKOS.topConceptOf))
    broader = set(graph.objects(concept, SKOS.broader))
    assert (tops == {scheme}) != bool(broader)
    assert all((above, SKOS.inScheme, scheme) in graph for above in broader)
    assert concept not in broader


@pytest.mark.parametrize("name", SCHEMES)
def test_labels_are_unique_within_a_scheme(name: str) -> None:
    """No two concepts of a scheme share a preferred label in one language."""
    labels = list(SCHEMES[name].subject_objects(SKOS.prefLabel))
    assert len({label for _, label in labels}) == len(labels)


def test_roles_of_persons_are_roles() -> None:
    """The roles of persons, and the one used for alliances, are roles for ORG too."""
    for concept in SCHEMES["person-role"].subjects(RDF.type, SKOS.Concept):
        assert (concept, RDF.type, ORG.Role) in SCHEMES["person-role"]
    partner = URIRef(BASE + "scheme/participation-role/partner")
    assert (partner, RDF.type, ORG.Role) in SCHEMES["participation-role"]


def test_acting_chief_executive_is_related_and_not_narrower() -> None:
    """Someone who stands in is related to the office and is no kind of it."""
    graph = SCHEMES["person-role"]
    acting = URIRef(BASE + "scheme/person-role/acting-chief-executive")
    office = URIRef(BASE + "scheme/person-role/chief-executive")
    assert (acting, SKOS.related, office) in graph
    assert (acting, SKOS.broader, None) not in graph


def test_markets_stand_for_places() -> None:
    """Each market has one place of the graph in focus."""
    graph = SCHEMES["market"]
    for concept in graph.subjects(RDF.type, SKOS.Concept):
        (place,) = graph.objects(concept, FOAF.focus)
        assert str(place).startswith(BASE + "id/place/")
