"""Restricted graphs: planted values are seen with a token that allows it, and nowhere else."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from tests.web.conftest import Site, served
from werkzeug.test import Client

from clustergraph import rdf, scaffold
from clustergraph.releases import feed
from clustergraph.web.front import front

pytestmark = pytest.mark.alone

CANARIES = ("canary-mail", "canary-label", "canary-iri", "canary-graph", "canary-predicate")
FORMATS = ("ttl", "jsonld", "rdf", "nt", "trig", "nq", "html")


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Site]:
    """A project with a restricted file, and a restricted graph that was written over HTTP."""
    folder = tmp_path / "example"
    scaffold.init(folder, title="Example")
    restricted = folder / "data/restricted"
    restricted.mkdir()
    base = "http://127.0.0.1:8080/"
    (restricted / "contacts.trig").write_text(
        f"GRAPH <{base}graph/restricted/canary-graph> {{\n"
        f'  <{base}id/organisation/example-cluster> <http://x/canary-predicate> "canary-mail@x" .\n'
        f"  <{base}id/contact/canary-iri> "
        '<http://www.w3.org/2004/02/skos/core#prefLabel> "canary-label"@en .\n}'
    )
    for site in served(folder):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        graph = f"{base}graph/restricted/canary-graph-2"
        fact = f'<{base}id/contact/canary-iri> <http://x/p> "canary-mail"'
        why = {"Change-Message": "for canary-mail"}
        done = site.update(f"INSERT DATA {{ GRAPH <{graph}> {{ {fact} }} }}", headers=why)
        assert done.status_code == 200
        assert site.graph.release().manifest.restricted_why == "for canary-mail"
        assert site.update("INSERT DATA { <http://x/a> <http://x/p> 1 }").status_code == 200
        yield site


def addresses(site: Site) -> list[str]:
    """Every public surface, as a stranger would try it."""
    things = ("organisation/example-cluster", "contact/canary-iri", "contact")
    documents = [f"/doc/{thing}.{suffix}" for thing in things for suffix in FORMATS]
    documents += [f"/id/{thing}" for thing in things]
    documents += [f"/doc/{thing}/history" for thing in things]
    documents += [
        f"/{path}{suffix}"
        for path in (
            "graph/restricted/canary-graph", "graph/restricted/canary-graph-2", "graph/restricted",
            "graph/provenance", "graph/catalogue", "graph/inferred", "graph/curation",
            f"dataset/{site.graph.settings.slug}", "ontology", "shapes",
        )
        for suffix in ("", *(f".{each}" for each in FORMATS))
    ]  # fmt: skip
    queries = [
        "SELECT * { ?s ?p ?o }",
        "SELECT * { GRAPH ?g { ?s ?p ?o } }",
        "SELECT DISTINCT ?g { GRAPH ?g {} }",
        "SELECT * FROM <G> { ?s ?p ?o }",
        "SELECT * FROM NAMED <G> { GRAPH ?g { ?s ?p ?o } }",
        "CONSTRUCT { ?s ?p ?o } { GRAPH <G> { ?s ?p ?o } }",
        "DESCRIBE <T>",
        "ASK { GRAPH <G> { ?s ?p ?o } }",
        "SELECT (GROUP_CONCAT(STR(?o)) AS ?all) { ?s ?p ?o }",
        "SELECT * { VALUES ?g { <G> } GRAPH ?g { ?s ?p ?o } } ORDER BY",
        "SELECT * { SERVICE <G> { ?s ?p ?o } }",
        "PREFIX : <G",
    ]
    asked = [
        f"{endpoint}?query={_quoted(text)}{more}"
        for endpoint in ("/sparql", "/releases/1/sparql", "/releases/2/sparql")
        for text in queries
        for more in ("", "&format=csv", "&format=xml", "&format=turtle")
    ]
    return [
        "/", "/query", "/sparql", "/releases", "/releases?format=json", "/feed/atom", "/health",
        "/ready", "/robots.txt", "/graphs?default", "/update", "/metrics", "/validate",
        *(f"/quality{more}" for more in ("", "?format=json", "?format=csv", "/atom", "?release=1",
          "?release=2&format=json")),
        *(f"/search?q={q}{more}" for q in ("canar", "x", "mail", "labl")
          for more in ("", "&format=json", "&format=csv", "&format=ttl", "&release=1")),
        "/suggest?q=canar", "/suggest?q=cana&release=2", "/dump/", "/catalog", "/.well-known/void",
        "/sitemap.xml", "/openapi.json", "/dump/latest/", "/dump/2/", "/dump/latest/SHA256SUMS",
        "/linkset/", "/.well-known/api-catalog", "/sitemap/pages.xml", "/sitemap/1.xml",
        "/catalog?page=2", "/index.md", "/catalog.md", "/quality.md", "/search.md?q=canar",
        *(f"/catalog.{suffix}" for suffix in FORMATS),
        *(f"/linkset/doc/{thing}" for thing in things), *(f"/doc/{thing}.md" for thing in things),
        "/linkset/graph/restricted/canary-graph", "/feed/ldes", "/llms.txt",
        *matched(base=site.graph.settings.base),
        "/timemap/", "/timemap/doc/contact",
        *(f"/feed/ldes/{page}{more}" for page in _feed(site)
          for more in ("", "?format=nq", "?format=jsonld")),
        "/feed/atom?place=x:y", "/feed/atom?class=http://x/C",
        *(f"/releases/{n}{more}" for n in (1, 2, 3, 4)
          for more in ("", "?format=json", "?format=rdfp", "?from=1", "?from=1&format=rdfp")),
        *documents,
        *(f"{address}?release={n}" for address in documents[:14] for n in (1, 2)),
        *asked,
    ]  # fmt: skip


def matched(base: str) -> list[str]:
    """What a stranger asks of reconciliation and of pattern fragments."""
    terms = (f"<{base}id/contact/canary-ir", f"{base}graph/restricted/canary-grap", '"canary-mai"',
             "http://x/canary-predicat", '"canary-labe"@en')  # fmt: skip
    queries = {
        f"q{place}": {"query": term, "properties": [{"pid": "http://x/canary-predicat", "v": "x"}]}
        for place, term in enumerate((*terms, "canary", "example cluster"))
    }
    hidden = f"{base}id/contact/canary-ir"
    values = {"ids": [hidden], "properties": [{"id": "http://x/canary-predicat"}]}
    return [
        "/reconcile", "/reconcile/v1", f"/reconcile?queries={_quoted(json.dumps(queries))}",
        f"/reconcile?extend={_quoted(json.dumps(values))}",
        *(f"/reconcile/suggest/{kind}?prefix={prefix}"
          for kind in ("entity", "type", "property") for prefix in ("", "can", "c")),
        f"/reconcile/preview?id={hidden}", f"/reconcile/view?id={hidden}",
        f"/reconcile/flyout/entity?id={hidden}", "/reconcile/extend/propose?type=",
        "/fragments", *(f"/fragments?page={n}" for n in (2, 3, 4, 5)),
        *(f"/fragments?{place}={_quoted(term)}{more}" for term in terms
          for place in ("subject", "predicate", "object", "graph") for more in ("", "&release=1")),
        "/fragments?graph=urn:ldf:defaultGraph", "/fragments?graph=?g&release=2",
    ]  # fmt: skip


def _feed(site: Site) -> list[str]:
    """The pages of the change feed."""
    state = feed.state_of(site.graph.archive, site.graph.release().manifest)
    assert state is not None
    return [f"{state.epoch}/{number}" for number in range(1, state.full + 2)]


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  only here

    base = "http://127.0.0.1:8080/"
    named = text.replace("<G", f"<{base}graph/restricted/canary-gr").replace(
        "<T", f"<{base}id/contact/canary-ir"
    )
    return quote(named, safe="")


def leaks(text: str, address: str) -> list[str]:
    """The canaries in an answer, what the stranger said himself aside."""
    return [each for each in CANARIES if each in text and each[:-2] not in address]


def test_no_public_surface_knows_them(planted: Site) -> None:
    """Whatever is asked, in every format, at every release, in errors and headers too."""
    planted.graph.dumps.write()
    for address in addresses(planted):
        for accept in ("*/*", "text/html", "application/json", "text/markdown"):
            answer = planted.get(address, headers={"Accept": accept})
            whole = answer.text + str(answer.headers)
            assert not leaks(whole, address), (address, accept, answer.status_code)
            if "restricted" in address or "canary" in address:
                assert answer.status_code != 500
    for graph in ("canary-graph", "canary-graph-2", "none"):
        answer = planted.get(f"/graphs?graph={planted.iri(f'graph/restricted/{graph}')}")
        assert answer.status_code == 404


def test_validation_knows_none(planted: Site) -> None:
    """A document that asks for them, by its findings, its suggestions or its shapes, gets none."""
    base = planted.graph.settings.base
    probe = (
        f"<{base}id/contact/canary-ir> a <{base}ontology#Cluster> ; <{base}ontology#worksWith> "
        f"<{base}id/contact/canary-ir> , <{base}id/organisation/example-cluster> .\n"
        f"<{base}id/organisation/example-cluster> a <{base}ontology#Cluster> ."
    )
    shapes = (
        "@prefix sh: <http://www.w3.org/ns/shacl#> . <http://x/all> a sh:NodeShape ; sh:sparql [ "
        'sh:select "SELECT $this ?value { ?s ?p ?value }" ] ; sh:targetNode <http://x/a> .'
    )
    for body in (probe, probe + shapes):
        for query in ("", "?shapes=own"):
            for accept in ("text/plain", "text/html", "text/turtle"):
                headers = {"Content-Type": "text/turtle", "Accept": accept}
                answer = planted.client.post(f"/validate{query}", data=body, headers=headers)
                assert answer.status_code == 200, answer.text
                assert not leaks(answer.text, body), (query, accept)
    for file in ("data/restricted/contacts.trig", "data/restricted/../restricted/contacts.trig"):
        answer = planted.client.post("/validate", data={"file": file},
                                     content_type="multipart/form-data")  # fmt: skip
        assert answer.status_code == 404
        assert not leaks(answer.text, "")
    mixed = planted.graph.settings.project / "data/mixed.trig"
    mixed.write_text(f'GRAPH <{base}graph/restricted/x> {{ <{base}id/a/b> <http://x/p> "1" }}')
    assert "data/mixed.trig" not in planted.get("/validate").text
    assert "data/organisations.ttl" in planted.get("/validate").text


def test_what_changed_knows_none(planted: Site) -> None:
    """The changes since a release are those of public graphs, and so is a release's report."""
    report = planted.graph.validate(since=1)
    assert not [each for each in CANARIES if each in report.to_json() + report.to_text()]
    assert planted.graph.number() != 1  # something was written since
    stored = planted.graph.report().decode()
    assert not [each for each in CANARIES if each in stored]


