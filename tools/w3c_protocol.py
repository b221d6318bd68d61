"""Run the W3C tests of the protocols: ``w3c_protocol.py rdf-tests/sparql/sparql11 URL``.

SPARQL Protocol, Graph Store Protocol and Service Description. The server is one of ``clustergraph
init --bare``; a token that may do everything stands in the environment variable TOKEN.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import rdflib
from rdflib import RDF, RDFS, Namespace
from rdflib.collection import Collection

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
STATUSES = {
    "OK": {200}, "Created": {201}, "NoContent": {204}, "NotFound": {404},
    **{f"StatusCode{n}xx": set(range(n * 100, n * 100 + 100)) for n in (2, 3, 4)},
}  # fmt: skip
FORMATS = {
    "boolean": {"application/sparql-results+json", "application/sparql-results+xml"},
    "tabular": {"application/sparql-results+json", "application/sparql-results+xml", "text/csv",
                "text/tab-separated-values"},
    "RDF": {"text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"},
}  # fmt: skip
RANGES = {
    SD.defaultDataset: SD.Dataset, SD.availableGraphs: SD.GraphCollection,
    SD.defaultGraph: SD.Graph, SD.namedGraph: SD.NamedGraph, SD.graph: SD.Graph,
    SD.supportedLanguage: None, SD.feature: None, SD.resultFormat: None, SD.inputFormat: None,
    SD.extensionFunction: SD.Function, SD.name: None, SD.endpoint: None,
}  # fmt: skip
"""The properties of a description, and the class of what they lead to, where it must be told."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()


class Server:
    """A server, asked as the manifests say."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """One request with exactly these headers, and the token."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=120)
        try:
            connection.request(
                method, path, body, {**headers, "Authorization": f"Bearer {self.token}"}
            )
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def clear(self) -> None:
        """Let it hold nothing."""
        answer = self.send(
            "POST", "/update", {"Content-Type": "application/sparql-update"}, b"DROP ALL"
        )
        if answer.status != 200:
            raise RuntimeError(f"clearing: {answer.status} {answer.body[:300]!r}")


def headers_of(graph: rdflib.Graph, node: rdflib.term.Node) -> dict[str, str]:
    """The headers of a request or a response, by names in small letters."""
    found = graph.value(node, HT.headers)
    return {
        str(graph.value(each, HT.fieldName)).lower(): str(graph.value(each, HT.fieldValue))
        for each in (Collection(graph, found) if found else ())
    }


def body_of(graph: rdflib.Graph, node: rdflib.term.Node) -> bytes | None:
    """The body of a request or a response, in its encoding."""
    body = graph.value(node, HT.body)
    if body is None:
        return None
    encoding = str(graph.value(body, CNT.characterEncoding) or "UTF-8")
    return str(graph.value(body, CNT.chars)).replace('\\"', '"').encode(encoding)


def address(path: str, headers: Mapping[str, str], body: bytes | None) -> str:
    """Where a request of the manifests goes here."""
    if path.startswith("/gsp"):
        return "/graphs" + path.removeprefix("/gsp")
    query = path.partition("?")[2]
    update = (
        "sparql-update" in headers.get("content-type", "")
        or (body or b"").startswith(b"update=")
        or "using-" in query
        or query.startswith("update=")
    )
    return ("/update" if update else "/sparql") + (f"?{query}" if query else "")


def canonical(body: bytes, base: str) -> ox.Dataset:
    """A Turtle document up to the names of its blank nodes."""
    found = ox.Dataset(ox.parse(body, ox.RdfFormat.TURTLE, base_iri=base))
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return found


