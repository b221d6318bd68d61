"""Validation over HTTP: documents of strangers, in every form, within bounds."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pyoxigraph as ox
import pytest
import zstandard
from tests.web.conftest import Site, served
from werkzeug.test import TestResponse

from clustergraph import rdf, scaffold, validator
from clustergraph.validation import forms
from clustergraph.validator import checks
from clustergraph.validator.places import Places

pytestmark = pytest.mark.alone

TTL = {"Content-Type": "text/turtle"}
UNNAMED = """<id/organisation/mine> a <ontology#Cluster> ;
  <ontology#worksWith> <id/organisation/example-cluster> , <id/organisation/nobody> ."""
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://x/> .
ex:Shape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property ex:name .
ex:name sh:path ex:called ; sh:minCount 1 ; sh:message "Give it a name."@en .
"""
THING = '@prefix ex: <http://x/> .\nex:a a ex:Thing .\nex:b a ex:Thing ; ex:called "B" .\n'


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Site]:
    """The small project; what is asked may take little."""
    scaffold.init(tmp_path / "example", title="Example")
    yield from served(tmp_path / "example", query_seconds=3, query_memory=300)


def post(site: Site, body: str | bytes, query: str = "", **headers: str) -> TestResponse:
    """Send a document as the body."""
    return site.client.post(
        f"/validate{query}", data=body, headers={**TTL, "Accept": "application/json", **headers}
    )


def form(site: Site, accept: str = "application/json", **fields: object) -> TestResponse:
    """Send the form."""
    return site.client.post(
        "/validate", data=fields, headers={"Accept": accept}, content_type="multipart/form-data"
    )


def test_a_document_is_held_against_the_project_and_the_published_graph(untouched: Site) -> None:
    """Its own findings are told with their lines; what it may link to is known."""
    answer = post(untouched, UNNAMED)
    assert answer.status_code == 200
    report = answer.json
    assert report["conforms"] is False
    found = {
        (each["sourceShape"].split("#")[1], each["place"]["line"]) for each in report["findings"]
    }
    assert found == {("Cluster-label", 1), ("Cluster-worksWith", 2)}
    assert {each["place"]["file"] for each in report["findings"]} == {"document.ttl"}
    assert {each["focusNode"] for each in report["findings"]} == {
        untouched.iri("id/organisation/mine")
    }
    alone = post(untouched, UNNAMED, "?shapes=none").json
    assert alone["conforms"] is True
    assert not alone["findings"]


def test_what_the_project_says_already_conforms(untouched: Site) -> None:
    """A thing, sent back, breaks nothing; nor do the project's files."""
    thing = untouched.get("/doc/organisation/example-cluster.ttl")
    answer = post(untouched, thing.data)
    assert answer.status_code == 200, answer.text
    assert answer.json["conforms"] is True
    assert "data/organisations.ttl" in untouched.graph.public_files()
    for file in untouched.graph.public_files():
        answer = form(untouched, file=file)
        assert answer.status_code == 200
        assert answer.json["counts"]["Violation"] == 0, file


def test_own_shapes_come_with_the_document_or_in_it(untouched: Site) -> None:
    """Nothing of the project is looked at then."""
    for answer in (
        post(untouched, SHAPES + THING.split("\n", 1)[1], "?shapes=own"),
        form(
            untouched,
            data=(io.BytesIO(THING.encode()), "things.ttl"),
            shapes=(io.BytesIO(SHAPES.encode()), "things.ttl"),
        ),
        form(untouched, data=THING, shapes=SHAPES),
    ):
        assert answer.status_code == 200
        (finding,) = answer.json["findings"]
        assert finding["focusNode"] == "http://x/a"
        assert finding["message"] == "Give it a name."
        assert finding["place"]["line"] in {2, 5}
    assert answer.json["findings"][0]["related"][0]["place"]["file"] == "shapes/shapes.trig"