def test_a_token_that_writes_does_not_see_them(planted: Site) -> None:
    """Not by copying, not by conditions, not in the report of a refusal."""
    mine = planted.iri("graph/mine")
    _made, token = planted.graph.tokens.create("mine", write=(mine,))
    hidden = planted.iri("graph/restricted/canary-graph")
    for text in (
        f"INSERT {{ GRAPH <{mine}> {{ ?s ?p ?o }} }} WHERE {{ GRAPH <{hidden}> {{ ?s ?p ?o }} }}",
        f"INSERT {{ GRAPH <{mine}> {{ ?s ?p ?o }} }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        f"INSERT {{ GRAPH <{mine}> {{ ?s ?p ?o }} }} USING <{hidden}> WHERE {{ ?s ?p ?o }}",
        f"ADD <{hidden}> TO <{mine}>",
        f"COPY SILENT <{hidden}> TO <{mine}>",
        f"DELETE WHERE {{ GRAPH <{hidden}> {{ ?s ?p ?o }} }}",
        f"DROP GRAPH <{hidden}>",
        f"INSERT DATA {{ GRAPH <{hidden}> {{ <http://x/a> <http://x/p> 1 }} }}",
    ):
        answer = planted.update(text, token=token)
        assert not leaks(answer.text, text), text
    statuses = {
        planted.send(method, f"/graphs?graph={planted.iri(name)}", token=token, data="").status_code
        for name in ("graph/restricted/canary-graph", "graph/restricted/none")
        for method in ("DELETE", "PATCH", "PUT")
    }
    assert statuses <= {403, 415}  # the same, whether the graph is there or not
    for address in (f"/graphs?graph={mine}", "/sparql?query=SELECT%20*%20{?s%20?p%20?o}"):
        assert not leaks(planted.send("GET", address, token=token).text, address)
    assert not leaks(planted.get(f"/graphs?graph={mine}").text, "")


