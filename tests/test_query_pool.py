"""Query workers: answers, limits, lanes, what strangers cannot do."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from clustergraph import rdf, sparql, store
from clustergraph.errors import (
    AnswerLimitError,
    LimitError,
    MemoryLimitError,
    OverloadedError,
    QueryError,
    StoreError,
    TimeLimitError,
    TooManyRequestsError,
)
from clustergraph.process import sandbox
from clustergraph.query import Limits, QueryPool
from clustergraph.query.pool import _Worker
from clustergraph.store.embedded import EmbeddedStore

pytestmark = pytest.mark.alone

ALL = "SELECT * { ?s ?p ?o }"
CARTESIAN = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def cartesian() -> str:
    """A query that takes for ever, and that was never asked before."""
    return CARTESIAN.replace("?i", f"?i{next(_numbers)}")


_numbers = itertools.count()
SORTED = "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?f ?a LIMIT 10"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release's store of 20,000 triples."""
    path = tmp_path_factory.mktemp("store") / "public"
    inner = ox.Store(str(path))
    inner.bulk_extend(
        ox.Quad(ox.NamedNode(f"http://a/{n}"), ox.NamedNode(f"http://a/p{n % 7}"), ox.Literal(n))
        for n in range(20_000)
    )
    inner.flush()
    return path


@pytest.fixture(scope="module")
def pool(folder: Path) -> Iterator[QueryPool]:
    """A pool with a short time limit and a small memory limit."""
    made = QueryPool(folder, Limits(time=1.5, memory=300 << 20, fast=2, slow=2, demotion=0.0))
    yield made
    made.close()


def run(pool: QueryPool, text: str, **options: Any) -> bytes:
    """The whole answer, as JSON."""
    return b"".join(pool.answer(sparql.parse(text), rdf.JSON, **options))


def test_a_pool_answers_like_the_store_itself(pool: QueryPool, folder: Path) -> None:
    """Long answers too, in chunks, and errors with their place."""
    direct = EmbeddedStore.open(folder)
    for text in (ALL, "ASK { ?s ?p 3 }", "SELECT ?s { ?s ?p 3 }"):
        query = sparql.parse(text)
        answers = [
            sorted(
                b"".join(backend.answer(query, rdf.TSV if "SELECT" in text else rdf.JSON)).split(
                    b"\n"
                )
            )
            for backend in (pool, direct)
        ]
        assert answers[0] == answers[1]
    assert len(list(store.construct(pool, "CONSTRUCT WHERE { ?s <http://a/p0> ?o }"))) == 2858
    with pytest.raises(QueryError) as caught:
        run(pool, "SELECT * {\n ?s ?p }")
    assert caught.value.line == 2


def test_a_query_that_takes_too_long_is_ended(pool: QueryPool) -> None:
    """And the pool answers at once again."""
    started = time.monotonic()
    with pytest.raises(TimeLimitError, match=r"longer than 1\.5 seconds"):
        run(pool, cartesian())
    assert time.monotonic() - started < 10
    assert b"true" in run(pool, "ASK { ?s ?p ?o }")


def test_a_caller_may_set_another_time(pool: QueryPool) -> None:
    """Less, or more: who may have more is for the caller to say."""
    with pytest.raises(TimeLimitError, match=r"0\.2 seconds"):
        list(pool.answer(sparql.parse(cartesian()), rdf.JSON, seconds=0.2))
    with pytest.raises(TimeLimitError, match=r"1\.7 seconds"):
        list(pool.answer(sparql.parse(cartesian()), rdf.JSON, seconds=1.7))


def test_what_took_too_long_is_refused_at_once(folder: Path) -> None:
    """However it is written; more time is more time; and a worker that was killed is no reason."""
    pool = QueryPool(folder, Limits(time=2.0, fast=1, slow=1, demotion=0.0))
    try:
        text = cartesian()
        with pytest.raises(TimeLimitError):
            run(pool, text)
        started = pool.statistics["workers_started"]
        with pytest.raises(TimeLimitError, match=r"2 seconds"):
            run(pool, f"# again\n {text}")
        assert (pool.statistics["remembered"], pool.statistics["killed_time"]) == (1, 1)
        assert pool.statistics["workers_started"] == started
        with pytest.raises(TimeLimitError, match=r"2\.5 seconds"):
            list(pool.answer(sparql.parse(text), rdf.JSON, seconds=2.5))
        reader = pool.answer(sparql.parse(ALL), rdf.XML)
        next(reader)
        (worker,) = {each.worker for each in pool._running}
        assert worker is not None
        worker.signal(signal.SIGKILL)
        with pytest.raises(MemoryLimitError):
            list(reader)
        assert b"</sparql>" in b"".join(pool.answer(sparql.parse(ALL), rdf.XML))
    finally:
        pool.close()


