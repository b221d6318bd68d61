"""Pools of later releases: forked from the one before, equal to one that is read from disk."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import patch, rdf, sparql
from clustergraph.errors import CorruptedError
from clustergraph.patch import Patch
from clustergraph.query import Limits, QueryPool
from clustergraph.query.start import Zygote
from clustergraph.store import embedded, flat
from clustergraph.store.embedded import EmbeddedStore
from clustergraph.store.replica import Replica

EVERYTHING = "SELECT ?g ?s ?p ?o { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"


def quad(thing: int, graph: str) -> ox.Quad:
    """One statement of a graph."""
    subject, predicate = ox.NamedNode(f"http://a/{thing}"), ox.NamedNode("http://a/p")
    return ox.Quad(subject, predicate, ox.Literal(thing), ox.NamedNode(f"http://g/{graph}"))


def stored(folder: Path, quads: list[ox.Quad]) -> Path:
    """A store with a merged default graph."""
    store = ox.Store(str(folder))
    embedded.change(store, quads, [], merged=True)
    store.flush()
    return folder


def content(pool: QueryPool) -> set[str]:
    """All that a pool holds."""
    rows = json.loads(b"".join(pool.answer(sparql.parse(EVERYTHING), rdf.JSON)))
    return {json.dumps(row, sort_keys=True) for row in rows["results"]["bindings"]}


@pytest.fixture
def releases(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """The stores of three releases, and the two changes between them."""
    first = [quad(n, "one") for n in range(50)] + [quad(n, "two") for n in range(40, 60)]
    changes = [
        Patch(
            frozenset({quad(100, "one"), quad(3, "two")}),
            frozenset({quad(5, "one"), quad(45, "one")}),  # 45 stays in the other graph
        ),
        Patch(frozenset({quad(5, "three")}), frozenset({quad(100, "one"), quad(45, "two")})),
    ]
    folders, deltas = [stored(tmp_path / "1", first)], []
    quads = set(first)
    for number, change in enumerate(changes, 2):
        quads = change.applied(quads)
        folders.append(stored(tmp_path / str(number), list(quads)))
        deltas.append(tmp_path / f"delta{number}.nq.gz")
        patch.write(deltas[-1], change)
    return folders, deltas


def test_a_successor_is_equal_to_one_read_from_disk(
    releases: tuple[list[Path], list[Path]],
) -> None:
    """Step by step, and several steps at once; the one before answers as it did."""
    folders, deltas = releases
    pools = [QueryPool(folder, Limits(fast=1)) for folder in folders]
    expected = [content(pool) for pool in pools]
    assert len({len(each) for each in expected} | {0}) > 2
    second = pools[0].successor(folders[1], deltas[:1], merged=True)
    assert second is not None
    third = second.successor(folders[2], deltas[1:], merged=True)
    both = pools[0].successor(folders[2], deltas, merged=True)
    assert third is not None
    assert both is not None
    try:
        assert content(second) == expected[1]
        assert content(third) == expected[2]
        assert content(both) == expected[2]
        assert content(pools[0]) == expected[0]
        pools[0].close()
        second.close()
        assert content(third) == expected[2]
    finally:
        for each in (*pools, second, third, both):
            each.close()


def test_a_change_that_cannot_be_read_gives_no_successor(
    releases: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    """Then the release is read from disk; the one before goes on."""
    folders, _deltas = releases
    pool = QueryPool(folders[0], Limits(fast=1))
    try:
        assert pool.successor(folders[1], [tmp_path / "missing.nq.gz"], merged=True) is None
        assert content(pool)
    finally:
        pool.close()


def test_a_zygote_that_was_killed_is_started_again(
    releases: tuple[list[Path], list[Path]],
) -> None:
    """Its workers end with it; the next query finds new ones, of the same release."""
    folders, deltas = releases
    first = QueryPool(folders[0], Limits(fast=2))
    second = first.successor(folders[1], deltas[:1], merged=True)
    assert second is not None
    try:
        before = content(second)
        zygote = second._zygote
        kill(zygote)
        for _ in range(3):
            assert content(second) == before
        assert second._zygote is not zygote
    finally:
        first.close()
        second.close()


def test_a_twin_is_at_hand_when_a_zygote_is_killed(
    releases: tuple[list[Path], list[Path]],
) -> None:
    """Again and again; nothing is read from disk for it. Without a twin the disk is read."""
    folders, _deltas = releases
    pool = QueryPool(folders[0], Limits(fast=1))
    away = folders[0].with_name("away")
    try:
        before = content(pool)
        folders[0].rename(away)
        for _ in range(2):
            kill(pool._zygote)
            assert content(pool) == before
        away.rename(folders[0])
        assert pool._spare is not None
        kill(pool._spare)
        kill(pool._zygote)
        assert content(pool) == before
    finally:
        pool.close()


def test_blank_nodes_of_the_merge_are_those_of_the_graphs(tmp_path: Path) -> None:
    """Though the two are read beside each other, and in pieces."""
    lines = [f"_:b{n} <http://a/p> _:b{n % 7} <http://g/{n % 2}> .\n".encode() for n in range(40)]
    lines += [f'<http://a/{n}> <http://a/p> "_:b1 {n}" <http://g/1> .\n'.encode() for n in range(9)]
    folder = tmp_path / "public"
    flat.write(tmp_path / f"public{flat.SUFFIX}", sorted(lines), merged=True)
    both = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o GRAPH ?g { ?s ?p ?o } }"
    pool = QueryPool(folder, Limits(fast=1))
    try:
        answer = json.loads(b"".join(pool.answer(sparql.parse(both), rdf.JSON)))
    finally:
        pool.close()
    assert answer["results"]["bindings"][0]["n"]["value"] == "49"
    loaded = flat.load(tmp_path / f"public{flat.SUFFIX}")
    assert len(loaded) == 2 * 49
    (row,) = EmbeddedStore(loaded).select(sparql.parse(both))
    assert row["n"].value == "49"


def kill(zygote: Zygote) -> None:
    """Kill the process, and wait until its workers have ended with it."""
    signal.pidfd_send_signal(zygote._descriptor, signal.SIGKILL)
    while zygote.is_alive():
        time.sleep(0.01)
    time.sleep(0.1)


def test_a_successor_ends_when_it_is_let_go(releases: tuple[list[Path], list[Path]]) -> None:
    """Nobody is left who listens."""
    folders, deltas = releases
    first = QueryPool(folders[0], Limits(fast=1))
    second = first.successor(folders[1], deltas[:1], merged=True)
    assert second is not None
    address = second._zygote._address
    assert os.path.exists(address)  # noqa: PTH110  a socket
    second.close()
    first.close()
    assert not second._zygote.is_alive()


def test_a_replica_follows_and_never_mixes_releases(
    releases: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    """What began goes on as it was; views of earlier releases ask another store."""
    folders, deltas = releases
    query = sparql.parse(EVERYTHING)
    embedded_stores = [EmbeddedStore.open(folder) for folder in folders]
    expected = [sorted(map(str, each.select(query))) for each in embedded_stores]
    store = embedded.opened(folders[0])
    replica = Replica(store, 1)
    views = [replica.view(n, each) for n, each in enumerate(embedded_stores, 1)]
    assert sorted(map(str, views[0].select(query))) == expected[0]
    begun = embedded.solve(store, EVERYTHING)
    assert isinstance(begun, ox.QuerySolutions)
    next(begun)
    replica.advance(3, deltas, merged=True)
    assert len(list(begun)) == len(expected[0]) - 1
    assert replica.select(1, EVERYTHING) is None
    for view, rows in zip(views, expected, strict=True):
        assert sorted(map(str, view.select(query))) == rows
    assert replica.select(3, EVERYTHING) is not None
    with pytest.raises(CorruptedError):
        replica.advance(4, [tmp_path / "missing.nq.gz"], merged=True)
    assert sorted(map(str, views[2].select(query))) == expected[2]
