"""The real server over the shipped graph, as its three kinds of users meet it."""

from __future__ import annotations

import collections
import html.parser
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, N3, TURTLE, XML, SPARQLWrapper

from clustergraph import rdf, store
from clustergraph.errors import QueryError, StoreError
from clustergraph.service import ClusterGraph
from clustergraph.store.remote import RemoteStore

FORMATS = {fmt.suffix: fmt for fmt in rdf.RDF_FORMATS}


@dataclass
class Response:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters."""
        return self.headers.get("content-type", "").split(";")[0]


@dataclass
class Site:
    """A running server."""

    port: int
    base: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def url(self) -> str:
        """The address without final slash."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, accept: str = "*/*", method: str = "GET", **headers: str) -> Response:
        """One request; redirects are not followed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.close()
        self.connection.request(method, path, headers={"Accept": accept, **named})
        answer = self.connection.getresponse()
        body = answer.read()
        return Response(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        )

    def follow(self, path: str, accept: str) -> Response:
        """A request whose redirects are followed."""
        for _ in range(4):
            response = self.get(path, accept)
            if response.status not in {301, 302, 303, 307, 308}:
                return response
            target = urllib.parse.urlsplit(
                urllib.parse.urljoin(self.url + path, response.headers["location"])
            )
            assert target.netloc == f"127.0.0.1:{self.port}"
            path = target.path + (f"?{target.query}" if target.query else "")
        raise AssertionError(f"too many redirects at {path}")

    def local(self, iri: str) -> str:
        """Where an IRI under the base is served."""
        return "/" + urllib.parse.quote(
            iri.removeprefix(self.base).split("#")[0], safe="/:@!$&'()*+,;=%"
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(shipped: ClusterGraph) -> Iterator[Site]:
    """The server, over the release that the tests built."""
    port = free_port()
    command = [
        sys.executable, "-m", "clustergraph", "--project", str(shipped.settings.project),
        "--var", str(shipped.settings.variable), "serve", "--port", str(port),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as server:
        try:
            running = Site(port, shipped.settings.base)
            for _ in range(300):
                try:
                    if running.get("/health").status == 200:
                        break
                except OSError:
                    running.connection.close()
                    time.sleep(0.1)
                assert server.poll() is None
            assert server.stdout is not None
            assert running.url in server.stdout.readline().decode()
            yield running
            running.connection.close()
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0


# -- people ------------------------------------------------------------------------------------


class Links(html.parser.HTMLParser):
    """The links, language and title of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.lang = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what is needed."""
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "html":
            self.lang = found.get("lang") or ""


def test_every_thing_is_reached_from_home_by_clicking(site: Site, shipped: ClusterGraph) -> None:
    """Breadth first over all pages of the site; each answers 200 and has a title."""
    rows = shipped.select(
        "SELECT DISTINCT ?s { GRAPH ?g { ?s ?p ?o } "
        f"FILTER(STRSTARTS(STR(?s), '{site.base}id/') && !CONTAINS(STR(?s), '#')) }}"
    )
    wanted = {row["s"].value.removeprefix(site.base + "id/") for row in rows}
    assert len(wanted) > 500
    seen, queue = {"/"}, collections.deque(["/"])
    reached: set[str] = set()
    while queue and reached < wanted:
        path = queue.popleft()
        response = site.follow(path, "text/html")
        assert response.status == 200, path
        assert response.media_type == "text/html", path
        text = response.body.decode()
        assert re.search(r"<title>[^<]+</title>", text), path
        for href in Links(text).links:
            target = urllib.parse.urljoin(site.url + path, href)
            parts = urllib.parse.urlsplit(target)
            if f"{parts.scheme}://{parts.netloc}" != site.url:
                continue
            match = re.fullmatch(r"/(?:id|doc)/([\w-]+/[\w-]+)", parts.path)
            if match:
                reached.add(match[1])
            interesting = parts.path.startswith(("/doc", "/id")) or parts.path == "/"
            full = parts.path + (f"?{parts.query}" if parts.query else "")
            if interesting and full not in seen and "." not in parts.path.rsplit("/", 1)[-1]:
                seen.add(full)
                queue.append(full)
    assert wanted - reached == set()


def test_pages_speak_the_language_of_the_reader(site: Site) -> None:
    """Labels by Accept-Language or ?lang; the language of the rest is marked."""
    french = site.get("/doc/place/germany", "text/html", Accept_Language="fr;q=0.9, en;q=0.5")
    assert "Allemagne" in french.body.decode()
    assert "accept-language" in french.headers["vary"].lower()
    german = site.get("/doc/place/germany?lang=de", "text/html")
    assert "Deutschland" in german.body.decode()


def test_a_statement_shows_where_it_comes_from(site: Site) -> None:
    """The source and the lines of the passage."""
    text = site.get("/doc/project/bioxclusters-plus", "text/html").body.decode()
    assert "graph/source/bioxclusters-blog" in text
    assert re.search(r"lines? 1\d\d", text)


def test_errors_are_pages_for_people_and_problems_for_programs(site: Site) -> None:
    """404 in the form that was asked for; nothing of the inside is told."""
    page = site.get("/doc/person/nobody", "text/html")
    assert (page.status, page.media_type) == (404, "text/html")
    problem = site.get("/doc/person/nobody", "application/json")
    assert (problem.status, problem.media_type) == (404, "application/problem+json")
    assert json.loads(problem.body)["status"] == 404
    for response in (page, problem):
        assert b"Traceback" not in response.body


# -- other portals -----------------------------------------------------------------------------


def graph_of(response: Response, fmt: rdf.RdfFormat) -> set[ox.Triple]:
    """The triples of a document, graph names dropped, blank nodes in canonical form (RDFC-1.0)."""
    quads = rdf.parse(response.body, fmt, base="x:", name="document")
    merged = ox.Dataset(ox.Quad(t.subject, t.predicate, t.object) for t in rdf.triples(quads))
    merged.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {quad.triple for quad in merged}


def test_every_iri_dereferences_in_every_format(site: Site, shipped: ClusterGraph) -> None:
    """All formats say the same."""
    rows = shipped.select(
        "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX void: <http://rdfs.org/ns/void#> "
        "SELECT DISTINCT ?x { { ?x ?p ?o } UNION { ?s ?x ?o } UNION { ?s ?p ?x } "
        "UNION { GRAPH ?x { ?s ?p ?o } } FILTER(isIRI(?x) "
        f"&& STRSTARTS(STR(?x), '{site.base}')) "
        "MINUS { ?service dcat:endpointURL|dcat:endpointDescription ?x } "  # answer as they do
        "MINUS { ?file dcat:accessURL|dcat:downloadURL ?x } "
        "MINUS { ?dataset void:dataDump ?x } }"
    )
    paths = sorted({site.local(row["x"].value) for row in rows})
    assert len(paths) > 800
    for number, path in enumerate(paths):
        turtle = site.follow(path, "text/turtle")
        assert (turtle.status, turtle.media_type) == (200, "text/turtle"), path
        expected = {
            str(quad.triple) for quad in rdf.parse(turtle.body, rdf.TURTLE, base="x:", name=path)
        }
        assert expected, path
        if number % 25 and not path.startswith(("/ontology", "/shapes", "/scheme", "/dataset")):
            continue
        canonical = None
        for fmt in FORMATS.values():
            response = site.follow(path, fmt.media_type)
            assert (response.status, response.media_type) == (200, fmt.media_type), path
            found = graph_of(response, fmt)
            assert canonical is None or found == canonical, f"{path} as {fmt.name}"
            canonical = found
        assert site.follow(path, "text/html").media_type == "text/html", path


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/turtle", "text/turtle"),
        ("application/ld+json", "application/ld+json"),
        (
            'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"',
            "application/ld+json",
        ),
        ("text/turtle;charset=utf-8", "text/turtle"),
        ("application/rdf+xml;q=0.5, text/turtle;q=0.4", "application/rdf+xml"),
        ("text/html;q=0, */*;q=0.1, application/n-quads;q=0.2", "application/n-quads"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "text/html"),
        ("application/trig, */*;q=0.1", "application/trig"),
        ("", None),
    ],
)
def test_content_negotiation(site: Site, accept: str, expected: str | None) -> None:
    """RFC 9110: weights, exclusion, wildcards, parameters."""
    response = site.get("/doc/organisation/biocat", accept)
    assert response.status == 200
    assert expected is None or response.media_type == expected
    assert "accept" in response.headers["vary"].lower()


