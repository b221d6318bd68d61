"""The rules against an OWL 2 RL reasoner, and the axioms against wrong data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import owlrl
import pyoxigraph as ox
import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Namespace, URIRef

from clustergraph import inference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clustergraph.queries import StoredQuery

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "ontology"
ID = "https://w3id.org/clustergraph/id/"
CG = Namespace("https://w3id.org/clustergraph/ontology#")
ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#ErrorMessage")
AXIOMS = (RDF.type, RDFS.subClassOf, RDFS.subPropertyOf, OWL.inverseOf)


def axioms() -> Graph:
    """What a reasoner needs of the ontology: its axioms without labels and notes."""
    graph = Graph()
    for triple in Graph().parse(FOLDER / "clustergraph.ttl", format="turtle"):
        if triple[1] in AXIOMS:
            graph.add(triple)
    return graph.parse(FOLDER / "clustergraph-rl.ttl", format="turtle")


def closure(data: str | Path) -> Graph:
    """The reasoner's closure of the axioms and some data."""
    graph = axioms()
    if isinstance(data, Path):
        graph.parse(data, format="turtle")
    else:
        graph.parse(
            data=f"@prefix cg: <{CG}> . @base <{ID}> . "
            f"@prefix foaf: <http://xmlns.com/foaf/0.1/> . {data}",
            format="turtle",
        )
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    return graph


def errors(graph: Graph) -> set[str]:
    """The contradictions that the reasoner reports."""
    return {
        str(message)
        for report in graph.subjects(RDF.type, ERROR)
        for message in graph.objects(report, None)
        if message != ERROR
    }


def test_reasoner_finds_nothing_more_than_the_rules(rules: Mapping[str, StoredQuery]) -> None:
    """In our own terms, the closure of the reasoner adds nothing to what the rules derive."""
    quads = [
        quad
        for path in (FOLDER / "clustergraph.ttl", FOLDER / "clustergraph-rl.ttl")
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    ]
    sample = list(ox.parse(path=str(HERE / "sample.ttl"), format=ox.RdfFormat.TURTLE))
    derived = inference.infer([*quads, *sample], rules).derived
    known = {str(triple) for triple in derived} | {str(quad.triple) for quad in sample}
    ours = [
        (subject, predicate, obj)
        for subject, predicate, obj in closure(HERE / "sample.ttl")
        if str(subject).startswith(ID)
        and (str(predicate).startswith(CG) or (predicate == RDF.type and str(obj).startswith(CG)))
    ]
    assert len(ours) > len(sample)
    missing = {
        f"{s.n3()} {p.n3()} {o.n3()}"
        for s, p, o in ours
        if f"{s.n3()} {p.n3()} {o.n3()}" not in known
    }
    assert missing == set()


def test_places_close_as_the_reasoner_closes_them(rules: Mapping[str, StoredQuery]) -> None:
    """The rules and the reasoner agree on which place lies in which."""
    inside = URIRef("https://schema.org/containedInPlace")
    expected = {
        (str(place), str(around))
        for place, around in closure(HERE / "sample.ttl").subject_objects(inside)
    }
    quads = [
        *ox.parse(path=str(FOLDER / "clustergraph-rl.ttl"), format=ox.RdfFormat.TURTLE),
        *ox.parse(path=str(HERE / "sample.ttl"), format=ox.RdfFormat.TURTLE),
    ]
    triples = [*inference.infer(quads, rules).derived, *(quad.triple for quad in quads)]
    found = {
        (triple.subject.value, triple.object.value)
        for triple in triples
        if triple.predicate.value == str(inside)
        and isinstance(triple.subject, ox.NamedNode)
        and isinstance(triple.object, ox.NamedNode)
    }
    assert len(found) == 6
    assert found == expected


def test_sample_contradicts_nothing() -> None:
    """The reasoner reports no contradiction on sound data."""
    assert errors(closure(HERE / "sample.ttl")) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        "<a> a cg:Cluster, cg:ClusterOrganisation .",
        "<a> a cg:ClusterOrganisation, cg:ClusterAlliance .",
        "<a> a cg:City, cg:Country .",
        "<a> a cg:Mission, cg:Agreement .",
        "<a> a foaf:Person, cg:ClusterOrganisation .",
        "<a> a cg:CountFigure, cg:ShareFigure .",
        "<a> a cg:Quotation, cg:MonetaryFigure .",
        "<a> a cg:Project, cg:FundingProgramme .",
        "<a> cg:continues <b> . <b> cg:continues <a> .",
        "<a> cg:isCoordinatedWith <a> .",
        "<a> cg:isSubsetOf <a> .",
    ],
)
def test_reasoner_reports_contradictions(wrong: str) -> None:
    """Classes that exclude each other and facts that go in a circle are found."""
    assert errors(closure(wrong)) != set()


def test_disjoint_classes_are_concrete_siblings() -> None:
    """No list of disjoint classes names a class together with one above it."""
    graph = axioms()
    lists = 0
    for group in graph.subjects(RDF.type, OWL.AllDisjointClasses):
        lists += 1
        head = graph.value(group, OWL.members)
        assert head is not None
        members = list(graph.items(head))
        assert len(members) == len(set(members)) > 1
        for member in members:
            above = set(graph.transitive_objects(member, RDFS.subClassOf)) - {member}
            assert not above & set(members)
    assert lists >= 5


def test_alignments_map_our_terms_to_others() -> None:
    """Each mapping goes from a term or concept of ours to one of someone else's."""
    graph = Graph().parse(FOLDER / "alignments.ttl", format="turtle")
    own = "https://w3id.org/clustergraph/"
    matches = (SKOS.closeMatch, SKOS.broadMatch, SKOS.relatedMatch, RDFS.subClassOf)
    count = 0
    for predicate in matches:
        for subject, obj in graph.subject_objects(predicate):
            count += 1
            assert str(subject).startswith(own)
            assert not str(obj).startswith(own)
    assert count > 60
