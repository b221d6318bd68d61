"""The service description: what the endpoint says that it can, it can."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
import rdflib
from tests.web.conftest import Site

from clustergraph import rdf
from clustergraph.web.description import extension_functions

SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = rdflib.Namespace("http://rdfs.org/ns/void#")


def described(site: Site) -> rdflib.Graph:
    """The description as a graph."""
    found = site.get("/sparql", headers={"Accept": "text/turtle"})
    assert found.mimetype == "text/turtle"
    return rdflib.Graph().parse(data=found.data, format="turtle")


@pytest.mark.parametrize("fmt", rdf.RDF_FORMATS, ids=lambda each: each.name)
def test_it_is_there_in_every_format(site: Site, fmt: rdf.RdfFormat) -> None:
    """With the same triples."""
    found = site.get("/sparql", headers={"Accept": fmt.media_type})
    triples = {quad.triple for quad in ox.parse(found.data, fmt.engine)}
    turtle = site.get("/sparql", headers={"Accept": "text/turtle"}).data
    assert len(triples) == len({quad.triple for quad in ox.parse(turtle, rdf.TURTLE.engine)})


def test_the_default_graph_is_counted(site: Site) -> None:
    """By class and by property, as queries count."""
    graph = described(site)
    (default,) = graph.objects(None, SD.defaultGraph)

    def counted(text: str) -> int:
        answer = site.get("/sparql", query_string={"query": text, "format": "csv"})
        return int(answer.text.split()[1])

    (triples,) = graph.objects(default, VOID.triples)
    assert int(triples) == counted("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    classes = list(graph.objects(default, VOID.classPartition))
    properties = list(graph.objects(default, VOID.propertyPartition))
    assert len(classes) == int(graph.value(default, VOID.classes))
    assert len(properties) == int(graph.value(default, VOID.properties))
    for part in properties:
        text = f"SELECT (COUNT(*) AS ?n) {{ ?s <{graph.value(part, VOID.property)}> ?o }}"
        assert int(graph.value(part, VOID.triples)) == counted(text)


def test_named_graphs_are_named_and_counted(site: Site) -> None:
    """All that can be seen."""
    graph = described(site)
    named = {
        str(graph.value(each, SD.name)): int(graph.value(graph.value(each, SD.graph), VOID.triples))
        for each in graph.objects(None, SD.namedGraph)
    }
    assert named == dict(site.graph.release().graphs)


def test_a_store_without_graphs_is_described(plain: Site) -> None:
    """Nothing is counted there but the triples."""
    graph = described(plain)
    (default,) = graph.objects(None, SD.defaultGraph)
    assert [int(each) for each in graph.objects(default, VOID.triples)] == [0]
    assert not list(graph.objects(None, SD.namedGraph))
    assert SD.UnionDefaultGraph not in list(graph.objects(None, SD.feature))


def test_features_and_formats_are_true(site: Site) -> None:
    """The default graph is the merge; every format that is named is given."""
    graph = described(site)
    assert SD.UnionDefaultGraph in set(graph.objects(None, SD.feature))
    formats = {str(each).rsplit("/", 1)[1] for each in graph.objects(None, SD.resultFormat)}
    assert len(formats) == len(rdf.RDF_FORMATS) + len(rdf.RESULTS_FORMATS)


def test_extension_functions_are_those_of_the_engine(site: Site) -> None:
    """Each answers; one that the engine lacks is not named."""
    found = set(described(site).objects(None, SD.extensionFunction))
    assert {str(each) for each in found} == {each.value for each in extension_functions()}
    geof = "http://www.opengis.net/def/function/geosparql/"
    assert rdflib.URIRef(geof + "sfWithin") in found
    assert rdflib.URIRef(geof + "asGML") not in found
    point = '"POINT(0 0)"^^geo:wktLiteral'
    query = f"ASK {{ FILTER(<{geof}sfEquals>({point}, {point})) }}"
    assert site.get("/sparql", query_string={"query": query}).json["boolean"] is True
