"""Pages of things as browsers and search engines get them: why, markup, addresses, kinds, terms."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.web.conftest import Site, served

from clustergraph import scaffold, settings

SOURCE = "Été: the six sign. Write to someone@example.org soon. They MOVED on."
SHOWN = ("the six sign", "Write to someone@example.org", "They MOVED on")
HTML = {"Accept": "text/html"}
EVIL = "</script><script>alert(1)</script><!--"


def markup(page: str) -> dict[str, Any]:
    """The JSON-LD of a page."""
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    read: dict[str, Any] = json.loads(found)
    return read


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on which something nasty is told."""
    folder = tmp_path_factory.mktemp("things") / "example"
    scaffold.init(folder, title="Example")
    base = settings.load(folder, environment={}).base
    passages = ", ".join(f"<{base}id/passage/{words.split()[0]}>" for words in SHOWN)

    def described(words: str) -> str:
        iri, start = f"{base}id/passage/{words.split(maxsplit=1)[0]}", SOURCE.index(words)
        digest = hashlib.sha256(words.replace("MOVED", "moved").encode()).hexdigest()
        return f"""<{iri}> o:firstLine 1 ; o:lastLine 1 ; o:passageSha256 "{digest}" ;
          oa:hasSelector <{iri}#at> .
        <{iri}#at> oa:start {start} ; oa:end {start + len(words)} . """

    (folder / "texts").mkdir()
    (folder / "texts/blog.txt").write_text(SOURCE)
    (folder / "data/told.ttl").write_text(
        f"""@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        @prefix schema: <https://schema.org/> . @prefix o: <{base}ontology#> .
        @prefix oa: <http://www.w3.org/ns/oa#> .
        <{base}id/event/e> a schema:Event ; skos:prefLabel '''{EVIL}'''@en ;
          schema:startDate "2016" ; skos:exactMatch <https://www.wikidata.org/entity/Q1> .
        <{base}id/note/n> a o:Note ; skos:prefLabel "A note"@en ; o:hasPassage {passages} .
        {"".join(map(described, SHOWN))}"""
    )
    (folder / "shapes/view.ttl").write_text(
        f"""@prefix sh: <http://www.w3.org/ns/shacl#> .
        <{base}shapes#view> a sh:NodeShape ; sh:targetClass <https://schema.org/Event> ;
          sh:order 1 ."""
    )
    yield from served(folder, texts="texts")


def test_a_page_says_in_schema_org_what_it_shows(told: Site) -> None:
    """As data that no text can break out of."""
    page = told.get("/doc/event/e", headers=HTML).text
    assert "<script>alert" not in page
    found = markup(page)
    assert found["@id"] == told.iri("id/event/e")
    assert found["@type"] == ["Event"]
    assert found["name"] == {"@value": EVIL, "@language": "en"}
    assert found["startDate"] == ["2016"]
    assert found["sameAs"] == ["https://www.wikidata.org/entity/Q1"]


def test_a_page_names_its_own_address(told: Site) -> None:
    """For search engines and for those who share it; no property of Open Graph is empty."""
    page = told.get("/doc/organisation/example-cluster", headers=HTML).text
    address = told.iri("doc/organisation/example-cluster")
    assert f'<link rel="canonical" href="{address}">' in page
    graph = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
    assert graph["title"] == "Example Cluster"
    assert graph["url"] == address
    assert all(graph.values())


def test_every_why_has_an_answer(told: Site) -> None:
    """The page of each statement that the page of a thing shows."""
    page = told.get("/doc/organisation/example-cluster", headers=HTML).text
    addresses = set(re.findall(r'href="([^"]*\?why=[0-9a-f]{12})"', page))
    assert len(addresses) >= 3
    for address in addresses:
        answer = told.get(unescape(address), headers=HTML)
        assert answer.status_code == 200, address
        assert '<meta name="robots" content="noindex">' in answer.text
    assert told.get("/doc/organisation/example-cluster?why=0", headers=HTML).status_code == 404


def test_a_type_leads_to_its_class_and_back(told: Site) -> None:
    """The class counts its things and leads to them."""
    page = told.get("/doc/organisation/example-cluster", headers=HTML).text
    (address,) = set(re.findall(r'<a href="([^"]*/term[^"]*Cluster)"', page))
    term = told.get(unescape(address), headers=HTML)
    assert term.status_code == 200
    assert "/doc/organisation/example-cluster" in term.text
    (search,) = re.findall(r'href="([^"]*/search\?narrow=[^"]*)"', term.text)
    assert "Example Cluster" in told.get(unescape(search), headers=HTML).text
    assert told.get(unescape(address), headers={"Accept": "text/turtle"}).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [("/term/skos:prefLabel", 200), ("/term/none:what", 404), ("/term/skos:none", 404),
     ("/term", 400), ("/term?iri=not an iri", 400),
     ("/term?iri=http://www.w3.org/2004/02/skos/core%23prefLabel", 301)],
)  # fmt: skip
def test_terms_have_addresses(told: Site, address: str, status: int) -> None:
    """By prefix where there is one."""
    assert told.get(address, headers=HTML).status_code == status


def test_kinds_that_shapes_order_come_first(told: Site) -> None:
    """The others are folded."""
    page = told.get("/", headers=HTML).text
    shown, _tag, folded = page.partition("<details>")
    assert "/doc/event" in shown
    assert "/doc/note" not in shown
    assert "/doc/note" in folded


def test_words_of_a_passage_are_shown_where_they_are_at_hand(told: Site) -> None:
    """Proven by their digest, and never with an address of somebody."""
    page = told.get("/doc/note/n", headers=HTML).text
    assert re.findall("<blockquote>(.*?)</blockquote>", page) == ["the six sign"]
    assert page.count("/doc/passage/") >= 3


def test_markdown_links_what_the_page_folds(told: Site) -> None:
    """Each statement is one line, with a link to why it is believed."""
    text = told.get("/doc/organisation/example-cluster.md").text
    assert re.search(r"- \[Another Cluster\]\(<[^>]*>\) +\[Why\?\]\(<[^>]*\?why=\w{12}>\)\n", text)
    assert "All about this statement" not in text