def test_what_cannot_be_given_is_406_with_the_alternatives(site: Site) -> None:
    """So that the client can choose."""
    response = site.get("/doc/organisation/biocat", "image/png")
    assert response.status == 406
    assert b"turtle" in response.body
    excluded = site.get("/doc/organisation/biocat", "*/*;q=0")
    assert excluded.status == 406


def test_things_redirect_and_documents_cache(site: Site) -> None:
    """303 from the thing; ETag, 304, HEAD, OPTIONS, CORS, links on the document."""
    thing = site.get("/id/organisation/biocat", "text/turtle")
    assert thing.status == 303
    assert thing.headers["location"].endswith("/doc/organisation/biocat")
    assert site.get("/id/organisation/nobody", "text/turtle").status == 404
    document = site.get("/doc/organisation/biocat", "text/turtle")
    etag = document.headers["etag"]
    again = site.get("/doc/organisation/biocat", "text/turtle", If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")
    assert "accept" in again.headers["vary"].lower()
    other = site.get("/doc/organisation/biocat", "application/n-triples", If_None_Match=etag)
    assert other.status == 200
    assert other.headers["etag"] != etag
    head = site.get("/doc/organisation/biocat", "text/turtle", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == etag
    options = site.get("/doc/organisation/biocat", method="OPTIONS", Origin="https://a.example")
    assert options.status in {200, 204}
    assert "GET" in options.headers["allow"]
    assert document.headers["access-control-allow-origin"] == "*"
    assert 'rel="alternate"' in document.headers["link"]
    assert site.get("/doc/organisation/biocat", method="DELETE").status == 405


def test_links_come_from_configuration(site: Site) -> None:
    """Never from the Host header."""
    response = site.get("/id/organisation/biocat", "text/html", Host="evil.example")
    assert "evil" not in str(response.headers) + response.body.decode()
    page = site.get("/doc/organisation/biocat", "text/html", Host="evil.example")
    assert "evil" not in str(page.headers) + page.body.decode()


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "/doc//evil.example",
        "/id/%0d%0aLocation:%20x",
        "/%ff%fe",
        "/id/a/..%2f..",
        "/doc/x/%00",
    ],
)
def test_odd_addresses_are_4xx(site: Site, path: str) -> None:
    """And lead nowhere else."""
    response = site.get(path, "text/html")
    assert 400 <= response.status < 500
    assert "location" not in response.headers


