"""Releases on real engines: published, rolled back, written to, interrupted, and mended."""

from __future__ import annotations

import collections
import threading
from typing import Any

import pyoxigraph as ox
import pytest
from tests.engines.conftest import Make, Place, write
from tests.engines.servers import free_port

from clustergraph import rdf, sparql
from clustergraph.errors import ClusterGraphError, StoreError, ValidationFailedError
from clustergraph.releases import Write
from clustergraph.releases.carrying import Engine
from clustergraph.service import Check, ClusterGraph
from clustergraph.tokens import Grant

FIRST = "b:g1 { b:a b:p 1, 2 . b:b b:p 1 } b:g2 { b:a b:p 1, 3 . b:x b:q [ b:r 7 ] }"
SECOND = "b:g1 { b:a b:p 2, 4 } b:g3 { b:a b:p 3 . b:c b:p 9 . b:x b:q [ b:r 8 ] }"


class Killed(BaseException):
    """The process is killed here."""


def test_a_build_brings_its_release(engine: Place, make: Make) -> None:
    """A build brings its release."""
    graph = make(engine, FIRST)
    graph.build()
    assert held(graph) == expected(graph)
    rewrite(graph, SECOND)
    graph.build()
    assert held(graph) == expected(graph)
    assert checked(graph).fine


def test_a_rollback_brings_the_earlier_state(engine: Place, make: Make) -> None:
    """A rollback brings the earlier state."""
    graph = make(engine, FIRST)
    graph.build()
    before = held(graph)
    rewrite(graph, SECOND)
    graph.build()
    graph.rollback(1)
    assert held(graph) == before == expected(graph)


def test_a_large_change_is_loaded_beside_and_switched_at_once(engine: Place, make: Make) -> None:
    """A large change is loaded beside and switched at once."""
    size = 60 if engine.name == "virtuoso" else 6000  # which takes minutes for thousands
    many = " ".join(f"b:s{number} b:p {number} ." for number in range(size))
    graph = make(engine, f"b:g1 {{ {many} }}")
    graph.build()
    if engine.name == "virtuoso":
        assert graph.engine is not None
        remote, known = graph.engine.opened(write=True)
        graph.engine._found[False] = (remote, limited(known))
    other = " ".join(f"b:s{number} b:p {number + 1} ." for number in range(size))
    rewrite(graph, f"b:g1 {{ {other} }} b:g2 {{ {other} }}")
    seen: set[int] = set()
    going = threading.Event()

    def watch() -> None:
        reader = Engine(graph.archive, graph.settings)
        remote, _known = reader.opened(write=False)
        text = f"SELECT (COUNT(*) AS ?n) FROM <{graph.settings.base}store/default> {{ ?s ?p ?o }}"
        while not going.is_set():
            seen.add(int(remote.select(sparql.parse(text))[0]["n"].value))
        reader.close()

    assert graph.engine is not None
    _remote, known = graph.engine.opened(write=False)
    thread = threading.Thread(target=watch)
    if known.atomic:  # else whoever looks sees some of it, and holds it up
        thread.start()
    graph.build()
    going.set()
    if known.atomic:
        thread.join()
        assert seen == {6000}
    assert held(graph) == expected(graph)
    assert not staging(graph)


@pytest.mark.parametrize("change", ["small", "large", "first"])
def test_it_can_be_killed_at_each_step(engine: Place, make: Make, change: str) -> None:
    """At the first of each kind, and at the second; on a slow engine about the switch alone."""
    only = {"switch", "switched"} if engine.name == "virtuoso" else None
    graph = make(engine, FIRST)
    assert graph.engine is not None
    if change == "large":  # more than one update may hold
        remote, known = graph.engine.opened(write=True)
        graph.engine._found[False] = (remote, limited(known))
    if change != "first":
        graph.build()
        rewrite(graph, SECOND)
    before = number_of(graph)
    states = [held(graph) if change != "first" else None]
    points: set[tuple[str, int]] = set()
    while killed(graph, points, only):
        assert number_of(graph) in {before, before + 1}
        if before:
            now = held(graph)
            assert now in (states[0], target(graph, SECOND)), f"half of it after {points}"
    assert {"switch", "switched"} <= {name for name, _count in points}
    graph.carry()
    assert held(graph) == expected(graph)
    assert not staging(graph)


