"""Stored queries over HTTP, and the description of all addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import rdflib
from flask import current_app
from tests.web.conftest import Site

from clustergraph import rdf
from clustergraph.queries import PARAMETER_TYPES

TYPED = """#+ title: Typed
#+ params:
#+   a: {type: iri, description: A thing., default: id/x}
#+   b: {type: integer, default: 3}
#+   c: {type: boolean, default: "true"}
#+   d: {type: decimal, default: 1.5}
#+   e: {type: date}
#+   f: {type: string}
SELECT * { $a ?p $b , $c , $d , $e , $f }
"""
SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")


def test_stored_queries_are_listed_in_html_json_and_rdf(site: Site) -> None:
    """With their parameters, and with texts that run."""
    page = site.get("/query", headers={"Accept": "text/html"})
    assert "/query/partners" in page.text
    (entry,) = site.get("/query", headers={"Accept": "application/json"}).json["queries"]
    assert (entry["name"], entry["address"]) == ("partners", "/query/partners")
    assert entry["parameters"][0]["type"] == "iri"
    found = rdflib.Graph().parse(
        data=site.get("/query", headers={"Accept": "text/turtle"}).data, format="turtle"
    )
    (subject,) = found.subjects(rdflib.RDF.type, SH.SPARQLExecutable)
    assert str(subject) == site.iri("graph/queries#partners")
    text = str(found.value(subject, SH.select))
    assert site.get("/sparql", query_string={"query": text}).status_code == 200
    asked = "ASK { GRAPH ?g { ?q a sh:SPARQLSelectExecutable } }"
    assert site.get("/sparql", query_string={"query": asked}).json["boolean"] is True


def test_a_page_has_form_answer_and_editor(site: Site) -> None:
    """A wrong value is told where it can be mended."""
    accept = {"Accept": "text/html"}
    page = site.get("/query/partners", headers=accept)
    assert page.status_code == 200
    for words in ('name="cluster"', "<table>", "Open in the editor"):
        assert words in page.text
    empty = site.get("/query/partners?cluster=id/nothing", headers=accept)
    assert "Why nothing?" in empty.text
    wrong = site.get("/query/partners?cluster=a%20b", headers=accept)
    assert wrong.status_code == 400
    assert 'name="cluster"' in wrong.text
    assert "not of type iri" in wrong.text


@pytest.mark.parametrize("fmt", rdf.RESULTS_FORMATS, ids=lambda each: each.name)
def test_a_call_answers_in_every_format(site: Site, fmt: rdf.ResultsFormat) -> None:
    """By Accept."""
    found = site.get("/query/partners", headers={"Accept": fmt.media_type})
    assert (found.status_code, found.mimetype) == (200, fmt.media_type)


def test_the_address_may_say_how_to_answer(site: Site) -> None:
    """Those are no parameters of the query; one of those is set once."""
    number = site.graph.release().manifest.number
    address = f"/query/partners?release={number}&format=csv&timeout=5"
    assert site.get(address).status_code == 200
    assert site.get("/query/partners?cluster=a:b&cluster=a:c").status_code == 400
    assert site.get("/query/partners?other=1").status_code == 400


def described(site: Site) -> dict[str, Any]:
    """The OpenAPI document."""
    found = site.get("/openapi.json")
    assert (found.status_code, found.mimetype) == (200, "application/json")
    return dict(found.json)


def test_the_description_is_valid(site: Site) -> None:
    """OpenAPI 3.1, with a stored query that has a parameter of each type."""
    folder: Path = site.graph.settings.project / "queries"
    (folder / "typed.rq").write_text(TYPED)
    site.graph.build(force=True)
    document = described(site)
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1")
    operation = document["paths"]["/query/typed"]["get"]
    own = {each["name"]: each for each in operation["parameters"] if "name" in each}
    assert len(own) == len(PARAMETER_TYPES)
    defaults = [own[name]["schema"].get("default") for name in "abcdef"]
    assert defaults == ["id/x", 3, True, 1.5, None, None]
    assert [own[name]["required"] for name in "abcdef"] == [False] * 4 + [True] * 2
    formats = operation["responses"]["200"]["content"]
    assert set(formats) == {each.media_type for each in rdf.RESULTS_FORMATS} | {"text/html"}


def test_every_address_is_described(site: Site) -> None:
    """With all its methods, and nothing that is not there."""
    methods = {"get", "put", "post", "delete", "patch"}
    paths = {
        path: methods & set(operations)
        for path, operations in described(site)["paths"].items()
        if path != "/query/partners"
    }
    with site.client.application.app_context():
        rules = list(current_app.url_map.iter_rules())
    served: dict[str, set[str]] = {}
    for rule in rules:
        path = rule.rule.replace("<int:number>", "{number}").replace("<epoch>", "{epoch}")
        path = re.sub(r"<(?:path:)?(?:name|path)>", "{name}", path)
        if rule.endpoint != "static" and path != "/timemap/":
            served.setdefault(path, set()).update(each.lower() for each in rule.methods or ())
    served["/update"].discard("get")  # refused there
    assert paths == {path: found & methods for path, found in served.items()}


def test_formats_are_described_as_they_are(site: Site) -> None:
    """All of them."""
    responses = described(site)["components"]["responses"]
    every = {each.media_type for each in (*rdf.RDF_FORMATS, *rdf.RESULTS_FORMATS)}
    assert set(responses["Answer"]["content"]) == every | {"text/html"}
    documents = {each.media_type for each in rdf.RDF_FORMATS} | {"text/html"}
    assert set(responses["Document"]["content"]) == documents
