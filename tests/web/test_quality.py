"""Where a graph stands, over HTTP."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as Xml

import pytest
from tests.web.conftest import Site

from clustergraph.quality import reports

ATOM = "{http://www.w3.org/2005/Atom}"
WARNING = """
@prefix ex: <ontology#> . @prefix exsh: <shapes#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
exsh:R99 a sh:NodeShape ; sh:targetClass ex:Cluster ; sh:property exsh:R99-note .
exsh:R99-note sh:path <http://www.w3.org/2004/02/skos/core#note> ; sh:minCount 1 ;
  sh:severity sh:Warning ; sh:message "Say something of this cluster."@en .
"""
NOTE = 'INSERT DATA {{ <{0}> <http://www.w3.org/2004/02/skos/core#note> "A note"@en }}'


@pytest.fixture
def warned(site: Site) -> Site:
    """The small project, with a rule that warns, in a release of its own."""
    text = WARNING.replace("<ontology#>", f"<{site.iri('ontology#')}>")
    path = site.graph.settings.project / "shapes/more.ttl"
    path.write_text(text.replace("<shapes#>", f"<{site.iri('shapes#')}>"))
    site.graph.build()
    return site


def quality(site: Site, query: str = "") -> dict[str, object]:
    """The answer in JSON."""
    answer = site.get(f"/quality{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return answer.json


def test_findings_are_counted_by_rule_and_release(warned: Site) -> None:
    """Of the release that is asked for; what came and what was mended is told."""
    found = quality(warned)
    assert found["counts"] == {"Violation": 0, "Warning": 2, "Info": 0}
    (rule,) = found["rules"]
    assert (rule["rule"], rule["severity"], rule["findings"]) == ("R99", "Warning", 2)
    assert {each["message"] for each in found["findings"]} == {"Say something of this cluster."}
    assert [(each["new"], each["mended"]) for each in found["history"]] == [(2, 0), (0, 0)]
    assert quality(warned, "?release=1")["rules"] == []
    text = NOTE.format(warned.iri("id/organisation/example-cluster"))
    done = warned.update(text, headers={"Prefer": "handling=lenient"})
    assert done.status_code == 200
    found = quality(warned)
    assert found["release"] == 3
    assert found["counts"]["Warning"] == 1
    assert (found["history"][0]["new"], found["history"][0]["mended"]) == (0, 1)


def test_the_feed_has_an_entry_for_each_release_that_changed_something(warned: Site) -> None:
    """And none for the others."""
    warned.update(NOTE.format("http://x/a"), headers={"Prefer": "handling=lenient"})
    warned.update(
        NOTE.format(warned.iri("id/organisation/example-cluster")),
        headers={"Prefer": "handling=lenient"},
    )
    answer = warned.get("/quality/atom")
    assert answer.mimetype == "application/atom+xml"
    feed = Xml.fromstring(answer.text)  # noqa: S314  our own
    titles = [each.findtext(f"{ATOM}title") for each in feed.iter(f"{ATOM}entry")]
    assert titles == ["Release 4: 0 new, 1 mended", "Release 2: 2 new, 0 mended"]
    texts = [each.findtext(f"{ATOM}content") for each in feed.iter(f"{ATOM}entry")]
    assert "mended: Warning [R99] Say something of this cluster." in texts[0]


def test_completeness_evidence_and_links_are_measured(warned: Site) -> None:
    """Against what the shapes expect, what attests, and what is described."""
    found = quality(warned)
    by_property = {
        each["property"].rpartition("#")[2]: (each["having"], each["instances"], each["required"])
        for each in found["completeness"]
    }
    assert by_property == {
        "note": (0, 2, True),
        "prefLabel": (2, 2, True),
        "worksWith": (2, 2, False),  # it is symmetric
    }
    assert found["withoutEvidence"]["number"] == 2
    assert found["withoutEvidence"]["of"] == 2
    links = len(found["leadingNowhere"]["links"])
    subject, nobody = warned.iri("id/organisation/another-cluster"), warned.iri("id/nobody/here")
    text = f"INSERT DATA {{ <{subject}> <http://x/p> <{nobody}> }}"
    assert warned.update(text, headers={"Prefer": "handling=lenient"}).status_code == 200
    found = quality(warned)["leadingNowhere"]
    assert found["number"] == links + 1
    assert {"subject": subject, "property": "http://x/p", "object": nobody} in found["links"]


def test_the_page_and_the_table_say_the_same(warned: Site) -> None:
    """For people and for spreadsheets; a validator and a 304."""
    page = warned.get("/quality", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "R99" in page.text
    assert "style=" not in page.text
    assert page.text.count("<script") == 1  # the one of suggestions
    again = warned.get(
        "/quality", headers={"Accept": "text/html", "If-None-Match": page.headers["ETag"]}
    )
    assert again.status_code == 304
    table = warned.get("/quality?format=csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {"measure": "findings", "about": "R99", "kind": "Warning", "number": "2"}.items() <= (
        rows[0].items()
    )
    assert "/quality" in warned.get("/", headers={"Accept": "text/html"}).text
    assert warned.get("/quality?format=pdf").status_code == 406
    assert warned.get("/quality?release=77").status_code == 404
    assert warned.get("/quality?release=x").status_code == 400


def test_a_thinned_release_tells_its_counts_only(warned: Site) -> None:
    """Its report is gone, and with it what was compared with it."""
    warned.graph.archive.remove(1)
    history = quality(warned)["history"]
    assert history[0]["release"] == 2
    assert history[0]["new"] is None
    assert warned.get("/quality/atom").status_code == 200


def test_a_report_is_read_with_all_that_it_says() -> None:
    """Results with paths that are no IRI, blank nodes and several messages too."""
    found = reports.read(
        b"""@prefix sh: <http://www.w3.org/ns/shacl#> .
        [] a sh:ValidationReport ; sh:conforms false ;
        sh:result [ sh:focusNode [] ; sh:resultSeverity sh:Violation ; sh:value "x" ;
          sh:resultPath [ sh:inversePath <http://x/p> ] ; sh:resultMessage "a" , "b"@en ] ,
        [ sh:focusNode <http://x/a> ; sh:resultSeverity sh:Info ; sh:sourceShape
          <http://x/shapes#R07-name> ] ."""
    )
    assert sorted((each.rule, each.severity, each.focus, each.path) for each in found) == [
        ("R07", "Info", "http://x/a", ""),
        ("shape", "Violation", "[]", ""),
    ]