def number_of(graph: ClusterGraph) -> int:
    """The number of the current release; 0 before the first."""
    path = graph.archive.folder / "current"
    return int(path.read_text()) if path.exists() else 0


def limited(known: Any) -> Any:
    """Capabilities by which everything is loaded beside, line by line."""
    fields = known.to_fields() | {"update_lines": 3, "load_lines": 6}
    return type(known).from_fields(fields)


def killed(graph: ClusterGraph, points: set[tuple[str, int]], only: set[str] | None) -> bool:
    """Build, and be killed at a step (of some) where that never was; whether it was."""
    seen: collections.Counter[str] = collections.Counter()

    def step(name: str) -> None:
        seen[name] += 1
        point = name, seen[name]
        if point not in points and seen[name] <= 2 and (only is None or name in only):
            points.add(point)
            raise Killed

    engine = graph.engine
    assert engine is not None
    engine._step = step
    try:
        graph.build()
    except Killed:
        return True
    finally:
        engine._step = lambda _name: None
    return False


def target(graph: ClusterGraph, data: str) -> set[str]:
    """What the engine holds when it holds some data."""
    base = graph.settings.base
    quads = list(
        ox.parse(f"@prefix b: <{base}> . {data}", ox.RdfFormat.TRIG, rename_blank_nodes=False)
    )
    return {line(quad) for quad in quads} | {line(ox.Quad(*quad.triple)) for quad in quads}


def test_what_was_lost_is_brought_again(engine: Place, make: Make) -> None:
    """What was lost is brought again."""
    graph = make(engine, FIRST)
    graph.build()
    assert graph.engine is not None
    remote, _known = graph.engine.opened(write=True)
    base = graph.settings.base
    remote.update(f"DROP SILENT GRAPH <{base}g1>")
    found = checked(graph)
    assert not found.fine
    assert "carry --all" in found.message
    assert graph.carry(whole=True)
    assert held(graph) == expected(graph)
    remote.update(f"DROP SILENT GRAPH <{base}store/marker>")
    assert graph.carry()
    assert held(graph) == expected(graph)
    assert not graph.carry()


def test_an_engine_that_is_away_refuses_a_release(engine: Place, make: Make) -> None:
    """An engine that is away refuses a release."""
    graph = make(engine, FIRST)
    graph.build()
    rewrite(graph, SECOND)
    away = f"http://127.0.0.1:{free_port()}/"
    assert graph.engine is not None
    remote, known = graph.engine.opened(write=True)
    gone = type(remote)(type(remote.access)(query=away, update=away), wire=known.wire())
    graph.engine._found[False] = (gone, known)
    with pytest.raises(StoreError, match="cannot be reached"):
        graph.build()
    assert graph.archive.current_number() == 1
    graph.engine._found[False] = (remote, known)
    assert held(graph) == expected(graph)
    graph.build()
    assert held(graph) == expected(graph)


def test_restricted_graphs_never_reach_the_public_endpoint(engine: Place, make: Make) -> None:
    """Restricted graphs never reach the public endpoint."""
    data = FIRST + ' <http://hidden.example/x> { b:a b:p "secret" } '
    data = data.replace("<http://hidden.example/x>", "<GRAPH>")
    graph = make(engine, FIRST)
    base = graph.settings.base
    rewrite(graph, data.replace("<GRAPH>", f"<{base}graph/restricted/x>"))
    graph.build()
    assert held(graph) == {each for each in expected(graph) if "secret" not in each}
    assert any("store.restricted" in each for each in graph.engine_lacks())
    text = 'SELECT ?s { ?s ?p "secret" }'
    assert not graph.release().store.select(sparql.parse(text))
    assert len(graph.release(restricted=True).store.select(sparql.parse(text))) == 1


def test_a_second_dataset_holds_everything(
    engine: Place, second: dict[str, Any], make: Make
) -> None:
    """A second dataset holds everything."""
    graph = make(engine, FIRST, **second)
    base = graph.settings.base
    hidden = f'b:g1 {{ b:a b:p 1 }} <{base}graph/restricted/x> {{ b:a b:p "secret" }}'
    rewrite(graph, hidden)
    graph.build()
    text = 'SELECT ?s { ?s ?p "secret" }'
    assert not graph.release().store.select(sparql.parse(text))
    release = graph.release(restricted=True)
    assert "Published" in type(release.store).__name__
    assert len(release.store.select(sparql.parse(text))) == 1
    rewrite(graph, hidden.replace("secret", "other"))
    graph.build()
    assert not graph.release(restricted=True).store.select(sparql.parse(text))


