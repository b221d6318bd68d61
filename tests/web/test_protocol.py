"""SPARQL 1.1 Protocol and Graph Store Protocol, case by case, on a plain store.

The cases follow those of the W3C (https://www.w3.org/2009/sparql/docs/tests/, protocol and
graph-store-protocol) and the examples of the two specifications.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
from tests.web.conftest import Site, served
from werkzeug.test import TestResponse

from clustergraph import scaffold

ONE, TWO = "http://data.example/one", "http://data.example/two"
DOCUMENT = "<http://xmlns.com/foaf/0.1/Document>"
FORM = {"content_type": "application/x-www-form-urlencoded"}
QUERY = {"content_type": "application/sparql-query"}
UPDATE = {"content_type": "application/sparql-update"}
GZIP = {"Content-Encoding": "gzip"}
BOTH = f"ASK {{ <{ONE}> a {DOCUMENT} . <{TWO}> a {DOCUMENT} }}"
EITHER = f"ASK {{ GRAPH ?g {{ <{ONE}> a {DOCUMENT} }} GRAPH ?h {{ <{TWO}> a {DOCUMENT} }} }}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A store with two named graphs, each of which says that it is a document; kept as it is."""
    folder = tmp_path_factory.mktemp("protocol") / "plain"
    scaffold.init(folder, bare=True)
    for site in served(folder):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        for graph in (ONE, TWO):
            answer = site.send(
                "PUT", f"/graphs?graph={graph}", data=f"<{graph}> a {DOCUMENT} .",
                content_type="text/turtle",
            )  # fmt: skip
            assert answer.status_code == 201
        yield site


def named(name: str, *graphs: str) -> str:
    """Parameters of the protocol."""
    return "&".join(f"{name}={quote(graph, safe='')}" for graph in graphs)


def truth(answer: TestResponse) -> bool:
    """The boolean that came back."""
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.data)["boolean"]
    assert isinstance(found, bool)
    return found


@pytest.mark.parametrize(
    ("address", "body", "expected"),
    [
        ("", BOTH, False),
        ("", EITHER, True),
        (named("default-graph-uri", ONE), BOTH, False),
        (named("default-graph-uri", ONE, TWO), BOTH, True),
        (named("default-graph-uri", ONE, TWO), EITHER, False),
        (named("named-graph-uri", ONE, TWO), EITHER, True),
        (named("named-graph-uri", ONE), EITHER, False),
        (f"{named('default-graph-uri', ONE)}&{named('named-graph-uri', TWO)}",
         f"ASK {{ <{ONE}> a ?t GRAPH <{TWO}> {{ <{TWO}> a ?t }} }}", True),
        (named("default-graph-uri", TWO), f"ASK FROM <{ONE}> {{ <{ONE}> ?p ?o }}", False),
        (named("default-graph-uri", TWO), f"ASK FROM <{ONE}> {{ <{TWO}> ?p ?o }}", True),
        (named("default-graph-uri", "http://none.example/"), "ASK { ?s ?p ?o }", False),
    ],
)  # fmt: skip
def test_the_dataset_of_a_query(store: Site, address: str, body: str, expected: bool) -> None:
    """By the protocol's parameters, which win over FROM; the same in each way to send them."""
    form = f"query={quote(body)}"
    answers = [
        store.get(f"/sparql?{form}&{address}"),
        store.client.post(f"/sparql?{address}", data=body, **QUERY),
        store.client.post("/sparql", data=f"{form}&{address}", **FORM),
        store.client.post(f"/sparql?{address}", data=form, **FORM),
    ]
    assert {truth(answer) for answer in answers} == {expected}


