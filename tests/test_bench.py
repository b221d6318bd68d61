"""The bench: its graph is the same every time, and what it compares can be compared."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from bench import client, graph, queries, synthetic, validators

SHAPES = Path(graph.__file__).parent / "shapes.ttl"


def test_the_graph_is_the_same_every_time(tmp_path: Path) -> None:
    """For one size; a larger one begins like a smaller one."""
    sizes = [graph.write(tmp_path / f"{n}.nt", 1000 * (n // 2 + 1)) for n in range(3)]
    assert sizes[0] == sizes[1] >= 1000
    assert sizes[2] >= 2000
    first, second, third = ((tmp_path / f"{n}.nt").read_text() for n in range(3))
    assert first == second
    assert third.startswith(first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib of its own
def test_pyshacl_finds_the_same_in_it(tmp_path: Path) -> None:
    """Each kind of rule is broken somewhere, by focus node and component alike."""
    data = tmp_path / "data.nt"
    graph.write(data, 2000, seed=11)
    ours = validators.of_ours(validators.ours(str(data), str(SHAPES)))
    places = validators.of_ours(validators.ours_with_places(str(data), str(SHAPES)))
    theirs = validators.of_graph(validators.pyshacl(str(data), str(SHAPES)))
    plain = [
        (conforms, sorted((focus.strip("<>"), component) for focus, component in results))
        for conforms, results in (ours, places, theirs)
    ]
    assert plain[0] == plain[1] == plain[2]
    assert not ours[0]
    assert len(ours[1]) > 3


def test_the_cluster_graph_is_the_same_every_time(tmp_path: Path) -> None:
    """All of it in named graphs, by names that the ontology declares."""
    one, other = tmp_path / "1.nq", tmp_path / "2.nq"
    assert synthetic.write(one, 5000) == synthetic.write(other, 5000) > 4000
    assert one.read_bytes() == other.read_bytes()
    ontology = (Path(__file__).parents[1] / "ontology/clustergraph.ttl").read_bytes()
    declared = {quad.subject for quad in ox.parse(ontology, ox.RdfFormat.TURTLE)}
    for quad in ox.parse(path=one, format=ox.RdfFormat.N_QUADS):
        assert isinstance(quad.graph_name, ox.NamedNode)
        for term in (quad.predicate, quad.object):
            if isinstance(term, ox.NamedNode) and "ontology#" in term.value:
                assert term in declared


def test_every_query_of_the_bench_finds_something(tmp_path: Path) -> None:
    """Whatever stands for the parts that change; no text comes twice."""
    path = tmp_path / "graph.nq"
    synthetic.write(path, 30_000)
    store = ox.Store()
    store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)
    kinds = queries.workload()
    assert len(kinds) == 16
    for kind, template in kinds.items():
        texts = [text for text, _number in zip(queries.texts(template, 1), range(6), strict=False)]
        assert len(set(texts)) == 6
        found = [store.query(text, use_default_graph_as_union=True) for text in texts]
        assert any(any(True for _row in each) for each in found), kind


def test_answers_are_compared_whoever_wrote_them() -> None:
    """Order, number formats and RDF formats aside."""
    rows = [
        b'{"results": {"bindings": [{"a": {"type": "literal", "value": "%s", "datatype": "%s"}}]}}'
        % (value, b"http://www.w3.org/2001/XMLSchema#" + kind)
        for value, kind in ((b"1.0", b"decimal"), (b"1", b"integer"), (b"2", b"integer"))
    ]
    one, same, other = (client.canonical("SELECT * {}", each) for each in rows)
    assert one == same != other
    graphs = [client.canonical("CONSTRUCT {}", each) for each in (b"<x:a> <x:b> 1 .", b"")]
    assert graphs[0] != graphs[1]
