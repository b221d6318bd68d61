"""Releases over HTTP: lists, differences, feeds, time travel by number and by date."""

from __future__ import annotations

import datetime
import json
import re
import xml.etree.ElementTree as ET  # only of our own making
from email.utils import format_datetime, parsedate_to_datetime
from html import unescape
from urllib.parse import quote

import pytest
from tests.web.conftest import Site

from clustergraph import patch

HTML = {"Accept": "text/html"}


@pytest.fixture
def told(site: Site) -> Site:
    """Three releases: a thing is named, named otherwise, and gone."""
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    thing = f"<{site.iri('id/organisation/new')}> {label}"
    for text in (
        f'INSERT DATA {{ {thing} "First"@en }}',
        f'DELETE DATA {{ {thing} "First"@en }} ; INSERT DATA {{ {thing} "Second"@en }}',
        f"DELETE WHERE {{ {thing} ?o }}",
    ):
        assert site.update(text, headers={"Change-Message": "a reason"}).status_code == 200
    return site


def test_the_list_and_one_release(told: Site) -> None:
    """For people and for programs; who, when, why, what."""
    page = told.get("/releases", headers=HTML)
    assert page.text.count("a reason") == 3
    data = told.get("/releases", headers={"Accept": "application/json"}).json
    assert [each["number"] for each in data["releases"]] == [4, 3, 2, 1]
    assert data["releases"][0]["who"] == "admin"
    page = told.get("/releases/3", headers=HTML).text
    assert "First" in page
    assert "Second" in page
    assert told.get("/releases/99").status_code == 404
    assert told.get("/releases/x").status_code == 404
    assert told.get("/releases/3?from=x").status_code == 400
    assert told.get("/releases/3?from=77").status_code == 404


def test_differences_are_rdf_patches(told: Site) -> None:
    """Between a release and its parent, and between any two, in both directions."""
    asked = {"Accept": "application/rdf-patch"}
    answer = told.get("/releases/3", headers=asked)
    assert answer.content_type == "application/rdf-patch"
    found = patch.parse(answer.data.splitlines(keepends=True))
    assert found == told.graph.diff(2, 3)
    assert {q.object.value for q in found.added if q.object.value in {"First", "Second"}} == {
        "Second"
    }
    back = patch.parse(told.get("/releases/2?from=3", headers=asked).data.splitlines(keepends=True))
    assert back == found.inverse()
    assert not told.graph.diff(1, 4)
    as_json = told.get("/releases/4?from=1&format=json").json
    assert as_json["patch"] == {"added": [], "removed": []}
    first = told.get("/releases/1?format=rdfp").data
    assert first.count(b"\nA ") == told.graph.manifest(1).quads


def test_the_history_of_a_thing(told: Site) -> None:
    """Also of one that is gone."""
    answer = told.get("/doc/organisation/new/history", headers={"Accept": "application/json"}).json
    assert [each["number"] for each in answer["versions"]] == [4, 3, 2]
    assert "Second" in answer["versions"][1]["patch"]["added"][0]
    page = told.get("/doc/organisation/new/history", headers=HTML)
    assert "as it was then" in page.text
    assert told.get("/doc/organisation/never/history").status_code == 404


def test_the_history_of_a_term(site: Site) -> None:
    """A term that this project makes, and one of another's vocabulary; its page leads there."""
    named = "http://www.w3.org/2004/02/skos/core#notation"
    for term in (site.iri("ontology#Ship"), named):
        for version in ("1.0", "1.1"):
            assert site.update(
                f"PREFIX owl: <http://www.w3.org/2002/07/owl#> DELETE WHERE {{ <{term}> ?p ?o }} ; "
                f"INSERT DATA {{ <{term}> a owl:Class ; owl:versionInfo '{version}' }}"
            ).status_code == 200  # fmt: skip
        page = site.get(f"/term?iri={quote(term)}", headers=HTML, follow_redirects=True).text
        assert "<p>1.1</p>" in page
        (address,) = re.findall(r'href="([^"]*/term[^"]*/?history[^"]*)"', page)
        answer = site.get(unescape(address), headers={"Accept": "application/json"}).json
        added = [each["patch"]["added"] for each in answer["versions"]]
        assert any("1.1" in line for line in added[0])
        assert any("1.0" in line for line in added[1])
        assert "1.1" in site.get(unescape(address), headers=HTML).text
    assert site.get("/term/skos:never/history").status_code == 404
    assert site.get("/term/never:it/history").status_code == 404
    assert site.get("/term/history").status_code == 400


def test_the_feed(told: Site) -> None:
    """Atom: well formed, the newest first, each entry with its patch."""
    answer = told.get("/feed/atom")
    assert answer.content_type == "application/atom+xml"
    feed = ET.fromstring(answer.data)  # noqa: S314  our own
    atom = "{http://www.w3.org/2005/Atom}"
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == 4
    assert entries[0].findtext(f"{atom}title") == "Release 4: a reason"
    link = entries[0].find(f"{atom}link[@type='application/rdf-patch']")
    assert link is not None
    path = "/" + link.attrib["href"].split("/", 3)[3]
    assert told.get(path).data == told.get("/releases/4?format=rdfp").data


