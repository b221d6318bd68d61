"""A running server, as programs that others wrote find, harvest and query it."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import extruct
import pytest
import rdflib
from rdflib.namespace import DCAT, RDF, VOID
from signposting import find_signposting_http, find_signposting_linkset
from SPARQLWrapper import JSON, SPARQLWrapper
from tests.test_site import free_port

from clustergraph import scaffold

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server under the base of its own address, with files."""
    folder = tmp_path_factory.mktemp("foreign") / "example"
    url = f"http://127.0.0.1:{(port := free_port())}/"
    scaffold.init(folder, title="Example", base=url)
    command = [sys.executable, "-m", "clustergraph", "--project", str(folder)]
    environment = os.environ | {"CG_LOG": "false"}
    subprocess.run([*command, "build"], check=True, env=environment, capture_output=True)
    subprocess.run([*command, "dump"], check=True, env=environment, capture_output=True)
    serving = [*command, "serve", "--port", str(port)]
    with subprocess.Popen(serving, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    urllib.request.urlopen(f"{url}ready").close()  # noqa: S310  ours
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def read(address: str, **headers: str) -> bytes:
    """What stands at an address."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(address, headers=named)) as answer:  # noqa: S310
        found: bytes = answer.read()
    return found


def test_rdflib_harvests(url: str) -> None:
    """Catalogue to dataset to files; a thing by its IRI; the counts are those of what it read."""
    catalog = rdflib.Graph().parse(f"{url}catalog")
    (dataset,) = catalog.objects(rdflib.URIRef(f"{url}catalog"), DCAT.dataset)
    void = rdflib.Graph().parse(f"{url}.well-known/void")
    (dump,) = [
        each for each in catalog.objects(None, DCAT.downloadURL) if str(each).endswith(".nt.gz")
    ]
    data = rdflib.Graph().parse(data=gzip.decompress(read(str(dump))), format="nt")
    assert len(data) == int(void.value(dataset, VOID.triples))
    assert len(set(data.predicates())) == int(void.value(dataset, VOID.properties))
    thing = rdflib.URIRef(f"{url}id/organisation/example-cluster")
    assert len(rdflib.Graph().parse(str(thing))) >= len(list(data.triples((thing, None, None))))
    merged = rdflib.Dataset(default_union=True)
    merged.parse(data=gzip.decompress(read(str(dump).replace(".nt.", ".trig."))), format="trig")
    assert len(set(merged.triples((None, None, None)))) == len(data)


def test_sparqlwrapper_queries(url: str) -> None:
    """The endpoint that the catalogue names counts what the dump holds."""
    catalog = rdflib.Graph().parse(f"{url}catalog")
    service = next(
        each for each in catalog.subjects(RDF.type, DCAT.DataService) if "sparql" in str(each)
    )
    endpoint = SPARQLWrapper(str(catalog.value(service, DCAT.endpointURL)))
    endpoint.setQuery("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    endpoint.setReturnFormat(JSON)
    rows = endpoint.queryAndConvert()["results"]["bindings"]
    dump = gzip.decompress(read(f"{url}dump/latest/example.nt.gz"))
    assert int(rows[0]["n"]["value"]) == dump.count(b"\n")


def test_a_signposting_parser_follows(url: str) -> None:
    """From the page to what it is about, its descriptions, its files, and the linkset."""
    thing = find_signposting_http(f"{url}doc/organisation/example-cluster.html")
    assert str(thing.citeAs.target) == f"{url}id/organisation/example-cluster"
    for each in thing.describedBy:
        assert each.target.startswith(url)
        read(each.target, Accept=each.type)
    (link,) = thing.linksets
    found = find_signposting_linkset(link.target, acceptType="application/linkset+json")
    of_page = found.for_context(f"{url}doc/organisation/example-cluster")
    assert {str(each.target) for each in of_page.describedBy} == {
        str(each.target) for each in thing.describedBy
    }
    dataset = find_signposting_http(thing.collection.target)
    assert len(dataset.items) == 6


def test_extruct_reads_the_markup(url: str) -> None:
    """As crawlers for datasets do."""
    page = read(url, Accept="text/html").decode()
    (dataset,) = extruct.extract(page, syntaxes=["json-ld"])["json-ld"]
    for each in dataset["distribution"]:
        assert read(each["contentUrl"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_resumes(url: str, tmp_path: Path) -> None:
    """A download that broke off goes on, and is whole."""
    whole = read(f"{url}dump/latest/example.trig.zst")
    (tmp_path / "example.trig.zst").write_bytes(whole[:777])
    subprocess.run(
        ["curl", "-fsS", "-C", "-", "-O", f"{url}dump/latest/example.trig.zst"],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    assert (tmp_path / "example.trig.zst").read_bytes() == whole
    subprocess.run(
        ["curl", "-fsS", "-O", f"{url}dump/latest/SHA256SUMS"],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    sums = (tmp_path / "SHA256SUMS").read_text()
    assert f"{hashlib.sha256(whole).hexdigest()}  example.trig.zst" in sums