def test_one_client_does_not_take_it_all(folder: Path) -> None:
    """So many queries at once, so much processor time; others are not touched."""
    limits = Limits(time=3.0, fast=4, slow=4, per_client=1, wait=0.3, demotion=0.0, budget=0.5)
    pool = QueryPool(folder, limits)
    try:
        reader = pool.answer(sparql.parse(ALL), rdf.XML, client="one")
        next(reader)
        with pytest.raises(TooManyRequestsError, match="running already"):
            run(pool, "ASK {}", client="one")
        assert b"true" in run(pool, "ASK {}", client="two")
        reader.close()  # type: ignore[attr-defined]  # a generator
        with pytest.raises(TimeLimitError):
            run(pool, cartesian(), client="one")
        with pytest.raises(TooManyRequestsError, match="processor time") as caught:
            run(pool, "ASK {}", client="one")
        assert caught.value.retry_after
        assert b"true" in run(pool, "ASK {}", client="two")
        for _ in range(3):
            assert b"true" in run(pool, "ASK {}")
    finally:
        pool.close()


def test_an_answer_that_is_too_long_stops(folder: Path) -> None:
    """With an error, after it began."""
    pool = QueryPool(folder, Limits(answer=300_000, fast=1))
    try:
        reader = pool.answer(sparql.parse(ALL), rdf.XML)
        assert next(reader).startswith(b"<?xml")
        with pytest.raises(AnswerLimitError):
            list(reader)
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")
    finally:
        pool.close()


def test_a_query_that_takes_too_much_memory_is_ended(folder: Path) -> None:
    """The worker dies, the pool does not."""
    pool = QueryPool(folder, Limits(time=60, memory=100 << 20, fast=1, slow=1, demotion=0.0))
    try:
        with pytest.raises(MemoryLimitError):
            run(pool, SORTED)
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")
    finally:
        pool.close()


def test_light_queries_do_not_wait_for_heavy_ones(pool: QueryPool) -> None:
    """Heavy ones leave the fast lane; those for whom there is no place are refused."""
    outcomes: list[str] = []

    def heavy() -> None:
        try:
            run(pool, cartesian())
        except LimitError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=heavy) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")
    for thread in threads:
        thread.join()
    assert sorted(set(outcomes)) == ["OverloadedError", "TimeLimitError"]
    assert len(outcomes) == 6


def test_a_client_whose_query_was_given_up_starts_in_the_slow_lane(folder: Path) -> None:
    """Others are not touched."""
    pool = QueryPool(folder, Limits(time=2.0, fast=1, slow=1, demotion=60.0, wait=0.1))
    try:
        with pytest.raises(TimeLimitError):
            run(pool, cartesian(), client="hostile")

        def other() -> None:
            with contextlib.suppress(LimitError):
                run(pool, cartesian(), client="other")

        blocker = threading.Thread(target=other)
        blocker.start()
        while blocker.is_alive() and not any(each.place.lane == "slow" for each in pool._running):
            time.sleep(0.01)
        refused = 0
        while blocker.is_alive():
            try:
                run(pool, "ASK { ?s ?p ?o }", client="hostile")
            except OverloadedError:
                refused += 1
            assert b"true" in run(pool, "ASK { ?s ?p ?o }", client="good")
        blocker.join()
        assert refused
    finally:
        pool.close()


LONG = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?b ?f FILTER(?c < 300) }"  # some 0.5 s


def after_a_long_query(folder: Path) -> tuple[QueryPool, list[int], list[int]]:
    """A pool after a query that came to the slow lane, and its idle workers before and after."""
    pool = QueryPool(folder, Limits(fast=1, slow=1))
    before = [each.pid for each in pool._idle]
    run(pool, LONG)
    assert pool.statistics["workers_started"] == 1
    return pool, before, [each.pid for each in (*pool._idle, *pool._slowed)]


def test_a_worker_is_used_again_after_a_long_query(folder: Path) -> None:
    """One that is new has to copy each page of the graph that it looks at."""
    pool, before, after = after_a_long_query(folder)
    with contextlib.closing(pool):
        assert before == after