def test_a_token_that_may_read_sees_them(planted: Site) -> None:
    """In SPARQL, on pages, in documents, in whole graphs, at earlier releases; never in a cache."""
    _made, token = planted.graph.tokens.create("reader", read=True)
    for address in (
        "/sparql?format=csv&query=SELECT%20*%20{?s%20?p%20?o}",
        "/doc/organisation/example-cluster.ttl",
        "/doc/organisation/example-cluster.html",
        f"/graphs?graph={planted.iri('graph/restricted/canary-graph')}",
        "/graph/restricted/canary-graph.trig",
        "/releases/1/sparql?format=csv&query=SELECT%20*%20{?s%20?p%20?o}",
        "/doc/contact/canary-iri.nt?release=1",
        "/fragments?subject=" + planted.iri("id/contact/canary-iri"),
        "/fragments?graph=" + planted.iri("graph/restricted/canary-graph-2") + "&release=2",
    ):
        answer = planted.send("GET", address, token=token)
        assert answer.status_code == 200, address
        assert "canary-mail" in answer.text or "canary-label" in answer.text, address
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Authorization" in answer.headers["Vary"]
        assert not leaks(planted.get(address).text, address)
    assert planted.send("GET", "/sparql", token="cg_0_0").status_code == 401  # noqa: S106  no token