@pytest.mark.parametrize(
    ("text", "media_types"),
    [
        ("SELECT (1 AS ?n) {}", {"application/sparql-results+json", "text/csv",
         "application/sparql-results+xml", "text/tab-separated-values"}),
        ("ASK {}", {"application/sparql-results+json", "application/sparql-results+xml"}),
        ("DESCRIBE <http://x/>", {"application/rdf+xml", "text/turtle", "application/n-triples"}),
        ("CONSTRUCT { <s> <p> 1 } WHERE {}", {"application/rdf+xml", "text/turtle",
         "application/n-triples"}),
    ],
)  # fmt: skip
def test_content_types(store: Site, text: str, media_types: set[str]) -> None:
    """One that suits the form of the query, and the one that is asked for."""
    answer = store.get("/sparql", query_string={"query": text})
    assert answer.mimetype in media_types
    for media_type in media_types:
        answer = store.client.post("/sparql", data=text, headers={"Accept": media_type}, **QUERY)
        assert (answer.status_code, answer.mimetype) == (200, media_type)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/sparql-results+json"), ("", "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"), ("text/*", "text/csv"),
        ("text/*;q=0.5, text/csv;q=0", "text/tab-separated-values"),
        ("application/*", "application/sparql-results+json"),
        ("application/xml", "application/sparql-results+xml"),
        ("application/json", "application/sparql-results+json"),
        ("text/csv; header=present", "text/csv"), ("text/csv; header=absent", None),
        ("*", None), ("csv", None),
        ("text/csv;q=0.1, application/sparql-results+xml;q=0.2", "application/sparql-results+xml"),
        ("text/html", "text/html"), ("text/html;q=0.5, text/csv", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("image/png", None), ("*/*;q=0", None), ("text/html;q=0, text/csv;q=0", None),
    ],
)  # fmt: skip
def test_negotiation_of_results(store: Site, accept: str | None, media_type: str | None) -> None:
    """Wildcards, weights, exclusion; HTML for those who name it."""
    headers = {} if accept is None else {"Accept": accept}
    answer = store.get("/sparql", query_string={"query": "SELECT (1 AS ?n) {}"}, headers=headers)
    assert "Accept" in answer.headers["Vary"]
    if media_type is None:
        assert answer.status_code == 406
    else:
        assert (answer.status_code, answer.mimetype) == (200, media_type)