def faults(graph: rdflib.Graph, response: rdflib.term.Node, answer: Answer) -> Iterator[str]:
    """How an answer differs from what is expected."""
    allowed: set[int] = set()
    for each in graph.objects(response, MF.expectedStatus):
        allowed |= STATUSES[str(each).rpartition("#")[2]]
    if allowed and answer.status not in allowed:
        yield f"status {answer.status}, expected {min(allowed)}: {answer.body[:200]!r}"
        return
    kind = graph.value(response, MF.expectedFormat)
    if kind is not None and answer.media_type not in FORMATS[str(kind)]:
        yield f"{answer.media_type} is not {kind}"
    boolean = graph.value(response, MF.expectedBoolean)
    if boolean is not None and json.loads(answer.body)["boolean"] is not boolean.toPython():
        yield f"the answer is not {boolean}"
    expected = headers_of(graph, response).get("content-type")
    if expected and answer.media_type != expected.partition(";")[0]:
        yield f"{answer.media_type}, expected {expected}"
    if graph.value(response, MF.expectedLocation) is not None and not answer.headers.get(
        "location"
    ):
        yield "no Location"
    body = body_of(graph, response)
    base = "http://www.example/"
    if body is not None and canonical(body, base) != canonical(answer.body, base):
        yield f"another graph: {answer.body[:300]!r}"


def protocol(server: Server, graph: rdflib.Graph, test: rdflib.term.Node) -> Iterator[str]:
    """Run the requests of a test, one after the other; yields what is wrong."""
    server.clear()
    for each in graph.objects(test, UT.graphData):
        name = urllib.parse.quote(str(graph.value(each, RDFS.label)), safe="")
        path = Path(urllib.parse.urlsplit(str(graph.value(each, UT.graph))).path)
        kind = {"Content-Type": "application/n-triples"}
        server.send("PUT", f"/graphs?graph={name}", kind, path.read_bytes())
    action = graph.value(test, MF.action)
    location = ""
    for request in Collection(graph, graph.value(action, HT.requests)):
        headers, body = headers_of(graph, request), body_of(graph, request)
        path = str(graph.value(request, HT.absolutePath)).replace("$LOCATION$", location)
        method = str(graph.value(request, HT.methodName))
        answer = server.send(method, address(path, headers, body), headers, body)
        location = answer.headers.get("location", location)
        for fault in faults(graph, graph.value(request, HT.resp), answer):
            yield f"{method} {path[:80]}: {fault}"


def description(server: Server) -> Iterator[tuple[str, list[str]]]:
    """The three tests of the service description."""
    answer = server.send("GET", "/sparql", {"Accept": "text/turtle, application/rdf+xml;q=0.9"})
    found = rdflib.Graph()
    wrong = []
    try:
        found.parse(data=answer.body, format="turtle", publicID=f"{server.url}/sparql")
    except (ValueError, SyntaxError) as error:
        wrong.append(repr(error))
    yield "GET on endpoint returns RDF", wrong
    endpoints = {str(each) for each in found.objects(None, SD.endpoint)}
    named = endpoints == {f"{server.url}/sparql"}
    yield (
        "Service description contains a matching sd:endpoint triple",
        ([] if named else [f"endpoints: {endpoints}"]),
    )
    wrong = [
        f"{predicate} is no property of a description"
        for predicate in set(found.predicates())
        if str(predicate).startswith(SD) and predicate not in RANGES
    ]
    wrong += [
        f"{thing} is not said to be a {kind}"
        for predicate, kind in RANGES.items()
        for thing in set(found.objects(None, predicate))
        if kind is not None and (thing, RDF.type, kind) not in found
    ]
    wrong += [
        f"{each} has an endpoint and is no sd:Service"
        for each in found.subjects(SD.endpoint)
        if (each, RDF.type, SD.Service) not in found
    ]
    yield "Service description conforms to schema", wrong


def main() -> int:
    """Run all tests; 1 if any fails."""
    folder, server = Path(sys.argv[1]).resolve(), Server(sys.argv[2], os.environ.get("TOKEN", ""))
    outcomes = list(description(server))
    for name in (
        "protocol/manifest.ttl",
        "graph-store-protocol/manifest-direct.ttl",
        "graph-store-protocol/manifest-indirect.ttl",
    ):
        manifest = folder / name
        graph = rdflib.Graph().parse(manifest, publicID=manifest.as_uri())
        for test in sorted(set(graph.subjects(MF.action, None))):
            outcomes.append((str(graph.value(test, MF.name)), list(protocol(server, graph, test))))
    for name, wrong in outcomes:
        if wrong:
            print("FAIL", name, *wrong, sep="\n     ")
    failed = sum(bool(wrong) for _name, wrong in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