def test_what_is_made_for_the_public_holds_none(planted: Site, tmp_path: Path) -> None:
    """Public stores, deltas, reports, exports and public backups, byte by byte."""
    graph = planted.graph
    graph.dumps.write()
    graph.backup(tmp_path / "backup", public=True)
    public = [
        path
        for path in [*(tmp_path / "backup").rglob("*"), *graph.archive.folder.rglob("*")]
        if path.is_file()
        and "full" not in path.parts
        and not path.name.startswith("restricted-")
        and (path.name != "manifest.json" or tmp_path / "backup" in path.parents)
    ]
    assert len(public) > 40
    assert len([path for path in public if "dumps" in path.parts]) > 12
    for path in public:
        content = path.read_bytes()
        content += gzip.decompress(content) if path.suffix == ".gz" else b""
        if path.suffix == ".zst":
            content += zstandard.ZstdDecompressor().decompressobj().decompress(content)
        assert not [each for each in CANARIES if each.encode() in content], path
    for fmt in rdf.RDF_FORMATS:
        assert not leaks(b"".join(graph.export(fmt)).decode(), "")


def test_caches_logs_and_metrics_know_none(planted: Site) -> None:
    """What a reader with a token was given is not kept for anybody else, nor written down."""
    _made, token = planted.graph.tokens.create("reader", read=True)
    log = io.StringIO()
    client = Client(front(planted.graph, log=log))
    address = "/sparql?format=csv&query=SELECT%20*%20{?s%20?p%20?o}"
    headers = {"Authorization": f"Bearer {token}"}
    local = {"REMOTE_ADDR": "127.0.0.1"}
    for _ in range(2):
        seen = client.get(address, headers=headers, buffered=True)
        assert "canary-mail" in seen.text
        assert "Cache-Status" not in seen.headers
        assert not leaks(client.get(address, buffered=True).text, "")
    assert not leaks(client.get("/metrics", environ_base=local).text, "")
    assert not leaks(log.getvalue(), "")
    assert token not in log.getvalue()