def test_documents_and_queries_at_a_release(told: Site) -> None:
    """The same address with another state."""
    address = "/doc/organisation/new.ttl"
    assert told.get(address).status_code == 404
    assert b"First" in told.get(f"{address}?release=2").data
    assert b"Second" in told.get(f"{address}?release=3").data
    assert told.get(f"{address}?release=1").status_code == 404
    page = told.get("/doc/organisation/new?release=3", headers=HTML)
    assert "release 3, not the current one" in page.text
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p 'Second'@en }"
    counts = [
        told.get(
            f"/releases/{n}/sparql", query_string={"query": query, "format": "csv"}
        ).text.split()[1]
        for n in (1, 2, 3, 4)
    ]
    assert counts == ["0", "0", "1", "0"]
    assert (
        told.get(
            "/sparql", query_string={"query": query, "release": "3", "format": "csv"}
        ).text.split()[1]
        == "1"
    )
    for bad in ("0", "9", "-1", "x", "9" * 40, "1%27"):
        assert told.get(f"/doc/organisation/new.ttl?release={bad}").status_code in {400, 404}


def test_an_answer_can_be_cited(told: Site) -> None:
    """The permalink gives the same bytes as long as the release is kept; then 410, and why."""
    query = "SELECT ?s ?p ?o { ?s ?p ?o }"
    address = "/releases/2/sparql"
    arguments = {"query": query, "format": "tsv"}
    first = told.get(address, query_string=arguments).data
    assert len(first.splitlines()) == told.graph.manifest(2).triples + 1
    for n in range(3):
        told.update(f"INSERT DATA {{ <http://x/{n}> <http://x/p> {n} }}")
        assert told.get(address, query_string=arguments).data == first
    told.graph.archive.thin(1, 0)
    answer = told.get(address, query_string=arguments)
    assert answer.status_code == 410
    assert "not kept" in json.loads(answer.data)["detail"]
    assert told.get("/releases/2", headers=HTML).status_code == 200
    assert len(told.get("/releases?format=json").json["releases"]) == 7
    assert told.graph.diff(1, 3)


class TestMemento:
    """RFC 7089."""

    def test_a_document_is_its_own_time_gate(self, told: Site) -> None:
        """302 to the state of that time, and back."""
        created = datetime.datetime.fromisoformat(told.graph.manifest(4).created)
        later = format_datetime(created + datetime.timedelta(days=1), usegmt=True)
        address = "/doc/organisation/example-cluster"
        answer = told.get(address, headers={"Accept-Datetime": later})
        assert answer.status_code == 302
        assert "Accept-Datetime" in answer.headers["Vary"]
        assert 'rel="original timegate"' in answer.headers["Link"]
        assert answer.headers["Location"].endswith("release=4")
        memento = told.get(answer.headers["Location"])
        moment = parsedate_to_datetime(memento.headers["Memento-Datetime"])
        assert moment == created
        assert 'rel="timemap"' in memento.headers["Link"]
        early = told.get(address, headers={"Accept-Datetime": "Thu, 31 May 2007 20:35:00 GMT"})
        assert early.headers["Location"].endswith("release=1")
        bad = told.get(address, headers={"Accept-Datetime": "yesterday"})
        assert bad.status_code == 400

    def test_today_has_links_and_no_date(self, told: Site) -> None:
        """The original says where its past is."""
        answer = told.get("/doc/organisation/example-cluster")
        assert "Memento-Datetime" not in answer.headers
        assert 'rel="timemap"' in answer.headers["Link"]

    def test_the_time_map_lists_what_is_kept(self, told: Site) -> None:
        """First, last, each with its date; every one can be fetched."""
        answer = told.get("/doc/organisation/example-cluster")
        (address,) = re.findall(r'<([^>]*)>; rel="timemap"', answer.headers["Link"])
        listed = told.get(address)
        assert listed.content_type == "application/link-format"
        mementos = re.findall(r'<([^>]*)>; rel="([a-z ]*memento)"; datetime="([^"]*)"', listed.text)
        assert [relation for _a, relation, _d in mementos] == [
            "first memento", "memento", "memento", "last memento",
        ]  # fmt: skip
        for each, _relation, date in mementos:
            assert told.get(each).headers["Memento-Datetime"] == date

    def test_queries_travel_too(self, told: Site) -> None:
        """With their arguments."""
        early = {"Accept-Datetime": "Thu, 31 May 2007 20:35:00 GMT"}
        arguments = {"query": "ASK { ?s ?p 'Second'@en }", "format": "json"}
        answer = told.get("/sparql", query_string=arguments, headers=early)
        assert answer.status_code == 302
        assert told.get(answer.headers["Location"]).json["boolean"] is False


def test_gone_over_http(site: Site) -> None:
    """410 in every format and at every address of the thing."""
    ada = f"<{site.iri('id/person/ada')}>"
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    site.update(f'INSERT DATA {{ {ada} {label} "Ada Canary"@en }}')
    assert site.get("/doc/person/ada").status_code == 200
    site.graph.forget([site.iri("id/person/ada")])
    for address in (
        "/id/person/ada", "/doc/person/ada", "/doc/person/ada.ttl", "/doc/person/ada.html",
        "/doc/person/ada.jsonld", "/doc/person/ada/history", "/doc/person/ada?release=2",
        "/doc/person/ada.ttl?release=1",
    ):  # fmt: skip
        for accept in ("text/html", "text/turtle", "application/json"):
            answer = site.get(address, headers={"Accept": accept})
            assert answer.status_code == 410, address
            assert "Canary" not in answer.text
    assert site.get("/releases/2/sparql?query=ASK{}").status_code == 410
    assert site.get("/releases/2").status_code == 200
    assert "Canary" not in site.get("/releases/2?format=rdfp").text
    assert (
        site.update(f"INSERT DATA {{ <{site.iri('id/person/ada')}> <http://x/p> 1 }}").status_code
        == 403
    )