def test_writes_are_guarded_and_carried(engine: Place, make: Make) -> None:
    """Writes are guarded and carried."""
    graph = make(engine, FIRST + ' b:g1 { b:z b:needs 1 ; b:label "z" }', public=True)
    shapes = graph.settings.project / "shapes"
    shapes.mkdir()
    base = graph.settings.base
    (shapes / "shapes.ttl").write_text(
        f"@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix b: <{base}> .\n"
        "b:S a sh:NodeShape ; sh:targetSubjectsOf b:needs ; sh:property [ sh:path b:label ; "
        'sh:minCount 1 ; sh:message "A label is needed." ] .',
        encoding="utf-8",
    )
    graph.build()
    done = graph.write(update(f'INSERT DATA {{ <{base}n> <{base}p> "new"@en }}'))
    assert done.number == 2
    assert held(graph) == expected(graph)
    found = graph.release().store.select(sparql.parse('SELECT ?s { ?s ?p "new"@en }'))
    assert [row["s"].value for row in found] == [f"{base}n"]
    with pytest.raises(ValidationFailedError):
        graph.write(update(f"INSERT DATA {{ <{base}n> <{base}needs> <{base}p> }}"))
    assert graph.release().manifest.number == 2
    assert held(graph) == expected(graph)


def update(text: str) -> Write:
    """An update by somebody who may write everything."""
    grant = Grant(graphs=("*",))
    return Write(method="UPDATE", payload=text.encode(), grant=grant, who="me", why="a test")


def test_names_that_are_kept_for_the_engine_are_refused(engine: Place, make: Make) -> None:
    """Names that are kept for the engine are refused."""
    graph = make(engine, "b:g1 { b:a b:p 1 }")
    rewrite(graph, f"<{graph.settings.base}store/marker> {{ b:a b:p 1 }}")
    with pytest.raises(ClusterGraphError, match="kept for the engine"):
        graph.build()
    assert graph.archive.current_number() is None


def checked(graph: ClusterGraph) -> Check:
    """What the doctor says of the release on the engine."""
    assert graph.engine is not None
    return graph._doctor_held(graph.engine, graph.release().manifest)


def rewrite(graph: ClusterGraph, data: str) -> None:
    """Rewrite."""
    write(graph.settings.project, graph.settings.base, data)


def staging(graph: ClusterGraph) -> set[str]:
    """The graphs in which something waits."""
    base = graph.settings.base
    return {each for each in graphs(graph) if each.startswith(f"{base}store/staging/")}


def graphs(graph: ClusterGraph) -> set[str]:
    """The names of all graphs of a project on its engine."""
    assert graph.engine is not None
    remote, _known = graph.engine.opened(write=True)
    rows = remote.select(sparql.parse("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"))
    return {row["g"].value for row in rows if row["g"].value.startswith(graph.settings.base)}


def line(quad: ox.Quad) -> str:
    """A statement as a text in which blank nodes have no names."""
    terms = ["_" if isinstance(term, ox.BlankNode) else str(term) for term in quad]
    return " ".join(terms)


def held(graph: ClusterGraph) -> set[str]:
    """All that the engine holds of a project, the default graph with it."""
    engine = graph.engine
    assert engine is not None
    remote, _known = engine.opened(write=True)
    base = graph.settings.base
    found: set[str] = set()
    for name in graphs(graph):
        if name.startswith(f"{base}store/") and name != f"{base}store/default":
            continue
        asked = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}"
        content = b"".join(remote.answer(sparql.parse(asked), rdf.N_TRIPLES))
        graph_name = ox.DefaultGraph() if name.endswith("store/default") else ox.NamedNode(name)
        for quad in ox.parse(content, ox.RdfFormat.N_TRIPLES):
            terms = [
                ox.BlankNode("x")
                if isinstance(term, ox.NamedNode) and ".well-known/genid/blank/" in term.value
                else term
                for term in quad.triple
            ]
            found.add(line(ox.Quad(*terms, graph_name)))
    return found


def expected(graph: ClusterGraph) -> set[str]:
    """What the release on disk holds."""
    folder = graph.archive.path(graph.archive.current_number() or 0) / "public"
    return {line(quad) for quad in ox.Store.read_only(str(folder))}
