"""Catalogue and VoID: valid, the same in every format, in pages that end, and true to the data."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import extruct
import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF, VOID
from tests.web.conftest import Site, served

from clustergraph import rdf, scaffold
from clustergraph.service import ClusterGraph
from clustergraph.web import catalog
from clustergraph.web.app import create_app

SHAPES = Path(__file__).resolve().parent.parent / "data/dcat-ap"
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")


def graph(site: Site, address: str) -> rdflib.Graph:
    """What stands at an address."""
    found = site.get(address, headers={"Accept": "text/turtle"})
    assert found.status_code == 200, found.text
    return rdflib.Graph().parse(data=found.data, format="turtle")


def violations(data: rdflib.Graph, name: str) -> list[str]:
    """What the shapes of DCAT-AP say against it."""
    shapes = rdflib.Graph().parse(SHAPES / f"{name}.ttl", format="turtle")
    _conforms, report, _text = pyshacl.validate(data, shacl_graph=shapes, allow_warnings=True)
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    return [
        f"{report.value(each, sh.focusNode)} {report.value(each, sh.resultPath)} "
        f"{report.value(each, sh.resultMessage)}"
        for each in report.subjects(sh.resultSeverity, sh.Violation)
    ]


@pytest.fixture
def dumped(site: Site) -> Site:
    """A site that has files too."""
    site.graph.dumps.write()
    return site


@pytest.mark.parametrize("name", ["shapes", "range"])
def test_it_validates(dumped: Site, name: str) -> None:
    """By the shapes of SEMIC, with the classes of values; and they do find what is missing."""
    data = graph(dumped, "/catalog")
    assert violations(data, name) == []
    data.remove((None, DCTERMS.title, None))
    data.remove((None, RDF.type, DCTERMS.LicenseDocument))
    data.remove((None, RDF.type, DCTERMS.MediaType))
    assert violations(data, name)


def test_the_shipped_one_validates(shipped: ClusterGraph) -> None:
    """With many languages and terms."""
    site = Site(shipped, create_app(shipped).test_client())
    assert violations(graph(site, "/catalog"), "shapes") == []
    assert violations(graph(site, "/catalog"), "range") == []


def test_an_empty_one_validates(tmp_path: Path) -> None:
    """That of a store of which nothing is computed."""
    scaffold.init(tmp_path / "plain", bare=True)
    for site in served(tmp_path / "plain"):
        for name in ("shapes", "range"):
            assert violations(graph(site, "/catalog"), name) == []


@pytest.mark.parametrize("address", ["/catalog", "/.well-known/void"])
def test_every_format_says_the_same(dumped: Site, address: str) -> None:
    """Without blank nodes, in one order."""
    seen = set()
    for fmt in rdf.RDF_FORMATS:
        found = dumped.get(address, headers={"Accept": fmt.media_type})
        assert found.mimetype == fmt.media_type
        triples = frozenset(quad.triple for quad in ox.parse(found.data, fmt.engine))
        assert not [each for each in triples if any(isinstance(t, ox.BlankNode) for t in each)]
        seen.add(triples)
        assert dumped.get(address, headers={"Accept": fmt.media_type}).data == found.data
        if address == "/catalog":
            assert dumped.get(f"/catalog.{fmt.suffix}").data == found.data
    assert len(seen) == 1


def test_files_are_described(dumped: Site) -> None:
    """As they are: size, checksum, address, types."""
    data = graph(dumped, "/catalog")
    base = dumped.graph.settings.base
    found = list(data.subjects(RDF.type, DCAT.Distribution))
    assert len(found) == 12
    for each in found:
        (address,) = data.objects(each, DCAT.downloadURL)
        answer = dumped.get("/" + str(address).removeprefix(base))
        assert answer.status_code == 200
        assert int(data.value(each, DCAT.byteSize)) == len(answer.data)
        checksum = data.value(each, SPDX.checksum)
        value = data.value(checksum, SPDX.checksumValue)
        sums = dumped.get("/dump/1/SHA256SUMS").text
        assert f"{str(value).lower()}  {str(address).rsplit('/', 1)[1]}" in sums
        assert str(data.value(each, DCAT.compressFormat)).endswith(answer.mimetype)


def test_services_answer(dumped: Site) -> None:
    """What is described here is here."""
    data = graph(dumped, "/catalog")
    rules = {str(each) for each in dumped.client.application.url_map.iter_rules()}
    for service in data.objects(dumped_iri(dumped, "catalog"), DCAT.service):
        address = "/" + str(data.value(service, DCAT.endpointURL)).removeprefix(
            dumped.graph.settings.base
        )
        if address in rules:
            assert dumped.get(address).status_code in {200, 302, 303, 307, 400}, address


def dumped_iri(site: Site, path: str) -> rdflib.URIRef:
    """An IRI under the base."""
    return rdflib.URIRef(site.iri(path))


@pytest.mark.parametrize("others", [0, 1, 2, 4])
def test_pages_end(site: Site, monkeypatch: pytest.MonkeyPatch, others: int) -> None:
    """A harvester that follows hydra:next or hydra:nextPage sees each dataset once."""
    monkeypatch.setattr(catalog, "PAGE", 2)
    made = " ".join(
        f'<{site.iri(f"dataset/other-{n}")}> a <{DCAT.Dataset}> ; <{DCTERMS.title}> "O {n}"@en ; '
        f'<{DCTERMS.description}> "D"@en ; <{DCAT.contactPoint}> [] .'
        for n in range(others)
    )
    if made:
        assert site.update(f"INSERT DATA {{ {made} }}").status_code == 200
    for link in (HYDRA.next, HYDRA.nextPage):
        address, seen, pages = "/catalog", [], []
        while address:
            data = graph(site, address)
            assert violations(data, "shapes") == []
            seen += list(data.objects(dumped_iri(site, "catalog"), DCAT.dataset))
            typed = set(data.subjects(RDF.type, DCAT.Dataset))  # what CKAN and udata go by
            assert typed == set(data.objects(dumped_iri(site, "catalog"), DCAT.dataset))
            pages.append(address)
            (page,) = data.subjects(RDF.type, HYDRA.PagedCollection)
            assert int(data.value(page, HYDRA.totalItems)) == others + 1
            following = list(data.objects(page, link))
            assert len(following) <= 1
            address = str(following[0]).removeprefix("http://127.0.0.1:8080") if following else ""
            assert address not in pages
        assert len(seen) == len(set(seen)) == others + 1
        assert len(pages) == (others + 2) // 2
    assert site.get(f"/catalog?page={len(pages) + 1}").status_code == 404
    for bad in ("0", "-1", "x", "9" * 30):
        assert site.get(f"/catalog?page={bad}").status_code == 400


def counted(site: Site, text: str) -> int:
    """What a query counts."""
    answer = site.get("/sparql", query_string={"query": text, "format": "csv"})
    return int(answer.text.split()[1])


def test_all_counts_agree(dumped: Site) -> None:
    """VoID, the endpoint, the service description, the files, and the data themselves."""
    void, data = graph(dumped, "/.well-known/void"), graph(dumped, "/catalog")
    service = graph(dumped, "/sparql")
    dataset = rdflib.URIRef(dumped.graph.settings.dataset_iri)
    (node,) = set(service.subjects(VOID.classes, None))
    triples = counted(dumped, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    index = dumped.get("/dump/1/index.json").json
    nt = dumped.get(f"/dump/1/{dumped.graph.settings.stem}.nt.gz").data
    lines = gzip.decompress(nt).splitlines()
    assert len(lines) == len(set(lines)) == index["triples"]
    for told in (
        void.value(dataset, VOID.triples), data.value(dataset, VOID.triples),
        service.value(node, VOID.triples), index["triples"],
        counted(dumped, f"SELECT ?n {{ <{dataset}> <{VOID.triples}> ?n }}"),
    ):  # fmt: skip
        assert int(told) == triples
    entities = counted(dumped, "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c FILTER isIRI(?c) }")
    for each in (void, service):
        subject = dataset if each is void else node
        assert int(each.value(subject, VOID.entities)) == entities
        classes = {str(each.value(part, VOID["class"])): int(each.value(part, VOID.entities))
                   for part in each.objects(subject, VOID.classPartition)}  # fmt: skip
        assert len(classes) == int(each.value(subject, VOID.classes))
        for kind, number in classes.items():
            text = f"SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s a <{kind}> }}"
            assert counted(dumped, text) == number
        assert len(set(each.objects(subject, VOID.propertyPartition))) == int(
            each.value(subject, VOID.properties)
        )
    named = counted(dumped, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    assert named == index["quads"] == sum(dumped.graph.release().graphs.values())


def test_links_to_others_are_counted(site: Site) -> None:
    """By property and host; links within are none."""
    same = "http://www.w3.org/2002/07/owl#sameAs"
    a, b = site.iri("id/organisation/a"), site.iri("id/organisation/b")
    q = "http://www.wikidata.org/entity/Q"
    text = f"<{a}> <{same}> <{q}1>, <{q}22>, <{b}>, <https://x.example/1>, <urn:x> ."
    text += f" <urn:y> <{same}> <{q}3>"
    assert site.update(f"INSERT DATA {{ {text} }}").status_code == 200
    void = graph(site, "/.well-known/void")
    found = {
        str(void.value(void.value(each, VOID.objectsTarget), VOID.uriSpace)):
        (str(void.value(each, VOID.linkPredicate)), int(void.value(each, VOID.triples)))
        for each in void.subjects(RDF.type, VOID.Linkset)
    }  # fmt: skip
    assert found == {
        "http://www.wikidata.org/entity/": (same, 2),
        "https://x.example/": (same, 1),
    }


@pytest.mark.parametrize("address", ["/", "/catalog"])
def test_search_engines_find_the_dataset(dumped: Site, address: str) -> None:
    """The markup, as another library reads it."""
    page = dumped.get(address, headers={"Accept": "text/html"}).text
    (found,) = extruct.extract(page, syntaxes=["json-ld"])["json-ld"]
    assert found["@type"] == "Dataset"
    assert found["@id"] == dumped.graph.settings.dataset_iri
    assert len(found["distribution"]) == 12
    for each in found["distribution"]:
        path = each["contentUrl"].removeprefix(dumped.graph.settings.base)
        assert dumped.get(f"/{path}").mimetype == each["encodingFormat"][1]


def test_markup_cannot_be_left(tmp_path: Path) -> None:
    """A title that would end the element does not."""
    evil = '</script><script>alert(1)</script>"'
    scaffold.init(tmp_path / "x", title="X")
    for site in served(tmp_path / "x", title=evil):
        page = site.get("/", headers={"Accept": "text/html"}).text
        assert "<script>alert" not in page
        block = page.split('<script type="application/ld+json">')[1].split("</script>")[0]
        assert json.loads(block)["name"] == evil


def test_counts_where_the_default_graph_is_apart(tmp_path: Path) -> None:
    """VoID counts the merge, as the files do; the service description counts the default graph."""
    scaffold.init(tmp_path / "x", title="X")
    for site in served(tmp_path / "x", default_graph="separate"):
        site.graph.dumps.write()
        dataset = rdflib.URIRef(site.graph.settings.dataset_iri)
        merge = counted(
            site,
            "SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s ?p ?o "
            "{ { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } } }",
        )
        told = graph(site, "/.well-known/void").value(dataset, VOID.triples)
        assert int(told) == merge == site.get("/dump/1/index.json").json["triples"]
        service = graph(site, "/sparql")
        sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
        (default,) = service.objects(None, sd.defaultGraph)
        (number,) = service.objects(default, VOID.triples)
        assert int(number) == counted(site, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def test_what_portals_look_for(tmp_path: Path) -> None:
    """Themes, keywords, access rights and a contact, as the project says."""
    scaffold.init(tmp_path / "x", title="X")
    wanted = {"themes": ("ECON", "http://x/theme"), "keywords": ("a", "b c"),
              "contact": "mailto:data@example.org"}  # fmt: skip
    for site in served(tmp_path / "x", **wanted):
        data = graph(site, "/catalog")
        for name in ("shapes", "range"):
            assert violations(data, name) == []
        dataset = rdflib.URIRef(site.graph.settings.dataset_iri)
        theme = "http://publications.europa.eu/resource/authority/data-theme/ECON"
        assert {str(each) for each in data.objects(dataset, DCAT.theme)} == {
            theme,
            "http://x/theme",
        }
        assert {str(each) for each in data.objects(dataset, DCAT.keyword)} == {"a", "b c"}
        contact = data.value(dataset, DCAT.contactPoint)
        vcard = rdflib.Namespace("http://www.w3.org/2006/vcard/ns#")
        assert str(data.value(contact, vcard.hasEmail)) == "mailto:data@example.org"
