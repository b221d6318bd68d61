"""Why each statement is believed: passages, readings, rules, and what stands beside."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import scaffold, settings
from clustergraph.pages import Label, Page, Value, page, statement
from clustergraph.settings import Settings
from clustergraph.sparql import Query
from clustergraph.store import Row
from clustergraph.store.embedded import EmbeddedStore

BASE = "http://x/"
TEXT = """
@prefix : <http://x/id/> . @prefix cg: <http://x/ontology#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix oa: <http://www.w3.org/ns/oa#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<http://x/ontology> {
  cg:hosts owl:inverseOf cg:isHostedBy . cg:isHostedBy rdfs:label "is hosted by"@en .
}
<http://x/graph/a> {
  :m a cg:Mission ; skos:prefLabel "A mission"@en ; cg:isHostedBy :h ; cg:place :town .
  :h skos:prefLabel "Host"@en .
  :town skos:prefLabel "Town"@en . :region skos:prefLabel "Region"@en .
  :f1 a cg:Figure ; cg:measures :visitors ; cg:isAbout :m ; cg:asWritten "over 100" ;
    cg:hasPassage :p1 ; cg:certainty :stated .
  :f2 a cg:Figure ; cg:measures :visitors ; cg:isAbout :m ; cg:asWritten "90 or so" .
  :f3 a cg:Figure ; cg:measures :costs ; cg:isAbout :m ; cg:asWritten "9 EUR" .
}
<http://x/graph/provenance> {
  :stated skos:prefLabel "stated"@en , "ausgesagt"@de .
  :a1 rdf:subject :m ; rdf:predicate cg:place ; rdf:object :town ; cg:certainty :stated ;
    cg:rationale "The text says so."@en ; cg:hasPassage :p1 .
  :a2 rdf:subject :m ; rdf:predicate cg:place ; rdf:object :region .
  :p1 cg:firstLine 3 ; cg:lastLine 5 ; oa:hasSource :source ; oa:hasSelector :s1 ;
    cg:inAnnouncement :post .
  :s1 oa:start 17 ; oa:end 97 .
  :post skos:prefLabel "Post"@en . :source skos:prefLabel "Source"@en .
  :r1 skos:prefLabel "The town"@en ; cg:supportsTriple :a1 ; cg:isPreferred true .
  :r2 skos:prefLabel "The region"@en ; cg:supportsTriple :a2 ; cg:isPreferred false ;
    cg:rationale "It may be." .
  :q cg:hasReading :r1 , :r2 ; skos:prefLabel "Town or region"@en .
}
<http://x/graph/inferred> { :h cg:hosts :m }
"""


class Counting(EmbeddedStore):
    """A store that counts what it is asked."""

    asked = 0

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        self.asked += 1
        return super().select(query)


@pytest.fixture
def backend() -> Counting:
    """A small release."""
    store = ox.Store()
    store.load(TEXT.encode(), ox.RdfFormat.TRIG)
    for quad in list(store):
        store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
    return Counting(store)


@pytest.fixture
def configured(tmp_path: Path) -> Settings:
    """Of a project of that base."""
    scaffold.init(tmp_path / "x", bare=True)
    return settings.load(tmp_path / "x", environment={"CG_BASE": BASE})


def shown(backend: EmbeddedStore, name: str) -> Page:
    """The page of a thing."""
    found = page(backend, BASE, f"{BASE}id/{name}", ["en"])
    assert found is not None
    return found


def value(found: Page, name: str) -> Value:
    """The first value of a property."""
    return next(each for each in found.stated if each.iri.endswith(f"#{name}")).values[0]


def test_a_statement_names_its_passage(backend: Counting) -> None:
    """Source, post, lines, characters, certainty in the reader's language, reason."""
    (evidence,) = value(shown(backend, "m"), "place").evidence
    assert evidence.certainty is not None
    assert evidence.certainty.label.text == "stated"
    assert evidence.rationale == Label("The text says so.", "en")
    (passage,) = evidence.passages
    assert passage.source is not None
    assert passage.told is not None
    assert (passage.source.label.text, passage.told.label.text) == ("Source", "Post")
    assert (passage.first, passage.last, passage.start, passage.end) == (3, 5, 17, 97)