def test_a_worker_that_cannot_be_made_quick_again_takes_long_queries(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the program is not run by the administrator."""
    monkeypatch.setattr(_Worker, "has_usual_priority", lambda _worker: False)
    pool, before, after = after_a_long_query(folder)
    with contextlib.closing(pool):
        assert set(before) <= set(after)
        assert [each.pid for each in pool._slowed] == before
        for _ in range(2):  # then the shape is known
            run(pool, LONG.replace("300", str(300 + next(_numbers))))
        started = pool.statistics["workers_started"]
        run(pool, LONG.replace("300", str(300 + next(_numbers))))
        assert pool.statistics["workers_started"] == started
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")


def test_a_worker_that_kept_memory_is_not_used_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next query would have less."""
    monkeypatch.setattr(_Worker, "is_clean", lambda _worker, _memory: False)
    pool = QueryPool(folder, Limits(fast=1, slow=1))
    with contextlib.closing(pool):
        before = [each.pid for each in pool._idle]
        run(pool, LONG)
        run(pool, "ASK {}")
        assert before != [each.pid for each in pool._idle]


def test_a_long_query_waits_for_its_worker_to_read_it(folder: Path) -> None:
    """As on a busy machine: it is larger than what fits between the two; but not for ever."""
    text = "SELECT (COUNT(*) AS ?n) { VALUES ?x { " + "'a' " * 60_000 + "} }"
    pool = QueryPool(folder, Limits(fast=1, slow=1, time=5))
    with contextlib.closing(pool):
        run(pool, "ASK {}")
        (worker,) = pool._idle
        worker.signal(signal.SIGSTOP)
        waking = threading.Timer(0.3, worker.signal, [signal.SIGCONT])
        waking.start()
        assert b"60000" in run(pool, text)
        waking.join()
        worker = pool._idle[-1]
        worker.signal(signal.SIGSTOP)
        with pytest.raises(OverloadedError):
            run(pool, text + "#", seconds=0.5)
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")


def test_a_slow_reader_holds_no_place(pool: QueryPool) -> None:
    """Its worker waits outside the lanes, and its answer is whole in the end."""
    query = sparql.parse(ALL)
    readers = [pool.answer(query, rdf.XML) for _ in range(6)]
    for reader in readers:
        assert next(reader).startswith(b"<?xml")
    assert b"true" in run(pool, "ASK { ?s ?p ?o }")
    time.sleep(2)
    for reader in readers:
        assert b"".join(reader).endswith(b"</sparql>")


def test_a_reader_that_leaves_frees_its_worker(pool: QueryPool) -> None:
    """At once."""
    before = pool.active()
    reader = pool.answer(sparql.parse(ALL), rdf.XML)
    next(reader)
    assert pool.active() == before + 1
    reader.close()  # type: ignore[attr-defined]  # a generator
    assert pool.active() == before


@pytest.mark.skipif(not sandbox.is_supported(), reason="no seccomp filter for this machine")
def test_a_worker_cannot_reach_out(pool: QueryPool) -> None:
    """Even if the guard let a call pass: a listener hears nothing."""
    heard: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def parse_request(self) -> bool:
            heard.append(str(self.raw_requestline))
            return False

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        call = f"SELECT * {{ SERVICE <http://127.0.0.1:{server.server_port}/> {{ ?s ?p ?o }} }}"
        query = sparql.Query(call, sparql.Form.SELECT)
        with pytest.raises(StoreError):
            list(pool.answer(query, rdf.JSON))
        server.shutdown()
    assert not heard


def test_hostile_texts_hurt_only_themselves(folder: Path) -> None:
    """Deep nesting that the guard would refuse kills a worker, not us."""
    pool = QueryPool(folder, Limits(time=5, fast=1, slow=1, demotion=0.0))
    try:
        deep = sparql.Query("SELECT * " + "{" * 20_000 + "}" * 20_000, sparql.Form.SELECT)
        with pytest.raises((MemoryLimitError, QueryError)):
            list(pool.answer(deep, rdf.JSON))
        assert b"true" in run(pool, "ASK { ?s ?p ?o }")
    finally:
        pool.close()


def test_closing_leaves_no_process(folder: Path) -> None:
    """Neither zygote nor workers, also while a query runs."""
    pool = QueryPool(folder, Limits(fast=2))
    workers = [worker.pid for worker in pool._idle]
    reader = pool.answer(sparql.parse(ALL), rdf.XML)
    next(reader)
    pool.close()
    for pid in workers:
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(OverloadedError):
        run(pool, "ASK {}")


def test_a_retired_pool_finishes_what_runs(folder: Path) -> None:
    """Then its processes end."""
    pool = QueryPool(folder, Limits(fast=1))
    reader = pool.answer(sparql.parse(ALL), rdf.XML)
    head = next(reader)
    pool.retire()
    assert (head + b"".join(reader)).endswith(b"</sparql>")
    for _ in range(200):
        if not pool._zygote.is_alive():
            break
        time.sleep(0.05)
    assert not pool._zygote.is_alive()


def test_a_large_store_is_opened_by_the_workers(folder: Path) -> None:
    """Above the configured size nothing is held in memory."""
    pool = QueryPool(folder, Limits(in_memory=10, fast=1, memory=2 << 30))
    try:
        (row,) = json.loads(run(pool, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))["results"][
            "bindings"
        ]
        assert row["n"]["value"] == "20000"
    finally:
        pool.close()


def test_a_store_that_is_none_is_told(tmp_path: Path) -> None:
    """Not an empty graph."""
    with pytest.raises(StoreError, match="could not be loaded"):
        QueryPool(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []
