"""Run the W3C tests of SPARQL 1.1 on a server: ``w3c_sparql.py rdf-tests/sparql/sparql11 URL``.

Query evaluation, update evaluation, syntax and results formats. The server is one of ``clustergraph
init --bare``; a token that may do everything stands in the environment variable TOKEN. Federated
queries and entailment are left out; LOAD counts as a failure.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import rdflib
from rdflib import RDF, RDFS, Namespace, URIRef

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
FORMATS = {
    ".srx": ox.QueryResultsFormat.XML, ".srj": ox.QueryResultsFormat.JSON,
    ".tsv": ox.QueryResultsFormat.TSV,
}  # fmt: skip


class Server:
    """A SPARQL server with update."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token
        self._held = ""

    def send(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        """POST; status and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named)  # noqa: S310  by hand
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310  as above
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def query(self, text: str, accept: str) -> tuple[int, bytes]:
        """Ask."""
        return self.send(
            "/sparql", text.encode(), Content_Type="application/sparql-query", Accept=accept
        )

    def update(self, text: str, using: str = "") -> tuple[int, bytes]:
        """Change."""
        self._held = ""
        return self.send(
            "/update" + using, text.encode(), Content_Type="application/sparql-update",
            Authorization=f"Bearer {self.token}",
        )  # fmt: skip

    def load(self, dataset: ox.Store) -> None:
        """Let it hold a dataset and nothing else, if it does not yet."""
        pieces = ["DROP ALL ;"]
        pieces += [f"CREATE SILENT GRAPH {graph} ;" for graph in dataset.named_graphs()]
        pieces.append("INSERT DATA {")
        for quad in sorted(dataset, key=str):
            triple = f"{quad.subject} {quad.predicate} {quad.object} ."
            named = not isinstance(quad.graph_name, ox.DefaultGraph)
            pieces.append(f"GRAPH {quad.graph_name} {{ {triple} }}" if named else triple)
        text = "\n".join([*pieces, "}"])
        if text == self._held:
            return
        status, body = self.update(text)
        if status != 200:
            raise RuntimeError(f"loading: {status} {body[:300]!r}")
        self._held = text

    def content(self) -> ox.Store:
        """What it holds."""
        store = ox.Store()
        for text, wrap in (
            ("CONSTRUCT WHERE { ?s ?p ?o }", None),
            ("SELECT DISTINCT ?g { GRAPH ?g {} }", "g"),
        ):
            if wrap is None:
                _status, body = self.query(text, "application/n-triples")
                store.load(body, ox.RdfFormat.N_TRIPLES)
                continue
            _status, body = self.query(text, "application/sparql-results+json")
            for row in ox.parse_query_results(body, ox.QueryResultsFormat.JSON):
                graph = row["g"]
                store.add_graph(graph)
                inner = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH {graph} {{ ?s ?p ?o }} }}"
                _status, body = self.query(inner, "application/n-triples")
                store.load(body, ox.RdfFormat.N_TRIPLES, to_graph=graph)
        return store


def path_of(node: object) -> Path:
    """The file that a node of a manifest names."""
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(str(node)).path))


def load(store: ox.Store, node: object, graph: str | None = None) -> None:
    """Read a file of the suite into a store."""
    path = path_of(node)
    fmt = ox.RdfFormat.from_extension(path.suffix[1:])
    target = ox.NamedNode(graph) if graph else ox.DefaultGraph()
    store.load(path=str(path), format=fmt, base_iri=str(node), to_graph=target)


def dataset(graph: rdflib.Graph, node: rdflib.term.Node, space: Namespace) -> ox.Store:
    """The dataset that a test starts from, or ends in."""
    store = ox.Store()
    for each in graph.objects(node, space.data):
        load(store, each)
    for each in graph.objects(node, space.graphData):
        named = graph.value(each, RDFS.label)
        file = graph.value(each, space.graph) or graph.value(each, space.data) or each
        load(store, file, str(named or file))
    return store


def canonical(quads: object) -> list[str]:
    """Quads up to the names of blank nodes and the ways to write a number."""
    store = ox.Store()
    store.extend(quads)
    found = ox.Dataset(store)
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, found))


def as_graph(results: object) -> object:
    """Solutions as a graph in which each is a blank node; a boolean as itself."""
    if isinstance(results, ox.QueryBoolean):
        return bool(results)
    quads = []
    names = [each.value for each in results.variables]
    for row in results:
        node = ox.BlankNode()
        quads.append(ox.Quad(node, ox.NamedNode(RS + "row"), ox.Literal("")))
        for name in names:
            if row[name] is not None:
                quads.append(ox.Quad(node, ox.NamedNode(RS + name), row[name]))
    return sorted(names), canonical(quads)


def in_turtle(graph: rdflib.Graph) -> object:
    """A result set that is written as RDF."""
    space = Namespace(RS)
    (node,) = graph.subjects(RDF.type, space.ResultSet)
    boolean = graph.value(node, space.boolean)
    if boolean is not None:
        return bool(boolean.toPython())
    quads = []
    for solution in graph.objects(node, space.solution):
        row = ox.BlankNode()
        quads.append(ox.Quad(row, ox.NamedNode(RS + "row"), ox.Literal("")))
        for binding in graph.objects(solution, space.binding):
            name, value = graph.value(binding, space.variable), graph.value(binding, space.value)
            (term,) = ox.parse(
                f"<x:> <x:> {value.n3()} .", ox.RdfFormat.N_TRIPLES, without_named_graphs=True
            )
            quads.append(ox.Quad(row, ox.NamedNode(RS + str(name)), term.object))
    return sorted(str(each) for each in graph.objects(node, space.resultVariable)), canonical(quads)


def answers(server: Server, text: str, expected: Path) -> bool:
    """Whether a query is answered as a file says."""
    if expected.suffix == ".csv":
        status, body = server.query(text, "text/csv")
        rows = [list(csv.reader(io.StringIO(each))) for each in
                (body.decode(), expected.read_text(encoding="utf-8"))]  # fmt: skip
        plain = [
            [each[0], Counter(tuple("_" if v.startswith("_:") else v for v in r) for r in each[1:])]
            for each in rows
        ]
        return status == 200 and plain[0] == plain[1]
    if expected.suffix in FORMATS:
        fmt = FORMATS[expected.suffix]
        status, body = server.query(text, fmt.media_type)
        wanted = ox.parse_query_results(expected.read_bytes(), fmt)
        return status == 200 and as_graph(ox.parse_query_results(body, fmt)) == as_graph(wanted)
    graph = rdflib.Graph().parse(expected)
    if (None, RDF.type, URIRef(RS + "ResultSet")) in graph:
        _status, body = server.query(text, "application/sparql-results+json")
        return as_graph(ox.parse_query_results(body, FORMATS[".srj"])) == in_turtle(graph)
    _status, body = server.query(text, "application/n-triples")
    store = ox.Store()
    load(store, expected.as_uri())
    return canonical(ox.parse(body, ox.RdfFormat.N_TRIPLES)) == canonical(store)


def run(server: Server, graph: rdflib.Graph, test: rdflib.term.Node) -> bool | None:
    """Run a test; None if it is of another kind."""
    kind = graph.value(test, RDF.type)
    action, result = graph.value(test, MF.action), graph.value(test, MF.result)
    if kind in {MF.QueryEvaluationTest, MF.CSVResultFormatTest}:
        query = graph.value(action, QT.query)
        text = f"BASE <{query}>\n{path_of(query).read_text(encoding='utf-8')}"
        server.load(dataset(graph, action, QT))
        return answers(server, text, path_of(result))
    if kind == MF.UpdateEvaluationTest:
        request = graph.value(action, UT.request)
        server.load(dataset(graph, action, UT))
        server.update(f"BASE <{request}>\n{path_of(request).read_text(encoding='utf-8')}")
        wanted, found = dataset(graph, result, UT), server.content()
        return canonical(wanted) == canonical(found)
    positive = "Positive" in str(kind)
    if "SyntaxTest" not in str(kind):
        return None
    ask = server.update if "Update" in str(kind) else lambda text: server.query(text, "*/*")
    status, _body = ask(path_of(action).read_text(encoding="utf-8"))
    return status == (200 if positive else 400)


def main() -> int:
    """Run all tests below a folder; 1 if any fails."""
    server = Server(sys.argv[2], os.environ.get("TOKEN", ""))
    passed = failed = 0
    for manifest in sorted(Path(sys.argv[1]).resolve().glob("*/manifest.ttl")):
        if manifest.parent.name in {"service", "entailment", "syntax-fed"}:
            continue
        graph = rdflib.Graph().parse(manifest, publicID=manifest.as_uri())
        for test in sorted(set(graph.subjects(MF.action, None))):
            try:
                outcome = run(server, graph, test)
            except (OSError, ValueError, SyntaxError, RuntimeError, TypeError) as error:
                outcome = False
                print("    ", repr(error)[:300])
            if outcome is None:
                continue
            passed, failed = passed + outcome, failed + (not outcome)
            if not outcome:
                print("FAIL", manifest.parent.name, graph.value(test, MF.name), flush=True)
    print(f"{passed} of {passed + failed} passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