@pytest.mark.parametrize(
    ("method", "address", "options", "status"),
    [
        ("PUT", "/sparql?query=ASK%7B%7D", {}, 405),
        ("DELETE", "/sparql?query=ASK%7B%7D", {}, 405),
        ("GET", "/sparql?query=ASK%7B%7D&query=ASK%7B%7D", {}, 400),
        ("POST", "/sparql?query=ASK%7B%7D", {"data": "query=ASK%7B%7D", **FORM}, 400),
        ("POST", "/sparql", {"data": "ASK {}", "content_type": "text/plain"}, 415),
        ("POST", "/sparql", {"data": "query=ASK%7B%7D"}, 415),
        ("POST", "/sparql", {"data": "ASK {}"}, 415),
        ("POST", "/sparql", {"data": "ASK {}".encode("utf-16"), **QUERY}, 400),
        ("POST", "/sparql", {"data": "ASK {}", "content_type": "application/sparql-query;"
         "charset=UTF-16"}, 415),
        ("GET", "/sparql?query=ASK%20%7B", {}, 400),
        ("GET", "/sparql?query=ASK%7B%3Fs%20%3Fp%20%27%FF%27%7D", {}, 400),
        ("POST", "/sparql", {"data": "query=ASK%7B%3Fs%20%3Fp%20%27%ED%A0%80%27%7D", **FORM}, 400),
        ("GET", "/sparql?query=CLEAR%20ALL", {}, 400),
        ("GET", "/sparql?query=ASK%7B%7D&default-graph-uri=relative", {}, 400),
        ("GET", "/sparql?query=ASK%7B%7D&named-graph-uri=http://x/a%20b", {}, 400),
        ("GET", "/sparql?query=ASK%7B%7D&named-graph-uri=http://x/%3E%7B%7D", {}, 400),
        ("HEAD", "/sparql?query=ASK", {}, 400),
        ("HEAD", "/sparql?query=ASK%20%7B%20%3Fs%20%7D", {}, 400),
        ("POST", "/sparql", {"data": gzip.compress(b"ASK {}"), "headers": GZIP, **QUERY}, 415),
        ("POST", "/update", {"data": gzip.compress(b"CLEAR ALL"), "headers": GZIP, **UPDATE}, 415),
        ("GET", "/sparql?update=CLEAR%20ALL", {}, 400),
        ("GET", "/update?update=CLEAR%20ALL", {}, 405),
        ("POST", "/update", {"data": "update=CLEAR+ALL&update=CLEAR+ALL", **FORM}, 400),
        ("POST", "/update", {"data": "CLEAR ALL", "content_type": "text/plain"}, 415),
        ("POST", "/update", {"data": "update=CLEAR%20ALL"}, 415),
        ("POST", "/update", {"data": "CLEAR ALL".encode("utf-16"), **UPDATE}, 400),
        ("POST", "/update", {"data": "CLEAR ALL", "content_type": "application/sparql-update;"
         "charset=UTF-16"}, 415),
        ("POST", "/update", {"data": "CLEAR XYZ", **UPDATE}, 400),
        ("POST", "/update", {"data": "ASK {}", **UPDATE}, 400),
        ("POST", f"/update?{named('using-named-graph-uri', ONE)}", {"data": "INSERT { <a:b> <a:c> "
         f"?o }} USING <{TWO}> WHERE {{ ?s ?p ?o }}", **UPDATE}, 400),
        ("POST", f"/update?{named('using-graph-uri', ONE)}", {"data": f"WITH <{TWO}> DELETE {{ ?s "
         "?p ?o } WHERE { ?s ?p ?o }", **UPDATE}, 400),
    ],
)  # fmt: skip
def test_what_is_no_request(
    store: Site, method: str, address: str, options: dict[str, Any], status: int
) -> None:
    """Is refused, and changes nothing."""
    answer = store.send(method, address, **options)
    assert answer.status_code == status
    assert truth(store.client.post("/sparql", data=EITHER, **QUERY))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (named("using-graph-uri", ONE), [ONE]),
        (named("using-graph-uri", ONE, TWO), [ONE, TWO]),
        (named("using-named-graph-uri", ONE), []),
        ("", []),
    ],
)
def test_the_dataset_of_an_update(store: Site, parameters: str, expected: list[str]) -> None:
    """By the protocol's parameters, in each way to send them; patterns see nothing else."""
    text = "INSERT { GRAPH <http://out.example/> { ?s a <x:Found> } } WHERE { ?s a ?t }"
    form = f"update={quote(text)}"
    for options in (
        {"path": f"/update?{parameters}", "data": text, **UPDATE},
        {"path": "/update", "data": f"{form}&{parameters}", **FORM},
    ):
        store.update("DROP SILENT GRAPH <http://out.example/>")
        path = str(options.pop("path"))
        assert store.send("POST", path, **options).status_code == 200
        found = store.get(
            "/sparql", query_string={"query": "SELECT ?s { ?s a <x:Found> } ORDER BY ?s",
                                     "default-graph-uri": "http://out.example/"},
        )  # fmt: skip
        rows = json.loads(found.data)["results"]["bindings"]
        assert [row["s"]["value"] for row in rows] == expected
    store.update("DROP SILENT GRAPH <http://out.example/>")


def test_relative_iris_of_updates_have_a_base(store: Site) -> None:
    """That of the service."""
    assert store.update("INSERT DATA { <http://x/s> <http://x/p> <test> }").status_code == 200
    text = 'ASK { <http://x/s> <http://x/p> ?o FILTER(isIRI(?o) && STR(?o) != "test") }'
    assert truth(store.client.post("/sparql", data=text, **QUERY))
    assert store.update("DELETE WHERE { <http://x/s> ?p ?o }").status_code == 200


def test_relative_iris_of_queries_have_a_base(store: Site) -> None:
    """That of the service, until the query says another; mistakes are told where they stand."""
    service = store.iri("sparql")
    for text in (
        f'ASK {{ FILTER(STR(<x>) = "{service.removesuffix("sparql")}x") }}',
        f'ASK {{ FILTER(STR(<>) = "{service}") }}',
        'BASE <http://b/c/> ASK { FILTER(STR(<x>) = "http://b/c/x") }',
        f'PREFIX p: <x#> ASK {{ FILTER(STR(p:y) = "{service.removesuffix("sparql")}x#y") }}',
        f'BASE <b/> ASK {{ FILTER(STR(<x>) = "{service.removesuffix("sparql")}b/x") }}',
    ):
        assert truth(store.client.post("/sparql", data=text, **QUERY)), text
    answer = store.client.post("/sparql", data="ASK { <x> a\n <y> ; ) }", **QUERY)
    assert (answer.status_code, answer.json["line"], answer.json["column"]) == (400, 2, 8)


