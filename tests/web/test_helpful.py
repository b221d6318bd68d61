"""What the endpoint does for people: prefixes declared, empty answers explained."""

from __future__ import annotations

import pytest
from tests.web.conftest import Site

HEADER = "Clustergraph-Declared-Prefixes"
LABELS = "SELECT ?s { ?s skos:prefLabel ?o }"
NOTHING = 'SELECT ?s {\n ?s skos:prefLabel "Example Cluster" }'


def test_missing_prefixes_are_declared_and_named(site: Site) -> None:
    """In a header, in every way to ask; the validator is the one of what was run."""
    found = site.get("/sparql", query_string={"query": LABELS, "format": "csv"})
    assert found.status_code == 200
    assert found.headers[HEADER] == "skos"
    assert HEADER in found.headers["Access-Control-Expose-Headers"]
    posted = site.client.post("/sparql", data={"query": LABELS})
    assert posted.headers[HEADER] == "skos"
    again = site.get(
        "/sparql",
        query_string={"query": LABELS, "format": "csv"},
        headers={"If-None-Match": found.headers["ETag"]},
    )
    assert (again.status_code, again.headers[HEADER]) == (304, "skos")
    whole = f"PREFIX skos: <http://www.w3.org/2004/02/skos/core#> {LABELS}"
    declared = site.get("/sparql", query_string={"query": whole, "format": "csv"})
    assert HEADER not in declared.headers
    assert declared.data == found.data


def test_the_page_says_what_was_declared(site: Site) -> None:
    """And leaves the query as it was written."""
    page = site.get("/sparql", query_string={"query": LABELS}, headers={"Accept": "text/html"})
    assert "Declared for you: <code>PREFIX skos:" in page.text
    assert f">{LABELS}</textarea>" in page.text
    assert "/sparql/explain" not in page.text


def test_an_unknown_prefix_names_the_known_one(site: Site) -> None:
    """With the author's own line and column."""
    text = "SELECT * {\n ?s skos:prefLabel ?o ; sokos:note ?n }"
    found = site.get("/sparql", query_string={"query": text, "format": "json"})
    assert found.status_code == 400
    assert (found.json["line"], found.json["column"]) == (2, 25)
    assert "skos:" in found.json["hint"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_empty_answer_is_explained(site: Site, method: str) -> None:
    """In JSON for programs."""
    how = "query_string" if method == "GET" else "data"
    found = site.client.open("/sparql/explain", method=method, **{how: {"query": NOTHING}})
    assert found.mimetype == "application/json"
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    (only,) = found.json["blamed"]
    assert only["pattern"] == '?s skos:prefLabel "Example Cluster" .'
    assert '"Example Cluster"@en' in only["findings"][0]["message"]


def test_the_page_offers_to_explain(site: Site) -> None:
    """Where a query answers nothing."""
    accept = {"Accept": "text/html"}
    for text in (NOTHING, "ASK { ?s a <x:x> }", "CONSTRUCT WHERE { ?s a <x:x> }"):
        page = site.get("/sparql", query_string={"query": text}, headers=accept)
        assert "Why nothing?" in page.text
        told = site.get("/sparql/explain", query_string={"query": text}, headers=accept)
        assert told.mimetype == "text/html"
        assert "Nothing matches" in told.text


def test_an_explanation_has_a_validator(site: Site) -> None:
    """A release never changes."""
    query = {"query": NOTHING}
    found = site.get("/sparql/explain", query_string=query)
    tag = {"If-None-Match": found.headers["ETag"]}
    assert site.get("/sparql/explain", query_string=query, headers=tag).status_code == 304


@pytest.mark.parametrize("query", [{}, {"query": "SELECT * {"}, {"query": "DESCRIBE <x:x>"}])
def test_what_cannot_be_explained_is_told(site: Site, query: dict[str, str]) -> None:
    """As a problem."""
    found = site.get("/sparql/explain", query_string=query)
    assert (found.status_code, found.mimetype) == (400, "application/problem+json")


def test_the_dataset_counts(site: Site) -> None:
    """As the protocol's parameters name it."""
    query = {"query": LABELS, "default-graph-uri": "http://example.org/none"}
    found = site.get("/sparql/explain", query_string=query).json
    assert found["has_answers"] is False
    del query["default-graph-uri"]
    assert site.get("/sparql/explain", query_string=query).json["has_answers"] is True
