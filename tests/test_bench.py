"""The bench: its graph is the same every time, and what it compares can be compared."""

from __future__ import annotations

import math
from pathlib import Path

import pyoxigraph as ox
import pytest
from bench import (
    client,
    comparison,
    graph,
    growth,
    mix,
    results,
    synthetic,
    targets,
    validators,
    wire,
)
from bench.results import Measured, Peer, Run, Size

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
    kinds = mix.workload()
    assert len(kinds) == 16
    for kind, template in kinds.items():
        texts = [text for text, _number in zip(mix.texts(template, 1), range(6), strict=False)]
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


def test_times_of_day_are_the_same_in_both_spellings() -> None:
    """rdflib writes +00:00 for Z; another time is another answer."""
    row = (
        b'{"results": {"bindings": [{"a": {"type": "literal", "value": "2020-01-01T00:00:0%s", '
        b'"datatype": "http://www.w3.org/2001/XMLSchema#dateTime"}}]}}'
    )
    one, same, other = (
        client.canonical("SELECT * {}", row % end) for end in (b"0Z", b"0+00:00", b"1Z")
    )
    assert one == same != other


def _run(*, ours: float, theirs: float, wrong: int = 0, quads: int = 1_000_000) -> Run:
    """Two servers that answer two queries, always in nearly the same time."""
    peers = {
        name: Peer(
            queries={
                kind: Measured(
                    [time * each for each in (0.99, 1, 1.01)],
                    wrong=wrong if name != "clustergraph" else 0,
                )
                for kind in ("01-describe", "12-not-exists")
            }
        )
        for name, time in (("clustergraph", ours), ("oxigraph", theirs))
    }
    return Run("2026-01-01", "a machine", 3, 10, {"1M": Size(quads, peers)})


def _row(run: Run, target: str) -> targets.Row:
    return next(row for row in targets.rows(run) if target in row.target)


def test_targets_are_judged_by_what_was_measured() -> None:
    """Met, missed, and not measured; a wrong answer is no time, one given up has its limit."""
    run = _run(ours=0.01, theirs=0.04)
    assert _row(run, "geometric mean").is_met is True
    assert _row(run, "NOT EXISTS").is_met is False
    assert _row(run, "first answer in at most 6 s").is_met is None
    run.sizes["1M"].peers["oxigraph"].queries["12-not-exists"].limit = 10
    assert _row(run, "NOT EXISTS").is_met is True
    wrong = _run(ours=0.01, theirs=0.04, wrong=1)
    assert _row(wrong, "geometric mean").is_met is None
    slow = _run(ours=0.04, theirs=0.01)
    assert "2 of 2 miss it" in _row(slow, "no query slower").measured


def test_what_got_slower_is_found_beside_the_pace_of_the_machine() -> None:
    """A machine of half the speed makes nothing slower; nor does what lies within the spread."""
    before = _run(ours=0.01, theirs=0.04)
    assert not comparison.slower(before, _run(ours=0.02, theirs=0.08))
    assert not comparison.slower(before, _run(ours=0.01005, theirs=0.04))
    found = comparison.slower(before, _run(ours=0.02, theirs=0.04))
    assert [each.name for each in found] == ["01-describe", "12-not-exists"]
    assert found[0].factor == pytest.approx(2)
    assert not comparison.faster(before, _run(ours=0.02, theirs=0.04))
    assert len(comparison.faster(before, _run(ours=0.01, theirs=0.08))) == 2


def test_growth_is_the_exponent_of_time_by_size() -> None:
    """Whatever the constant; not of one size, and not of what failed."""
    assert growth.exponent([(1e5, 3.0), (1e6, 30.0), (5e6, 150.0)]) == pytest.approx(1)
    assert growth.exponent([(1e5, 3.0), (1e6, 300.0), (5e6, math.nan)]) == pytest.approx(2)
    assert math.isnan(growth.exponent([(1e5, 3.0), (1e6, math.nan)]))


def test_a_run_is_kept_and_read_again(tmp_path: Path) -> None:
    """With what was not measured."""
    run = _run(ours=0.01, theirs=0.04)
    run.sizes["1M"].peers["oxigraph"].crowds["8"] = results.Crowd(10.0, math.nan, 2)
    run.write(tmp_path / "run.json")
    again = results.read(tmp_path / "run.json")
    again.write(tmp_path / "again.json")
    assert (tmp_path / "run.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    assert again.sizes["1M"].peers["oxigraph"].crowds["8"].failures == 2
    assert again.sizes["1M"].peers["clustergraph"].of("01-describe").median == pytest.approx(0.01)


def test_the_shapes_of_the_bench_hold_in_its_graph(tmp_path: Path) -> None:
    """So builds and writes pass the checks; a fact that breaks one is found."""
    path = tmp_path / "graph.nq"
    synthetic.write(path, 2000)
    shapes = Path(graph.__file__).parent / "clusters.ttl"
    plain = tmp_path / "graph.nt"
    quads = ox.parse(path=path, format=ox.RdfFormat.N_QUADS)
    plain.write_text("".join(f"{quad.triple} .\n" for quad in quads), encoding="utf-8")
    assert validators.ours(str(plain), str(shapes)).conforms
    with plain.open("a", encoding="utf-8") as out:
        kind = "https://w3id.org/clustergraph/ontology#ClusterOrganisation"
        out.write(f"<urn:x> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{kind}> .\n")
    assert not validators.ours(str(plain), str(shapes)).conforms


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"hello"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"5\r\nhello\r\n0\r\n\r\n",
        ),
        (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", b""),
    ],
)
def test_the_end_of_an_answer_is_found(head: bytes, body: bytes) -> None:
    """Not before its last byte."""
    assert wire.is_whole(head + body)
    assert not any(wire.is_whole((head + body)[:end]) for end in range(len(head + body)))