def test_security_headers(site: Site) -> None:
    """On pages and on data."""
    page = site.get("/", "text/html")
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    for response in (page, site.get("/doc/organisation/biocat", "text/turtle")):
        assert response.headers["x-content-type-options"] == "nosniff"


# -- researchers -------------------------------------------------------------------------------

QUERY = """SELECT ?name {
  ?s a <http://xmlns.com/foaf/0.1/Person> ; <http://xmlns.com/foaf/0.1/name> ?name
} ORDER BY ?name"""


def ask(site: Site, query: str, accept: str = "*/*", **parameters: str) -> Response:
    """A query by GET."""
    return site.get("/sparql?" + urllib.parse.urlencode({"query": query, **parameters}), accept)


@pytest.mark.parametrize("fmt", rdf.RESULTS_FORMATS, ids=lambda fmt: fmt.suffix)
def test_sparql_answers_in_every_results_format(site: Site, fmt: rdf.ResultsFormat) -> None:
    """Eleven persons, by Accept."""
    response = ask(site, QUERY, fmt.media_type)
    assert (response.status, response.media_type) == (200, fmt.media_type)
    if fmt is not rdf.CSV:
        rows = ox.parse_query_results(response.body, fmt.engine)
        assert isinstance(rows, ox.QuerySolutions)
        assert len(list(rows)) == 11
    else:
        assert len(response.body.splitlines()) == 12


@pytest.mark.parametrize("fmt", rdf.RDF_FORMATS, ids=lambda fmt: fmt.suffix)
def test_sparql_answers_in_every_graph_format(site: Site, fmt: rdf.RdfFormat) -> None:
    """The same triples."""
    response = ask(site, f"DESCRIBE <{site.base}id/organisation/biocat>", fmt.media_type)
    assert (response.status, response.media_type) == (200, fmt.media_type)
    assert len(graph_of(response, fmt)) > 5