def test_plus_and_percent_in_forms(store: Site) -> None:
    """Are a blank and a byte there; in a direct body they are themselves."""
    form = "query=ASK+%7B+FILTER(%22a+b%2B%C3%A9%22+%3D+%22a%20b%2B\\u00e9%22)+%7D"
    assert truth(store.client.post("/sparql", data=form, **FORM))
    assert truth(store.client.post("/sparql", data='ASK { FILTER("+%2B" = "+%2B") }', **QUERY))


def test_head_and_options(store: Site) -> None:
    """HEAD is GET without a body; OPTIONS says what is possible, also to browsers of others."""
    answer = store.client.head("/sparql?query=ASK%7B%7D")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["ETag"] == store.get("/sparql?query=ASK%7B%7D").headers["ETag"]
    answer = store.client.options(
        "/sparql",
        headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"},
    )
    assert answer.status_code in {200, 204}
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    for method, address in (("GET", "/sparql?query=x"), ("POST", "/sparql"), ("PUT", "/sparql")):
        answer = store.client.open(address, method=method)
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in store.client.post("/update").headers


# -- graph store -----------------------------------------------------------------------------------


def same(answer: TestResponse, turtle: str) -> bool:
    """Whether an answer holds the triples of a Turtle text."""
    assert answer.status_code == 200
    graphs = [
        ox.Dataset(ox.parse(text, ox.RdfFormat.TURTLE, base_iri="http://b/"))
        for text in (answer.data, turtle.encode())
    ]
    for graph in graphs:
        graph.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return graphs[0] == graphs[1]


PERSON = (
    '<http://x/1> a <http://x/Person> ; <http://x/fn> "{}" ; <http://x/at> [ a <http://x/O> ] .'
)
TURTLE = {"content_type": "text/turtle"}
ACCEPT = {"Accept": "text/turtle"}


@pytest.mark.parametrize(
    "address",
    ["/graphs?default", "/graphs?graph=http://g.example/person.ttl", "/graphs/person/1.ttl"],
)
def test_a_graph_from_its_beginning_to_its_end(plain: Site, address: str) -> None:
    """PUT makes it, PUT replaces it, POST adds to it, DELETE ends it; GET and HEAD follow."""
    default = address.endswith("default")
    first = plain.send("PUT", address, data=PERSON.format("John"), **TURTLE)
    assert first.status_code == (204 if default else 201)
    assert same(plain.get(address, headers=ACCEPT), PERSON.format("John"))
    assert plain.send("PUT", address, data=PERSON.format("Jane"), **TURTLE).status_code == 204
    assert same(plain.get(address, headers=ACCEPT), PERSON.format("Jane"))
    more = "<http://x/1> <http://x/family> 'Doe' ."
    assert plain.send("POST", address, data=more, **TURTLE).status_code == 204
    assert same(plain.get(address, headers=ACCEPT), PERSON.format("Jane") + more)
    assert plain.send("POST", address, data="", **TURTLE).status_code == 204
    assert plain.client.head(address, headers=ACCEPT).status_code == 200
    assert plain.send("PUT", address, data="not turtle", **TURTLE).status_code == 400
    assert plain.send("PUT", address, data="<a> <b> 1", content_type="a/b").status_code == 415
    assert same(plain.get(address, headers=ACCEPT), PERSON.format("Jane") + more)
    assert plain.send("DELETE", address).status_code == 204
    if default:
        assert same(plain.get(address, headers=ACCEPT), "")
        return
    assert plain.get(address).status_code == 404
    assert plain.client.head(address).status_code == 404
    assert plain.send("DELETE", address).status_code == 404
    assert plain.send("PUT", address, data="", **TURTLE).status_code == 201
    assert same(plain.get(address, headers=ACCEPT), "")


