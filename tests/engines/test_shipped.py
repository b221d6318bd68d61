"""The project that comes with the program, served from each engine: as from the store inside."""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient
from tests.engines.conftest import Place
from tests.engines.servers import free_port

from clustergraph import rdf, settings, sparql
from clustergraph.releases.candidate import PUBLIC
from clustergraph.releases.carrying import FINDINGS
from clustergraph.service import ClusterGraph
from clustergraph.store import Backend
from clustergraph.store.embedded import EmbeddedStore
from clustergraph.web.app import create_app

_PAGES = [
    "/",
    "/doc/organisation/biocat.html",
    "/doc/agreement/europe-australia-super-cluster-2016.html",
    "/scheme/certainty/stated",
    "/queries",
    "/search?q=biocat",
    "/releases",
    "/id/place/catalonia",
    "/doc/place/catalonia.ttl",
    "/doc/place/catalonia.trig",
    "/void.ttl",
    "/.well-known/void",
    "/dataset",
    "/feed",
    "/feed/atom",
    "/sitemap.xml",
    "/fragments",
    "/quality",
]


@pytest.fixture(scope="module")
def graph(engine: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterGraph]:
    """A project whose release is read from there."""
    variable = tmp_path_factory.mktemp("var")
    if engine.findings is not None:
        shutil.copy(engine.findings, variable / FINDINGS)
    found = settings.load(
        settings.default_project(), environment={}, variable=variable, **engine.settings
    )
    made = ClusterGraph(found, public=True)
    made.build()
    yield made
    made.close()


@pytest.fixture(scope="module")
def inside(graph: ClusterGraph) -> Iterator[ClusterGraph]:
    """The same releases, read from the store that comes with the program."""
    found = settings.load(
        settings.default_project(), environment={}, variable=graph.settings.variable
    )
    made = ClusterGraph(found, public=True)
    yield made
    made.close()


def test_stored_queries_give_what_they_give_inside(graph: ClusterGraph) -> None:
    """Stored queries give what they give inside."""
    release = graph.release()
    local = EmbeddedStore.open(graph.archive.path(release.manifest.number) / PUBLIC)
    tried = 0
    for stored in release.queries.values():
        if any(each.default is None for each in stored.parameters):
            continue
        query = sparql.parse(stored.bound({}, graph.settings.base))
        assert answered(release.store, query) == answered(local, query), stored.name
        tried += 1
    assert tried > 15


def answered(backend: Backend, query: sparql.Query) -> Any:
    """The answer to a query, without an order."""
    if query.form.is_graph:
        content = b"".join(backend.answer(query, rdf.N_TRIPLES))
        return set(map(str, ox.parse(content, rdf.N_TRIPLES.engine)))
    if query.form is sparql.Form.ASK:
        return json.loads(b"".join(backend.answer(query, rdf.JSON)))["boolean"]
    rows = backend.select(query)
    return collections.Counter(
        tuple(sorted((name, str(term)) for name, term in row.items())) for row in rows
    )


def test_pages_are_those_from_inside(graph: ClusterGraph, inside: ClusterGraph) -> None:
    """Pages are those from inside."""
    here, there = create_app(inside).test_client(), create_app(graph).test_client()
    for address in _PAGES:
        expected, found = lines(here, address), lines(there, address)
        assert found[0] == expected[0], address
        more, less = set(found[1]) - set(expected[1]), set(expected[1]) - set(found[1])
        assert (more, less) == (set(), set()), address


def lines(client: FlaskClient, address: str) -> tuple[int, list[str]]:
    """Status and lines of a page, without an order."""
    response = client.get(address, headers={"Accept": "text/html, */*;q=0.1"})
    return response.status_code, sorted(response.get_data(as_text=True).splitlines())


def test_names_are_matched_and_dumps_written(graph: ClusterGraph) -> None:
    """Names are matched and dumps written."""
    content = b"".join(graph.export(rdf.N_QUADS))
    assert content.count(b"\n") == graph.release().manifest.quads
    client = create_app(graph).test_client()
    body = {"queries": json.dumps({"q": {"query": "Biocat"}})}
    assert b"biocat" in client.post("/reconcile", data=body).get_data()


def test_it_is_served_over_http(graph: ClusterGraph, engine: Place) -> None:
    """It is served over http."""
    port = free_port()
    names = {f"CG_{name.upper()}": str(value) for name, value in engine.settings.items()}
    environment = os.environ | names | {"CG_VAR": str(graph.settings.variable)}
    project = str(graph.settings.project)
    command = [sys.executable, "-m", "clustergraph", "--project", project, "serve"]
    with subprocess.Popen(
        [*command, "--port", str(port)], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert "Serving" in process.stdout.readline()
            query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
            address = f"http://127.0.0.1:{port}/sparql?" + urllib.parse.urlencode({"query": query})
            request = urllib.request.Request(address, headers={"Accept": "text/csv"})
            with urllib.request.urlopen(request, timeout=30) as response:
                number = int(response.read().split()[1])
                assert response.headers["ETag"]
            assert number == graph.release().manifest.triples
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
                page = response.read().decode()
            assert graph.settings.title in page
            secret = str(engine.settings.get("store_password", ""))
            assert not secret or f'"{secret}"' not in page
        finally:
            process.terminate()
            process.wait(30)


def test_the_folder_is_small_and_known(graph: ClusterGraph) -> None:
    """The folder is small and known."""
    names = {each.name for each in Path(graph.settings.variable).iterdir()}
    assert FINDINGS in names
    content = (graph.settings.variable / FINDINGS).read_text(encoding="utf-8")
    assert "password" not in content