@pytest.mark.parametrize("name", [*forms.FORMS, *(each.suffix for each in rdf.RDF_FORMATS)])
def test_every_form_by_name_and_by_accept(untouched: Site, name: str) -> None:
    """Each is what it says."""
    answer = post(untouched, SHAPES + THING.split("\n", 1)[1], f"?shapes=own&format={name}")
    assert answer.status_code == 200
    text = answer.text
    assert "Give it a name." in text
    known = next((each for each in rdf.RDF_FORMATS if name in {each.suffix, each.name.lower()}), 0)
    if known:
        assert answer.mimetype == known.media_type
        quads = list(ox.parse(answer.data, known.engine))
        conforms = [q.object.value for q in quads if q.predicate.value == rdf.SHACL + "conforms"]
        assert conforms == ["false"]
    elif name in {"json", "sarif"}:
        assert json.loads(text)
    elif name == "junit":
        assert Xml.fromstring(text).tag == "testsuites"  # noqa: S314  our own
    if name not in {"html", "github"}:
        by_accept = post(
            untouched, SHAPES + THING.split("\n", 1)[1], "?shapes=own", Accept=answer.mimetype
        )
        assert by_accept.mimetype == answer.mimetype


def test_a_browser_gets_a_page_with_links_to_the_lines(untouched: Site) -> None:
    """Each finding leads to its line, and each line back."""
    page = untouched.get("/validate", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page.text.count("<script") == 1  # the one of suggestions
    assert "style=" not in page.text
    answer = form(untouched, "text/html", data=THING, shapes=SHAPES, against="own")
    assert answer.status_code == 200
    assert 'href="#L1-2"' in answer.text
    assert 'id="L1-2" class="marked"' in answer.text
    assert 'href="#F1"' in answer.text
    assert "<mark>ex:a</mark>" in answer.text
    assert "shapes/shapes.trig, line 4" in answer.text
    hostile = form(untouched, "text/html", data='<http://x/"><script>alert(1)</script>> a 1 .')
    assert hostile.status_code == 400
    assert "<script>" not in hostile.text
    broken = form(untouched, "text/html", data=THING, shapes=SHAPES.replace("1 ;", '"x" ;'))
    assert broken.status_code == 400
    assert 'role="alert"' in broken.text


def test_what_cannot_be_read_is_refused_with_its_errors(untouched: Site) -> None:
    """400 with the syntax errors as findings; 415, 413 and 400 where there is no document."""
    answer = post(untouched, "<a> <b> <c>\n<d> <e> .\n")
    assert answer.status_code == 400
    assert answer.json["findings"][0]["rule"] == "syntax"
    assert answer.json["findings"][0]["place"]["line"]
    assert answer.json["conforms"] is False
    assert "clustergraph-validate" not in answer.text  # where it lay
    assert post(untouched, b"\xff\xfe <a>").status_code == 400
    assert post(untouched, "").status_code == 400
    assert post(untouched, "x", **{"Content-Type": "text/html"}).status_code == 415
    assert post(untouched, "x", "?shapes=mine").status_code == 400
    assert post(untouched, "x", "?format=pdf").status_code == 406
    assert post(untouched, "#" * 2_000_000).status_code == 413
    assert form(untouched, file="../secret.ttl").status_code == 404
    assert form(untouched, data="x", file="data/x.trig").status_code == 400
    assert form(untouched).status_code == 400
    assert untouched.client.delete("/validate").status_code == 405
    bad = untouched.client.post("/validate", data=b"--x", content_type="multipart/form-data")
    assert bad.status_code == 400


def test_compressed_documents_are_read_within_the_same_bounds(untouched: Site) -> None:
    """gzip and zstd, as an encoding or as a file's suffix; bombs are refused."""
    for coding, packed in (
        ("gzip", gzip.compress(UNNAMED.encode())),
        ("zstd", zstandard.compress(UNNAMED.encode())),
    ):
        answer = post(untouched, packed, **{"Content-Encoding": coding})
        assert answer.json["conforms"] is False
    file = (io.BytesIO(gzip.compress(UNNAMED.encode())), "mine.ttl.gz")
    assert form(untouched, data=file).json["findings"][0]["place"]["file"] == "mine.ttl"
    bomb = gzip.compress(b"#" * 50_000_000)
    assert post(untouched, bomb, **{"Content-Encoding": "gzip"}).status_code == 413


def test_shapes_of_strangers_cannot_reach_out(untouched: Site) -> None:
    """No SERVICE, no FROM, no scripts; owl:imports is not followed; nothing of ours is told."""
    query = """{shapes} ex:q a sh:NodeShape ; sh:targetClass ex:Thing ; sh:sparql [ sh:select
      \"\"\"SELECT $this {more} WHERE {{ {where} }}\"\"\" ] ."""
    for more, where in (
        ("", "SERVICE <http://127.0.0.1:9/> { ?s ?p ?o }"),
        ("", "SERV\\\\u0049CE <http://127.0.0.1:9/> { ?s ?p ?o }"),
        ("FROM <file:///etc/passwd>", "$this ?p ?o"),
    ):
        text = query.format(shapes=SHAPES, more=more, where=where)
        answer = post(untouched, text + THING.split("\n", 1)[1], "?shapes=own")
        assert answer.status_code == 400, where
        assert "root:" not in answer.text
    script = SHAPES + "ex:Shape sh:js [ sh:jsFunctionName 'f' ] ." + THING.split("\n", 1)[1]
    assert post(untouched, script, "?shapes=own").status_code == 400
    imports = THING + "<http://x/> <http://www.w3.org/2002/07/owl#imports> <file:///etc/passwd> ."
    answer = post(untouched, SHAPES + imports.split("\n", 1)[1], "?shapes=own")
    assert answer.status_code == 200
    assert "root:" not in answer.text


def test_hostile_documents_end_within_the_limits_and_the_server_lives(strict: Site) -> None:
    """Nesting, size, patterns and queries without end: 4xx or 503, then the next one is served."""
    deep = 60_000
    start, things = SHAPES, THING.split("\n", 1)[1]
    pattern = 'ex:name sh:pattern "^(a+)+$" .' + f'ex:c a ex:Thing ; ex:called "{"a" * 40}!" .'
    product = """ex:Shape sh:sparql [ sh:select \"\"\"SELECT $this (COUNT(*) AS ?n)
      WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } GROUP BY $this\"\"\" ] ."""
    for body, kind, statuses in (
        (f"<a> <b> {'[ <b> ' * deep} 1 {']' * deep} .", "text/turtle", {200, 400, 413, 503}),
        (f"<a> <b> {'(' * deep} {')' * deep} .", "text/turtle", {200, 400, 413, 503}),
        ('{"http://x/p": ' * deep + "1" + "}" * deep, "application/ld+json", {400, 413, 503}),
        ("<a>" * deep, "application/rdf+xml", {400, 413, 503}),
        (f'<a> <b> "{"x" * 1_000_000}" .', "text/turtle", {200}),
        (start + things + pattern, "text/turtle", {503}),
        (start + things + product + "".join(f"ex:x{n} ex:p {n} ." for n in range(300)),
         "text/turtle", {400, 503}),
    ):  # fmt: skip
        answer = post(strict, body, "?shapes=own", **{"Content-Type": kind})
        assert answer.status_code in statuses, (body[:40], kind, answer.status_code)
        assert "Traceback" not in answer.text
    assert post(strict, UNNAMED, "?shapes=none").status_code == 200
    assert strict.get("/").status_code == 200


def test_too_many_at_once_are_told_to_come_again(
    untouched: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After, for programs and for people."""
    places = Places(2)
    monkeypatch.setattr(checks, "_PLACES", places)
    stranger = {"REMOTE_ADDR": "192.0.2.7"}
    with places.taken("192.0.2.7"):  # half of them is one client's share
        refused = untouched.client.post(
            "/validate", data=UNNAMED, headers=TTL, environ_base=stranger
        )
        assert refused.status_code == 503
        assert post(untouched, UNNAMED).status_code == 200
        with places.taken("192.0.2.8"):
            for accept in ("application/json", "text/html"):
                answer = post(untouched, UNNAMED, Accept=accept)
                assert answer.status_code == 503
                assert answer.headers["Retry-After"]
    assert post(untouched, UNNAMED).status_code == 200


def test_pages_of_other_sites_may_ask(untouched: Site) -> None:
    """As with queries: nothing is written."""
    answer = post(untouched, UNNAMED, Origin="https://elsewhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


def test_names_of_documents_stay_names(untouched: Site) -> None:
    """Whatever a file is called, it is no path."""
    settings = untouched.graph.settings
    for name in (
        "../../etc/passwd.ttl",
        "..\\x.ttl",
        ".ttl",
        "a b\n.ttl",
        "é.ttl",
        "x" * 300 + ".ttl",
    ):
        document = validator.received(b"", "text/turtle", settings, name=name)
        assert Path(document.name).name == document.name
        assert not document.name.startswith(".")
        assert document.name.endswith(".ttl")
        assert len(document.name) < 100
