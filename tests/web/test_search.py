"""Search over HTTP: pages, their data twins, suggestions, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from tests.web.conftest import Site

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def ask(site: Site, accept: str = "text/html", path: str = "/search", **given: str) -> str:
    """The text of an answer."""
    answer = site.get(f"{path}?{urlencode(given)}", headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_page_and_its_twins_say_the_same(site: Site) -> None:
    """HTML, JSON, CSV and RDF."""
    told = json.loads(ask(site, "application/json", q="example"))
    iris = [each["iri"] for each in told["hits"]]
    assert iris
    assert told["total"] == len(iris)
    rows = list(csv.DictReader(io.StringIO(ask(site, "text/csv", q="example"))))
    assert [each["iri"] for each in rows] == iris
    turtle = ask(site, "text/turtle", q="example").encode()
    graph = {str(each.subject)[1:-1] for each in ox.parse(turtle, ox.RdfFormat.TURTLE)}
    assert graph == set(iris)
    page = ask(site, q="example")
    assert all(each["name"] in page for each in told["hits"])
    assert ask(site, q="example", format="json") == ask(site, "application/json", q="example")


def test_results_are_narrowed_by_links(site: Site) -> None:
    """Each facet is a link, and so is its removal."""
    told = json.loads(ask(site, "application/json", q="example"))
    facet = next(each for each in told["facets"] if each["property"] == TYPE)
    value = facet["values"][0]
    narrowed = ask(site, "application/json", q="example", narrow=f"{TYPE} {value['value']}")
    assert json.loads(narrowed)["total"] == value["number"]
    page = ask(site, q="example", narrow=f"{TYPE} {value['value']}")
    assert "remove" in page


def test_what_is_not_there_is_told_so(site: Site) -> None:
    """With something to do instead; an empty search is a form."""
    assert "Nothing was found" in ask(site, q="zzzzzzzz")
    assert "Nothing was found" not in ask(site)
    assert "This is like them" in ask(site, q="exampel cluster")


def test_nothing_is_markup(site: Site) -> None:
    """What was looked for is shown as text."""
    page = ask(site, q='<script>alert("x")</script>')
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "query",
    ["narrow=x", "narrow=x%20", "limit=0", "limit=x", "limit=101", "q=%ff",
     "&".join(f"narrow=a%20{n}" for n in range(9))],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(site: Site, query: str) -> None:
    """With 400 and a sentence."""
    answer = site.get(f"/search?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 400


def test_suggestions_are_what_browsers_take(site: Site) -> None:
    """The terms, descriptions and addresses of OpenSearch."""
    text, names, kinds, addresses, more = json.loads(ask(site, "*/*", "/suggest", q="exam"))
    assert text == "exam"
    assert len(names) == len(kinds) == len(addresses) == len(more["languages"]) > 0
    assert json.loads(ask(site, "*/*", "/suggest", q="")) == [
        "", [], [], [], {"languages": []}
    ]  # fmt: skip
    described = ask(site, "*/*", "/opensearch.xml")
    assert "/search?q={searchTerms}" in described


def test_what_is_written_is_found_at_once(site: Site) -> None:
    """Each release has its index; an earlier one finds what it held."""
    label = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
    before = site.graph.release().manifest.number
    thing = site.iri("id/thing/new")
    done = site.update(f'INSERT DATA {{ <{thing}> {label} "Quite new"@en }}')
    assert done.status_code == 200
    assert json.loads(ask(site, "application/json", q="quite"))["total"] == 1
    earlier = ask(site, "application/json", q="quite", release=str(before))
    assert json.loads(earlier)["total"] == 0
