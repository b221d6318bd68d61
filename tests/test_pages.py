"""Pages: laid out by the shapes, labelled, evident; pictures drawn of answers."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from clustergraph.pages import Labels, Network, Timeline, page, picture
from clustergraph.store import Row
from clustergraph.store.embedded import EmbeddedStore

BASE = "http://x/"
TEXT = """
@prefix : <http://x/id/> . @prefix o: <http://x/ontology#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dash: <http://datashapes.org/dash#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
<http://x/shapes> {
  o:second a sh:PropertyGroup ; rdfs:label "Second"@en , "Zweitens"@de ; sh:order 2 .
  o:first a sh:PropertyGroup ; rdfs:label "First"@en ; sh:order 1 .
  o:page sh:targetClass o:Mission ; sh:property
    [ sh:path o:host ; sh:group o:second ; sh:order 1 ] ,
    [ sh:path o:stop ; sh:group o:first ; sh:order 2 ; dash:viewer dash:ValueTableViewer ] ,
    [ sh:path o:sector ; sh:group o:first ; sh:order 1 ] ,
    [ sh:path [ sh:inversePath o:visitOf ] ; sh:group o:second ; sh:order 2 ;
      sh:name "Visits"@en ] .
  o:stops sh:targetClass o:Stop ; sh:property
    [ sh:path schema:startDate ; sh:group o:first ; sh:order 1 ] ,
    [ sh:path o:stopOf ; sh:group o:first ; sh:order 2 ] .
}
<http://x/graph/a> {
  :m a o:Mission ; skos:prefLabel "A mission"@en ; o:host :h ; o:sector "health" , "food" ;
    o:stop :s1 , :s2 ; o:remark "something" .
  :h skos:prefLabel "Host"@en .
  :s1 a o:Stop ; skos:prefLabel "Late"@en ; schema:startDate "2016-10-12" ; o:stopOf :m .
  :s2 a o:Stop ; skos:prefLabel "Early"@en ; schema:startDate "2016-10-09" ; o:stopOf :m .
  :v1 o:visitOf :m . :w o:about :m .
}
<http://x/graph/inferred> { :m o:host :h2 . :h2 skos:prefLabel "Another host"@en }
"""


@pytest.fixture(scope="module")
def backend() -> EmbeddedStore:
    """A small release."""
    store = ox.Store()
    store.load(TEXT.encode(), ox.RdfFormat.TRIG)
    for quad in list(store):
        store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
    return EmbeddedStore(store)


def test_shapes_lay_pages_out(backend: EmbeddedStore) -> None:
    """Groups in their order, properties in theirs; what no shape places comes after."""
    found = page(backend, BASE, f"{BASE}id/m", ["en"])
    assert found is not None
    assert [each.label.text for each in found.groups] == ["First", "Second"]
    first, second = found.groups
    assert [each.iri.rpartition("#")[2] for each in first.properties] == ["sector", "stop"]
    assert [each.label.text for each in first.properties[0].values] == ["food", "health"]
    host, visits = second.properties
    assert [(each.label.text, each.inferred) for each in host.values] == [
        ("Another host", True), ("Host", False)
    ]  # fmt: skip
    assert (visits.label.text, visits.inverse, visits.total) == ("Visits", True, 1)
    assert "remark" in {each.iri.rpartition("#")[2] for each in found.stated}
    assert [each.iri.rpartition("#")[2] for each in found.incoming] == ["about"]


def test_values_are_shown_as_a_table(backend: EmbeddedStore) -> None:
    """With the columns of their class, without the thing itself, in the order of time."""
    found = page(backend, BASE, f"{BASE}id/m", ["en"])
    assert found is not None
    stops = found.groups[0].properties[1]
    assert stops.table is not None
    assert not stops.values
    assert [name.rpartition("/")[2] for name, _label in stops.table.columns] == ["startDate"]
    assert [line.label.text for line in stops.table.lines] == ["Early", "Late"]
    assert [line.cells[0][0].label.text for line in stops.table.lines] == [
        "2016-10-09", "2016-10-12"
    ]  # fmt: skip


def test_labels_follow_the_reader(backend: EmbeddedStore) -> None:
    """Those of groups too."""
    found = page(backend, BASE, f"{BASE}id/m", ["de", "en"])
    assert found is not None
    assert [each.label.text for each in found.groups] == ["First", "Zweitens"]


def test_what_no_shape_knows_has_a_page(backend: EmbeddedStore) -> None:
    """All that is stated, in one list; nothing is said of a stranger."""
    found = page(backend, BASE, f"{BASE}id/h", ["en"])
    assert found is not None
    assert not found.groups
    assert found.stated
    assert page(backend, BASE, f"{BASE}id/none", ["en"]) is None


def rows(*found: dict[str, str]) -> list[Row]:
    """Solutions."""
    return [
        {
            name: ox.NamedNode(text) if text.startswith("http") else ox.Literal(text)
            for name, text in row.items()
        }
        for row in found
    ]


def test_times_are_drawn_on_an_axis(backend: EmbeddedStore) -> None:
    """As exact as they are; a year is a year long, what has no date is left out."""
    drawn = picture(
        rows(
            {"thing": f"{BASE}id/m", "first": "2016", "last": "2016", "kind": "mission"},
            {"thing": f"{BASE}id/h", "first": "2014-07-01", "last": "2015-12-31"},
            {"thing": f"{BASE}id/v", "first": "some day"},
        ),
        Labels(backend, ["en"]),
    )
    assert isinstance(drawn, Timeline)
    assert [each.label.text for each in drawn.bars] == ["Host", "A mission"]
    assert [year for _x, year in drawn.years] == [2014, 2015, 2016, 2017]
    host, mission = drawn.bars
    assert host.x < drawn.years[1][0] < host.x + host.width <= mission.x
    assert (mission.x, round(mission.x + mission.width)) == (drawn.years[2][0], 1000)
    assert mission.before
    assert not host.before


def test_pairs_are_drawn_as_a_network(backend: EmbeddedStore) -> None:
    """Each pair once, the stronger the thicker."""
    drawn = picture(
        rows(
            {"one": f"{BASE}id/m", "other": f"{BASE}id/h", "times": "3"},
            {"one": f"{BASE}id/h", "other": f"{BASE}id/m", "times": "1"},
            {"one": f"{BASE}id/h", "other": f"{BASE}id/s1", "times": "1"},
            {"one": f"{BASE}id/h", "other": f"{BASE}id/h"},
        ),
        Labels(backend, ["en"]),
    )
    assert isinstance(drawn, Network)
    assert {each.label.text for each in drawn.dots} == {"A mission", "Host", "Late"}
    assert sorted(each.times for each in drawn.ties) == [1, 4]
    assert max(drawn.ties, key=lambda each: each.times).width > 2
    assert picture(rows({"x": "1"}), Labels(backend, ["en"])) is None