def test_a_graph_in_every_format(plain: Site) -> None:
    """What is put in one comes back in all."""
    address = "/graphs?graph=http://g.example/"
    triple = "<http://x/a> <http://x/b> 'c'@en ."
    assert plain.send("PUT", address, data=triple, **TURTLE).status_code == 201
    for media_type in (
        "text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json",
        "application/trig", "application/n-quads",
    ):  # fmt: skip
        answer = plain.get(address, headers={"Accept": media_type})
        assert (answer.status_code, answer.mimetype) == (200, media_type)
        again = plain.send("PUT", address, data=answer.data, content_type=media_type)
        assert again.status_code == 204
        assert same(plain.get(address, headers=ACCEPT), triple)
    assert plain.get(address, headers={"Accept": "image/png"}).status_code == 406


def test_an_address_is_the_name_of_a_graph(plain: Site) -> None:
    """Below /graphs, for all methods; the same graph has that name everywhere (section 4.1)."""
    address, iri = "/graphs/caf%C3%A9/1", plain.iri("graphs/café/1")
    triple = "<#it> <http://x/b> 'c' ."
    assert plain.send("PUT", address, data=triple, **TURTLE).status_code == 201
    found = f"<{iri}#it> <http://x/b> 'c' ."
    assert same(plain.get(address, headers=ACCEPT), found)
    assert same(plain.get(f"/graphs?graph={quote(iri)}", headers=ACCEPT), found)
    assert truth(
        plain.get("/sparql", query_string={"query": f"ASK {{ GRAPH <{iri}> {{ {found} }} }}"})
    )
    assert plain.client.put(address, data=triple, **TURTLE).status_code == 401
    assert plain.get("/graphs/none").status_code == 404


def test_a_graph_that_nobody_named_is_told_by_its_iri(plain: Site) -> None:
    """Location names it, as the address of other requests may (section 5.5)."""
    answer = plain.send("POST", "/graphs", data="[] <http://x/b> 'c' .", **TURTLE)
    assert answer.status_code == 201
    found = plain.get(f"/graphs?graph={answer.headers['Location']}", headers=ACCEPT)
    assert same(found, "[] <http://x/b> 'c' .")


def test_the_files_of_a_form_are_merged(plain: Site) -> None:
    """Blank nodes of one are not those of another; one that is wrong spoils all (section 5.5)."""
    address = "/graphs?graph=http://g.example/"

    def posted(*texts: str) -> int:
        files = [
            (io.BytesIO(text.encode()), f"{n}.ttl", "text/turtle") for n, text in enumerate(texts)
        ]
        return plain.send("POST", address, data={"file": files}).status_code

    assert posted("_:a <http://x/b> 1 .", "_:a <http://x/b> 2 .") == 201
    merged = "[] <http://x/b> 1 . [] <http://x/b> 2 ."
    assert same(plain.get(address, headers=ACCEPT), merged)
    assert posted("<http://x/a> <http://x/b> 3 .", "no turtle") == 400
    assert same(plain.get(address, headers=ACCEPT), merged)


def test_a_graph_is_patched(plain: Site) -> None:
    """By an update of its own."""
    address = "/graphs?graph=http://g.example/"
    plain.send("PUT", address, data="<http://x/a> <http://x/b> 1 .", **TURTLE)
    text = "DELETE { ?s ?p ?o } INSERT { ?s ?p 2 } WHERE { ?s ?p ?o }"
    assert plain.send("PATCH", address, data=text, **UPDATE).status_code == 204
    assert same(plain.get(address, headers=ACCEPT), "<http://x/a> <http://x/b> 2 .")
    assert plain.send("PATCH", address, data=text, **TURTLE).status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_request_names_one_graph(plain: Site, method: str) -> None:
    """Not two, not none, and by an IRI."""
    for address in ("/graphs?default&graph=http://x/", "/graphs?graph=x", "/graphs?graph="):
        answer = plain.send(method, address, data="", content_type=(
            "application/sparql-update" if method == "PATCH" else "text/turtle"))  # fmt: skip
        assert answer.status_code == 400