def post(site: Site, body: bytes, content_type: str, path: str = "/sparql") -> Response:
    """A query by POST."""
    request = urllib.request.Request(  # noqa: S310  our own server
        site.url + path, data=body, headers={"Content-Type": content_type, "Accept": "text/csv"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return Response(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )
    except urllib.error.HTTPError as error:
        return Response(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def test_sparql_by_post(site: Site) -> None:
    """A form, with percent and plus; a body; bad ones."""
    form = urllib.parse.urlencode({"query": QUERY + " # 100% + a&b"}).encode()
    assert post(site, form, "application/x-www-form-urlencoded").body.count(b"\n") == 12
    assert post(site, QUERY.encode(), "application/sparql-query").body.count(b"\n") == 12
    assert post(site, QUERY.encode(), "text/plain").status == 415
    assert post(site, b"nothing=x", "application/x-www-form-urlencoded").status == 400
    update = b"INSERT DATA { <a:a> <a:b> <a:c> }"
    assert post(site, update, "application/sparql-update").status in {400, 415}
    assert post(site, update, "application/sparql-query").status == 400


def test_sparql_errors_name_the_line(site: Site) -> None:
    """And keep the CORS header, so that browsers can show them."""
    response = ask(site, "SELECT * {\n ?s ?p }", "application/json")
    assert (response.status, response.media_type) == (400, "application/problem+json")
    assert "line 2" in response.body.decode()
    assert response.headers["access-control-allow-origin"] == "*"
    assert ask(site, "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }").status == 400


def test_sparql_dataset_parameters(site: Site) -> None:
    """They win over FROM."""
    graph = f"{site.base}graph/source/bioxclusters-blog"
    query = "SELECT (COUNT(*) AS ?n) FROM <x:nothing> { ?s ?p ?o }"
    response = ask(site, query, "text/csv", **{"default-graph-uri": graph})
    (number,) = response.body.decode().split()[1:]
    assert int(number) > 1000


def test_sparqlwrapper_works(site: Site) -> None:
    """In its formats."""
    endpoint = SPARQLWrapper(site.url + "/sparql")
    endpoint.setQuery(QUERY)
    endpoint.setReturnFormat(JSON)
    assert len(endpoint.queryAndConvert()["results"]["bindings"]) == 11
    endpoint.setReturnFormat(XML)
    assert len(endpoint.queryAndConvert().getElementsByTagName("result")) == 11
    endpoint.setReturnFormat(CSV)
    assert endpoint.queryAndConvert().count(b"\n") == 12
    endpoint.setQuery(f"CONSTRUCT WHERE {{ <{site.base}id/organisation/biocat> ?p ?o }}")
    for form in (TURTLE, N3):  # each of their names for it is understood
        endpoint.setReturnFormat(form)
        assert rdflib.Graph().parse(data=endpoint.queryAndConvert(), format="turtle")


def test_another_endpoint_is_asked_like_our_own_store(site: Site) -> None:
    """Typed rows, triples, and errors in our words."""
    remote = RemoteStore(site.url + "/sparql")
    assert len(store.select(remote, QUERY)) == 11
    assert store.ask(remote, "ASK { ?s ?p ?o }")
    text = f"CONSTRUCT WHERE {{ <{site.base}id/organisation/biocat> ?p ?o }}"
    assert len(list(store.construct(remote, text))) > 5
    with pytest.raises(QueryError, match="refuses the text"):
        store.ask(remote, "ASK { ?s ?p }")
    remote.close()
    with pytest.raises(StoreError, match="cannot be reached"):
        store.ask(RemoteStore(f"http://127.0.0.1:{free_port()}/sparql"), "ASK { ?s ?p ?o }")


def test_rdflib_sparqlstore_works(site: Site) -> None:
    """As a graph, by pattern and by query."""
    remote = rdflib.Graph(SPARQLStore(site.url + "/sparql"))
    thing = rdflib.URIRef(f"{site.base}id/organisation/biocat")
    assert len(list(remote.triples((thing, None, None)))) > 5
    assert len(list(remote.query(QUERY))) == 11


def test_the_service_describes_itself(site: Site) -> None:
    """RDF without a query; a page for browsers."""
    response = site.get("/sparql", "text/turtle")
    assert response.media_type == "text/turtle"
    graph = rdflib.Graph().parse(data=response.body, format="turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    assert list(graph.subjects(rdflib.RDF.type, sd.Service))
    page = site.get("/sparql", "text/html").body.decode()
    assert "<textarea" in page
    assert "/query/competency-q06" in page or "competency" in page


def test_stored_queries_are_pages_and_calls(site: Site) -> None:
    """With typed parameters."""
    response = site.get("/query/competency-q01", "text/csv")
    assert response.body.decode().splitlines()[1] == "6,business development agreement"
    assert site.get("/query/competency-q01", "text/html").media_type == "text/html"
    wrong = site.get("/query/competency-q01?agreement=a%20b", "application/json")
    assert wrong.status == 400
    assert site.get("/query/nothing").status == 404
