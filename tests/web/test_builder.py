"""The builder of questions: what it offers, the queries that it writes, and what it refuses."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from tests.web.conftest import Site

from clustergraph import sparql

LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"


def asked(site: Site, status: int = 200, **given: Any) -> str:
    """The page for some choices."""
    found = site.get("/builder", query_string=given)
    assert found.status_code == status, found.text
    return found.text


def query(page: str) -> str:
    """The query that a page shows."""
    found = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def rows(site: Site, page: str) -> list[str]:
    """The lines of the answer in CSV, without the heads."""
    answer = site.get("/sparql", query_string={"query": query(page), "format": "csv"})
    assert answer.status_code == 200
    return answer.text.split("\r\n")[1:-1]


def kind(site: Site) -> str:
    """The class that most things of the project have."""
    choices = re.findall(r'<option value="(http[^"]+)"[^>]*>[^<]*\((\d+)\)', asked(site))
    assert choices
    return str(max(choices, key=lambda each: int(each[1]))[0])


def test_classes_are_offered_with_their_numbers(site: Site) -> None:
    """As many things as the number says are found, if nothing narrows them."""
    page = asked(site)
    for iri, number in re.findall(r'<option value="(http[^"]+)"[^>]*>[^<]*\((\d+)\)', page):
        assert len(rows(site, asked(site, **{"class": iri, "limit": 1000}))) == int(number)


def test_properties_are_shown_and_filter(site: Site) -> None:
    """A text narrows what is found; the query says why."""
    chosen = kind(site)
    every = rows(site, asked(site, **{"class": chosen}))
    word = every[0].split(",")[1]
    page = asked(site, **{"class": chosen, "by": LABEL, f"has:{LABEL}": word.upper()})
    assert every[0] in rows(site, page)
    assert "CONTAINS(LCASE(" in query(page)
    none = asked(site, **{"class": chosen, "by": LABEL, f"has:{LABEL}": "no such words"})
    assert rows(site, none) == []


def test_links_are_chosen_from_what_there_is(site: Site) -> None:
    """Each choice of a menu gives as many things as it says."""
    chosen = kind(site)
    offered = re.findall(r'name="by" value="([^"]+)"', asked(site, **{"class": chosen}))
    page = asked(site, **{"class": chosen, "by": offered[:8]})
    menus = re.findall(r'<select id="is-\d+" name="is:([^"]+)">(.*?)</select>', page, re.DOTALL)
    assert menus
    for name, options in menus:
        value, number = re.findall(r'value="(http[^"]+)"[^>]*>[^<]*\(([\d,]+)\)', options)[0]
        narrowed = asked(site, **{"class": chosen, "by": name, f"is:{name}": value})
        found = {each.split(",")[0] for each in rows(site, narrowed)}
        assert len(found) == int(number.replace(",", ""))


def test_the_answer_is_shown(site: Site) -> None:
    """On the same page, as a table, with its files."""
    page = asked(site, **{"class": kind(site), "run": "1"})
    assert 'id="answer"' in page
    assert "format=csv" in page


@pytest.mark.parametrize("text", ['") } DELETE { ', "\\", '"""', "\n#", "$class ?thing {{ 7 }}"])
def test_foreign_text_stays_text(site: Site, text: str) -> None:
    """Whatever is written into a field is one string of the query."""
    page = asked(site, **{"class": kind(site), "by": LABEL, f"has:{LABEL}": text})
    assert sparql.parse(query(page)).form is sparql.parse("SELECT * { ?s ?p ?o }").form
    assert rows(site, page) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"class": "no iri"}, "is no IRI"),
        ({"class": "http://x.test/> { } #"}, "is no IRI"),
        ({"class": "http://x.test/Nothing"}, "Nothing is of the class"),
        ({"limit": "many"}, "number of rows"),
        ({"limit": "0"}, "number of rows"),
        ({"show": [f"http://x.test/{each}" for each in range(13)]}, "up to 12"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(site: Site, given: dict[str, Any], words: str) -> None:
    """With 400, on the page itself, so that it can be mended."""
    page = asked(site, 400, **{"class": kind(site), **given})
    assert words in page
    assert 'id="class"' in page


def test_it_is_linked(site: Site) -> None:
    """From where people look for answers."""
    for address in ("/", "/query", "/sparql"):
        assert "/builder" in site.get(address, headers={"Accept": "text/html"}).text
