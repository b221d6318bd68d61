"""Writing over HTTP: SPARQL Update and the Graph Store Protocol, letter by letter."""

from __future__ import annotations

import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pyoxigraph as ox
import pytest
import zstandard
from tests.web.conftest import Site

INSERT = "INSERT DATA { <http://x/a> <http://x/p> 1 }"
TURTLE = {"Content-Type": "text/turtle"}
RDF_XML = """<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<r:Description r:about="http://x/a"><p xmlns="http://x/">v</p></r:Description></r:RDF>"""


def values(site: Site, graph: str = "") -> set[str]:
    """What the objects of all triples are, in a graph or in the default graph."""
    pattern = f"GRAPH <{graph}> {{ ?s ?p ?o }}" if graph else "?s ?p ?o"
    answer = site.get(
        "/sparql", query_string={"query": f"SELECT ?o {{ {pattern} }}", "format": "json"}
    )
    return {row["o"]["value"] for row in json.loads(answer.data)["results"]["bindings"]}


def test_without_a_token_nothing_can_be_written(untouched: Site) -> None:
    """The routes do not exist until somebody makes one."""
    for method, address in (
        ("POST", "/update"), ("GET", "/update"), ("PUT", "/graphs?default"),
        ("POST", "/graphs"), ("DELETE", "/graphs?graph=http://x/g"), ("PATCH", "/graphs?default"),
    ):  # fmt: skip
        answer = untouched.send(method, address, data=b"x")
        assert answer.status_code in {404, 405}, (method, address)
    assert untouched.graph.archive.numbers() == [1]


