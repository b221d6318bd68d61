"""Pages of terms: hierarchy, expectations in words, counts, examples; trees and their pictures."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import scaffold, settings
from clustergraph.pages import Label, Labels, diagram, term_page, terms, trees
from clustergraph.pages.trees import forest
from clustergraph.settings import Settings
from clustergraph.store.embedded import EmbeddedStore

BASE = "http://x/"
TEXT = """
@prefix : <http://x/id/> . @prefix o: <http://x/ontology#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix void: <http://rdfs.org/ns/void#> .
<http://x/ontology> {
  o:Event a owl:Class ; rdfs:label "Event"@en ; skos:definition "It happens."@en ;
    skos:closeMatch schema:Event .
  o:Mission a owl:Class ; rdfs:subClassOf o:Event ; rdfs:label "Mission"@en , "Reise"@de .
  o:Tour a owl:Class ; rdfs:subClassOf o:Mission .
  o:host a owl:ObjectProperty ; rdfs:label "host"@en ; owl:inverseOf o:hosts ;
    schema:domainIncludes o:Event ; schema:rangeIncludes o:Body .
  o:hosts a owl:ObjectProperty ; rdfs:label "hosts"@en .
}
<http://x/shapes> {
  o:s1 a sh:NodeShape ; sh:targetClass o:Event ; rdfs:comment "An event is well told."@en ;
    sh:property o:s2 , [ sh:path [ sh:inversePath o:hosts ] ; sh:maxCount 3 ;
      sh:severity sh:Warning ] .
  o:s2 sh:path o:host ; sh:minCount 1 ; sh:maxCount 1 ; sh:class o:Body ;
    rdfs:comment "An event has one host."@en .
  o:view sh:targetClass o:Event ; sh:property [ sh:path o:host ; sh:group o:g ; sh:order 1 ] .
}
<http://x/graph/a> { :m a o:Mission , o:Event ; skos:prefLabel "A mission"@en ; o:host :h .
  :h skos:prefLabel "Host"@en . }
<http://x/scheme/s> {
  :c1 a skos:Concept ; skos:prefLabel "One"@en .
  :c2 a skos:Concept ; skos:prefLabel "Two"@en ; skos:broader :c1 .
}
"""


@pytest.fixture(scope="module")
def backend() -> EmbeddedStore:
    """A small release."""
    store = ox.Store()
    store.load(TEXT.encode(), ox.RdfFormat.TRIG)
    for quad in list(store):
        store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
    return EmbeddedStore(store)


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a project of that base."""
    folder: Path = tmp_path_factory.mktemp("vocabulary") / "x"
    scaffold.init(folder, bare=True)
    return settings.load(folder, environment={"CG_BASE": BASE})


def test_a_class_says_what_is_expected(backend: EmbeddedStore, configured: Settings) -> None:
    """By its own shapes and those of the classes above; those that lay pages out say nothing."""
    found = term_page(backend, configured, f"{BASE}ontology#Mission", ["de", "en"])
    assert found is not None
    assert found.label == Label("Reise", "de")
    said = {
        (each.path.label.text if each.path else "", each.inverse): each for each in found.expected
    }
    assert set(said) == {("host", False), ("hosts", True), ("", False)}
    host = said["host", False]
    assert (host.least, host.most, host.on.label.text) == (1, 1, "Event")
    assert [each.label.text for each in host.values] == ["Body"]
    assert host.comment == Label("An event has one host.", "en")
    assert said["hosts", True].severity == "Warning"
    assert [each.label.text for each in found.things] == ["A mission"]


def test_a_class_stands_in_its_hierarchy(backend: EmbeddedStore, configured: Settings) -> None:
    """With what is above and below, and what is used on it."""
    found = term_page(backend, configured, f"{BASE}ontology#Event", ["en"])
    assert found is not None
    (top,) = found.tree
    assert (top.label.text, top.below[0].label.text) == ("Event", "Mission")
    assert [each.iri.rpartition("#")[2] for each in top.below[0].below] == ["Tour"]
    assert [each.label.text for each in found.used] == ["host"]
    assert [each.text for each in found.definitions] == ["It happens."]
    ((_name, (aligned,)),) = found.aligned
    assert aligned.iri == "https://schema.org/Event"


def test_a_property_has_a_page(backend: EmbeddedStore, configured: Settings) -> None:
    """Its inverse from either side, and a statement as an example."""
    for name, other in (("host", "hosts"), ("hosts", "host")):
        found = term_page(backend, configured, f"{BASE}ontology#{name}", ["en"])
        assert found is not None
        assert [each.label.text for each in found.inverse] == [other]
        assert not found.is_class
    found = term_page(backend, configured, f"{BASE}ontology#host", ["en"])
    assert found is not None
    ((subject, value, iri),) = found.statements
    assert (subject.label.text, value.text, iri) == ("A mission", "Host", f"{BASE}id/h")
    assert term_page(backend, configured, f"{BASE}ontology#none", ["en"]) is None


def test_concepts_are_a_tree(backend: EmbeddedStore) -> None:
    """As their scheme orders them."""
    ((name, (top,)),) = trees(backend, terms(backend, f"{BASE}scheme/s", ["en"]), ["en"])
    assert name.iri.endswith("#Concept")
    assert (top.label.text, [each.label.text for each in top.below]) == ("One", ["Two"])


def test_a_hierarchy_is_drawn(backend: EmbeddedStore) -> None:
    """Each box right of what is above it, no two in one place; a circle does not go on for ever."""
    labels = Labels(backend, ["en"])
    above = {"a:1": [], "a:2": ["a:1"], "a:3": ["a:1"], "a:4": ["a:2", "a:3"], "a:5": []}
    drawn = diagram(forest(above, labels))
    assert drawn is not None
    assert len({(box.x, box.y) for box in drawn.boxes}) == len(drawn.boxes) == 5
    assert len(drawn.lines) == 4
    lefts = {box.iri: box.x for box in drawn.boxes}
    assert lefts["a:1"] < lefts["a:2"] == lefts["a:3"] < lefts["a:4"]
    assert drawn.width >= max(box.x + box.width for box in drawn.boxes)
    (round_about,) = forest({"a:1": ["a:2"], "a:2": ["a:1"]}, labels)
    assert [each.iri for each in round_about.below] == ["a:2"]
    assert diagram(forest({"a:5": []}, labels)) is None