def test_readings_stand_side_by_side(backend: Counting) -> None:
    """The one that is followed first; what another would say is shown, and marked."""
    found = shown(backend, "m")
    (ambiguity,) = value(found, "place").evidence[0].ambiguities
    assert [(each.label.text, each.preferred, each.mine) for each in ambiguity.readings] == [
        ("The town", True, True), ("The region", False, False)
    ]  # fmt: skip
    place = next(each for each in found.stated if each.iri.endswith("#place"))
    assert [(each.label.text, each.asserted) for each in place.rivals] == [("Region", False)]


def test_the_passages_of_a_thing_speak_for_its_statements(backend: Counting) -> None:
    """For those that have no attestation of their own."""
    found = shown(backend, "f1")
    (evidence,) = value(found, "asWritten").evidence
    assert evidence.whole
    assert evidence.passages[0].first == 3
    assert found.whole == (evidence,)
    assert "hasPassage" not in {each.iri.rpartition("#")[2] for each in found.stated}  # told there


def test_figures_of_the_same_stand_side_by_side(backend: Counting) -> None:
    """Those that measure the same of the same thing, and no other."""
    beside = shown(backend, "f1").beside
    assert beside is not None
    written = [label for iri, label in beside.columns if iri.endswith("#asWritten")]
    assert written
    assert {line.iri.rpartition("/")[2] for line in beside.lines} == {"f1", "f2"}
    assert shown(backend, "f3").beside is None


def test_a_post_lists_what_it_supports(backend: Counting) -> None:
    """Statements and things, by place."""
    for name in ("post", "source"):
        supports = shown(backend, name).supports
        assert supports is not None
        ((passage, found),) = supports.passages
        assert passage.first == 3
        assert supports.total == len(found) == 2
        (made,) = [each.statement for each in found if each.statement]
        assert [each.label.text for each in made] == ["A mission", "place", "Town"]
    assert shown(backend, "m").supports is None


def test_an_inferred_statement_names_its_rule(backend: Counting, configured: Settings) -> None:
    """And what the rule was applied to; every statement takes three queries."""
    (hosts,) = shown(backend, "h").inferred
    assert hosts.values[0].inferred
    backend.asked = 0
    found = statement(backend, configured, f"{BASE}id/h", hosts.values[0].key, ["en"])
    assert backend.asked == 3
    assert found is not None
    (derivation,) = found.derivations
    assert derivation.rule.iri == f"{BASE}graph/inferred#inverses"
    assert [(name, each.label.text) for name, each in derivation.bindings] == [
        ("property", "is hosted by")
    ]


def test_a_statement_has_an_address(backend: Counting, configured: Settings) -> None:
    """With what else is said by the same property; also one that only a reading makes."""
    main = shown(backend, "m")
    place = value(main, "place")
    assert place.at == f"{BASE}id/m"
    backend.asked = 0
    found = statement(backend, configured, place.at, place.key, ["en"])
    assert backend.asked == 3
    assert found is not None
    assert [each.label.text for each in found.beside] == ["Region"]
    other = statement(backend, configured, place.at, found.beside[0].key, ["en"])
    assert other is not None
    assert not other.value.asserted
    assert statement(backend, configured, place.at, "000000000000", ["en"]) is None


def test_what_leads_here_is_explained_where_it_is_said(
    backend: Counting, configured: Settings
) -> None:
    """On the page of the thing that says it."""
    (incoming,) = [each for each in shown(backend, "m").incoming if each.iri.endswith("#isAbout")]
    for each in incoming.things:
        found = statement(backend, configured, each.at, each.key, ["en"])
        assert found is not None
        assert found.value.label.text == "A mission"


@pytest.mark.parametrize("name", ["m", "h", "f1", "post", "source", "town"])
def test_a_page_takes_three_queries(backend: Counting, name: str) -> None:
    """Whatever it shows, once the layout of the release is known."""
    shown(backend, name)
    backend.asked = 0
    shown(backend, name)
    assert backend.asked == 3