def test_who_may_write(site: Site) -> None:
    """No token, a wrong one, one in the address, another scheme: 401 or 400, and how to ask."""
    for headers in ({}, {"Authorization": "Bearer cg_0_0"}, {"Authorization": "Basic eDp5"}):
        answer = site.client.post("/update", data={"update": INSERT}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "Access-Control-Allow-Origin" not in answer.headers
    answer = site.client.post(f"/update?access_token={site.token}", data={"update": INSERT})
    assert answer.status_code == 400
    answer = site.client.post(
        "/graphs?default", data=b"", headers={**TURTLE, "X-HTTP-Method-Override": "PUT"}
    )
    assert answer.status_code == 401
    site.graph.tokens.revoke(site.token.split("_")[1])
    assert site.update(INSERT).status_code == 404  # the last token is gone, and writing with it
    assert site.graph.archive.numbers() == [1]


def test_who_guesses_is_stopped(site: Site) -> None:
    """After some wrong tokens a client is told nothing more; a right one is taken all the same."""
    answers = [site.update(INSERT, token=f"cg_00000000_{n}").status_code for n in range(30)]
    assert set(answers) == {401, 429}
    late = site.update(INSERT, token=f"cg_00000000_{len(answers)}")
    assert late.status_code == 429
    assert late.headers["Retry-After"]
    assert site.update(INSERT).status_code == 200  # others may share the address


def test_an_update_is_visible_when_it_is_acknowledged(site: Site) -> None:
    """As a form and as a body; the answer names the release."""
    before = site.get("/sparql?query=ASK{}").headers["ETag"]
    answer = site.update(INSERT)
    assert answer.status_code == 200
    assert json.loads(answer.data) == {"release": 2, "added": 1, "removed": 0}
    assert "1" in values(site)
    assert site.get("/sparql?query=ASK{}").headers["ETag"] != before
    answer = site.send(
        "POST", "/update", data="INSERT DATA { <http://x/a> <http://x/p> 2 }",
        content_type="application/sparql-update", headers={"Change-Message": "second"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert "2" in values(site)
    assert site.graph.release().manifest.why == "second"
    assert site.graph.release().manifest.who == "admin"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": {"update": INSERT, "query": "ASK {}"}}, 400),
        ({"data": {"other": "x"}}, 400),
        ({"data": {"update": [INSERT, INSERT]}}, 400),
        ({"data": {"update": "no update"}}, 400),
        ({"data": {"update": "LOAD <http://127.0.0.1:1/>"}}, 400),
        ({"data": b"\xff", "content_type": "application/sparql-update"}, 400),
        ({"data": INSERT, "content_type": "application/sparql-update;charset=utf-16"}, 415),
        ({"data": INSERT, "content_type": "text/plain"}, 415),
        ({"data": {"update": INSERT, "using-graph-uri": "x"}}, 400),
        ({"data": {"update": INSERT}, "headers": {"If-None-Match": "*"}}, 412),
    ],
)
def test_requests_that_are_none(site: Site, options: dict[str, object], status: int) -> None:
    """Each is told what is wrong."""
    answer = site.send("POST", "/update", **options)
    assert answer.status_code == status
    if status >= 400:
        assert answer.content_type == "application/problem+json"
        assert json.loads(answer.data)["detail"]
    assert site.send("GET", f"/update?update={INSERT}").status_code == 405


def test_a_refused_write_comes_with_its_report(site: Site) -> None:
    """In the format that is asked for; nothing is changed."""
    bad = f"INSERT DATA {{ <{site.iri('id/organisation/b')}> a <{site.iri('ontology#Cluster')}> }}"
    for accept, found in (
        ("text/turtle", "text/turtle;charset=utf-8"),
        ("application/ld+json", "application/ld+json"),
        ("application/n-triples", "application/n-triples"),
        ("text/plain", "text/plain;charset=utf-8"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
    ):
        answer = site.update(bad, headers={"Accept": accept})
        assert (answer.status_code, answer.content_type) == (422, found)
        assert "preferred label" in answer.text
    assert json.loads(answer.data)["report"]["findings"]
    assert site.graph.archive.numbers() == [1]
    assert not site.graph.archive.unfinished()


def test_scopes(site: Site) -> None:
    """A token writes its graphs and no other; a token for reading writes none."""
    graph = site.iri("graph/mine")
    _made, mine = site.graph.tokens.create("mine", write=(graph,))
    _made, reader = site.graph.tokens.create("reader", read=True)
    inside = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/a> <http://x/p> 1 }} }}"
    assert site.update(inside, token=mine).status_code == 200
    assert site.update(INSERT.replace("1", "2"), token=mine).status_code == 403
    assert site.update("DROP ALL", token=mine).status_code == 403
    assert site.update(inside, token=reader).status_code == 200  # it is there: nothing to do
    assert site.update("DROP GRAPH <" + graph + ">", token=reader).status_code == 403
    assert site.graph.release().manifest.number == 2


def test_optimistic_locking(site: Site) -> None:
    """ETags of answers fit If-Match, until something changes."""
    address = f"/graphs?graph={site.iri('graph/mine')}"
    assert site.send("PUT", address, data="<a> <http://x/p> 1 .", headers=TURTLE).status_code == 201
    tag = site.get(address).headers["ETag"]
    first = site.send(
        "PUT", address, data="<a> <http://x/p> 2 .", headers={**TURTLE, "If-Match": tag}
    )
    assert first.status_code == 204
    stale = site.send(
        "PUT", address, data="<a> <http://x/p> 3 .", headers={**TURTLE, "If-Match": tag}
    )
    assert stale.status_code == 412
    again = {**TURTLE, "If-Match": first.headers["ETag"]}
    assert site.send("PUT", address, data="<a> <http://x/p> 3 .", headers=again).status_code == 204
    exists = {**TURTLE, "If-None-Match": "*"}
    assert site.send("PUT", address, data="", headers=exists).status_code == 412
    assert values(site, site.iri("graph/mine")) == {"3"}


def test_many_writers_at_once_lose_nothing(site: Site) -> None:
    """Those that wait together share releases."""

    def write(number: int) -> int:
        with site.client.application.test_client() as client:
            text = f"INSERT DATA {{ <http://x/{number}> <http://x/many> {number} }}"
            headers = {"Authorization": f"Bearer {site.token}"}
            return client.post("/update", data={"update": text}, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(24)))
    assert set(statuses) <= {200, 503}
    rows = site.graph.select("SELECT ?o { ?s <http://x/many> ?o }")
    assert len(rows) == statuses.count(200)
    assert len(site.graph.archive.numbers()) <= 1 + statuses.count(200)


class TestGraphStore:
    """Section 5 of the protocol, on a plain store."""

    GRAPH = "/graphs?graph=http://x/g"

    def test_round(self, plain: Site) -> None:
        """PUT, GET, HEAD, POST, PATCH, DELETE."""
        assert plain.get(self.GRAPH).status_code == 404
        made = plain.send("PUT", self.GRAPH, data="<#a> <http://x/p> 1 .", headers=TURTLE)
        assert made.status_code == 201
        answer = plain.get(self.GRAPH, headers={"Accept": "text/turtle"})
        triples = {quad.triple for quad in ox.parse(answer.data, ox.RdfFormat.TURTLE)}
        assert {str(t.subject) for t in triples} == {"<http://x/g#a>"}
        assert plain.client.head(self.GRAPH).status_code == 200
        assert plain.client.head(self.GRAPH).data == b""
        tag = answer.headers["ETag"]
        fresh = {"If-None-Match": tag, "Accept": "text/turtle"}
        assert plain.get(self.GRAPH, headers=fresh).status_code == 304
        assert (
            plain.send("PUT", self.GRAPH, data="<#a> <http://x/p> 2 .", headers=TURTLE).status_code
            == 204
        )
        assert (
            plain.send("POST", self.GRAPH, data="<#a> <http://x/p> 3 .", headers=TURTLE).status_code
            == 204
        )
        assert values(plain, "http://x/g") == {"2", "3"}
        patch = "DELETE DATA { <http://x/g#a> <http://x/p> 2 }"
        kind = {"Content-Type": "application/sparql-update"}
        assert plain.send("PATCH", self.GRAPH, data=patch, headers=kind).status_code == 204
        assert values(plain, "http://x/g") == {"3"}
        assert plain.send("PATCH", self.GRAPH, data="", headers=TURTLE).status_code == 415
        assert plain.send("DELETE", self.GRAPH).status_code == 204
        assert plain.get(self.GRAPH).status_code == 404
        assert plain.send("DELETE", self.GRAPH).status_code == 404

    def test_default_graph(self, plain: Site) -> None:
        """A graph of its own where the project says so."""
        assert (
            plain.send(
                "PUT", "/graphs?default", data="<a> <http://x/p> 1 .", headers=TURTLE
            ).status_code
            == 204
        )
        assert values(plain) == {"1"}
        assert b"http://x/p" in plain.get("/graphs?default").data
        assert plain.send("DELETE", "/graphs?default").status_code == 204
        assert values(plain) == set()

    def test_the_merge_cannot_be_replaced(self, site: Site) -> None:
        """But added to: that goes where the settings say."""
        for method in ("PUT", "DELETE"):
            answer = site.send(method, "/graphs?default", data="", headers=TURTLE)
            assert answer.status_code == 405
            assert "PUT" not in answer.headers["Allow"]
            assert "merge" in json.loads(answer.data)["detail"]
        site.send("POST", "/graphs?default", data="<http://x/a> <http://x/p> 7 .", headers=TURTLE)
        assert values(site, site.iri("graph/curation")) == {"7"}

    def test_new_graphs(self, plain: Site) -> None:
        """POST without a graph makes one, or fills those that the document names."""
        answer = plain.send("POST", "/graphs", data="<a> <http://x/p> 1 .", headers=TURTLE)
        assert answer.status_code == 201
        assert b"http://x/p" in plain.get(answer.headers["Location"]).data
        trig = "GRAPH <http://x/one> { <a> <http://x/p> 1 } <http://x/two> { <a> <http://x/p> 2 }"
        kind = {"Content-Type": "application/trig"}
        answer = plain.send("POST", "/graphs", data=trig, headers=kind)
        assert answer.status_code == 204
        assert values(plain, "http://x/two") == {"2"}

    def test_a_file_of_a_form(self, plain: Site) -> None:
        """Section 5.5."""
        file = (io.BytesIO(b"<a> <http://x/p> 4 ."), "some.ttl", "text/turtle")
        answer = plain.send("POST", self.GRAPH, data={"file": file})
        assert answer.status_code == 201
        assert values(plain, "http://x/g") == {"4"}

    @pytest.mark.parametrize(
        "address",
        ["/graphs", "/graphs?default&graph=http://x/g", "/graphs?graph=http://x/a&graph=http://x/b",
         "/graphs?graph=../../etc/passwd", "/graphs?graph=", "/graphs?graph=javascript:x",
         "/graphs?graph=http://x/%20y"],
    )  # fmt: skip
    def test_addresses_that_name_no_graph(self, plain: Site, address: str) -> None:
        """Are refused, for reading and for writing."""
        assert plain.get(address).status_code == 400
        assert plain.send("PUT", address, data="", headers=TURTLE).status_code == 400

    def test_a_graph_name_is_never_a_path(self, plain: Site) -> None:
        """file: is a name like any other; nothing is read or written there."""
        address = "/graphs?graph=file:///etc/passwd"
        assert plain.get(address).status_code == 404
        assert (
            plain.send(
                "PUT", address, data="<http://x/a> <http://x/p> 1 .", headers=TURTLE
            ).status_code
            == 201
        )
        assert b"root" not in plain.get(address).data


class TestDocuments:
    """What may come in, in which form, and how large."""

    GRAPH = "/graphs?graph=http://x/g"

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("text/turtle", '<http://x/a> <http://x/p> "v" .'),
            ("application/trig", 'GRAPH <http://x/g> { <http://x/a> <http://x/p> "v" }'),
            ("application/n-triples", '<http://x/a> <http://x/p> "v" .'),
            ("application/n-quads", '<http://x/a> <http://x/p> "v" <http://x/g> .'),
            ("application/ld+json", '{"@id": "http://x/a", "http://x/p": "v"}'),
            ("application/rdf+xml", RDF_XML),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("encoding", ["", "gzip", "zstd", "deflate"])
    def test_formats(self, plain: Site, content_type: str, body: str, encoding: str) -> None:
        """All formats, plain and compressed."""
        compress = {
            "": lambda data: data,
            "gzip": gzip.compress,
            "zstd": zstandard.ZstdCompressor().compress,
            "deflate": lambda data: __import__("zlib").compress(data),
        }[encoding]
        headers = {"Content-Type": content_type}
        if encoding:
            headers["Content-Encoding"] = encoding
        answer = plain.send("PUT", self.GRAPH, data=compress(body.encode()), headers=headers)
        assert answer.status_code == 201, answer.text
        assert values(plain, "http://x/g") == {"v"}

    def test_bombs(self, plain: Site) -> None:
        """Little that becomes much is given up early; so is what is cut or no such data."""
        zeros = bytes(200 << 20)
        for encoding, bomb in (
            ("gzip", gzip.compress(zeros)), ("zstd", zstandard.ZstdCompressor().compress(zeros)),
        ):  # fmt: skip
            headers = {**TURTLE, "Content-Encoding": encoding}
            assert plain.send("PUT", self.GRAPH, data=bomb, headers=headers).status_code == 413
            cut = plain.send("PUT", self.GRAPH, data=bomb[: len(bomb) // 2], headers=headers)
            assert cut.status_code in {400, 413}
            assert plain.send("PUT", self.GRAPH, data=b"none", headers=headers).status_code == 400
        twice = gzip.compress(gzip.compress(b"<http://x/a> <http://x/p> 1 ."))
        headers = {**TURTLE, "Content-Encoding": "gzip, gzip"}
        assert plain.send("PUT", self.GRAPH, data=twice, headers=headers).status_code == 201
        headers = {**TURTLE, "Content-Encoding": "br"}
        assert plain.send("PUT", self.GRAPH, data=b"x", headers=headers).status_code == 415

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/ld+json", "[" * 100_000),
            ("application/ld+json", '{"@graph":' * 3000 + "{}" + "}" * 3000),
            ("application/rdf+xml", "<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>"),
            ("application/rdf+xml", "<a>" * 50_000),
            ("application/ld+json", '{"@context": "https://schema.org/", "name": "x"}'),
            ("application/ld+json", '{"@context": {"@import": "http://127.0.0.1:1/"}}'),
            ("text/turtle", "<a> <b>"),
            ("text/turtle", "(" * 100_000),
            ("text/turtle", b"\xff\xfe"),
            ("application/n-triples", "<http://x/a> <http://x/p> \"v\""),
            ("application/trig", "GRAPH _:g { <http://x/a> <http://x/p> 1 }"),
        ],
    )  # fmt: skip
    def test_documents_that_are_refused(
        self, plain: Site, content_type: str, body: str | bytes
    ) -> None:
        """With a reason, whatever they would do to a parser; nothing is changed."""
        answer = plain.send("PUT", self.GRAPH, data=body, headers={"Content-Type": content_type})
        assert answer.status_code in {400, 413}, answer.text
        assert json.loads(answer.data)["detail"]
        assert plain.graph.archive.numbers() == [1]

    def test_a_syntax_error_names_its_place(self, plain: Site) -> None:
        """Line and column."""
        body = "<http://x/a> <http://x/p> 1 .\n<http://x/a> <http://x/p> ; ."
        answer = plain.send("PUT", self.GRAPH, data=body, headers=TURTLE)
        assert "2:" in json.loads(answer.data)["detail"]
        answer = plain.send(
            "PUT", self.GRAPH, data='{\n"a": }', headers={"Content-Type": "application/ld+json"}
        )
        assert "2:6" in json.loads(answer.data)["detail"]

    def test_media_types_that_are_not_read(self, plain: Site) -> None:
        """415, with those that are."""
        for kind in ("", "text/html", "text/turtle;charset=utf-16", "application/octet-stream"):
            answer = plain.send("PUT", self.GRAPH, data=b"x", headers={"Content-Type": kind})
            assert answer.status_code == 415
            assert "text/turtle" in json.loads(answer.data)["hint"]

    def test_pinned_contexts(self, site: Site) -> None:
        """A project's own context may be named, and is served."""
        path = site.graph.settings.project / "ontology/context.jsonld"
        path.write_text(json.dumps({"@context": {"p": "http://x/p"}}))
        body = json.dumps(
            {"@context": site.iri("ontology/context.jsonld"), "@id": "http://x/a", "p": "v"}
        )
        kind = {"Content-Type": "application/ld+json"}
        assert site.send("PUT", self.GRAPH, data=body, headers=kind).status_code == 201
        assert values(site, "http://x/g") == {"v"}
        assert site.get("/ontology/context.jsonld").json["@context"] == {"p": "http://x/p"}

    def test_a_body_may_be_too_large(self, plain: Site) -> None:
        """Before it is read."""
        answer = plain.send("PUT", self.GRAPH, data=bytes(65 << 20), headers=TURTLE)
        assert answer.status_code == 413


def test_an_empty_document_makes_an_empty_graph(site: Site) -> None:
    """Named by the answer, or by the address."""
    answer = site.send("POST", "/graphs", data="", headers=TURTLE)
    assert answer.status_code == 201
    address = answer.headers["Location"].removeprefix(site.graph.settings.public_url)
    assert site.get(address).status_code == 200
    mine = f"/graphs?graph={site.iri('graph/mine')}"
    assert site.send("POST", mine, data="", headers=TURTLE).status_code == 201


def test_a_reason_may_have_accents(site: Site) -> None:
    """Headers are bytes; they are meant as UTF-8."""
    why = "Réunion à Torino".encode().decode("latin-1")
    assert site.update(INSERT, headers={"Change-Message": why}).status_code == 200
    assert site.graph.release().manifest.why == "Réunion à Torino"


def test_a_document_that_expands_is_stopped(site: Site) -> None:
    """A few kilobytes of JSON-LD can stand for gigabytes of N-Quads."""
    long = "http://x/" + "y" * 60_000
    items = ",".join(f'"{n}"' for n in range(20_000))
    document = f'{{"@context": {{"p": "{long}"}}, "@id": "{long}", "p": [{items}]}}'
    answer = site.send("POST", "/graphs?default", data=document, content_type="application/ld+json")
    assert answer.status_code == 413
    assert site.update(INSERT).status_code == 200


def test_triple_terms_in_documents_are_refused(site: Site) -> None:
    """With the way to say it otherwise."""
    answer = site.send(
        "POST", "/graphs?default", data="<a> <b> <<( <a> <b> 1 )>> .", headers=TURTLE
    )
    assert answer.status_code == 400
    assert "reify" in answer.text.lower()
