"""The server under hostile queries and many clients at once; ``make load`` measures the same."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.load import scenarios
from tests.load.client import FORM, Answer, Connection, closed, form
from tests.load.server import Server, project, served

pytestmark = pytest.mark.alone

THINGS = 3000
KINDS = {200, 303, 304, 429, 503}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with tight limits."""
    folder = project(tmp_path_factory.mktemp("load") / "project", THINGS)
    with served(
        folder,
        query_seconds=1,
        query_memory=300,
        trusted_proxies=1,
        log=False,
        default_graph="merge",
    ) as running:
        yield running


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port at which nothing may be heard, and what was."""
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            while True:
                try:
                    connection, _address = listening.accept()
                except OSError:
                    return
                heard.append(str(connection.recv(200)))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield listening.getsockname()[1], heard
        listening.shutdown(socket.SHUT_RDWR)


async def light(connection: Connection) -> tuple[str, Answer]:
    """A light query as a scenario's mix."""
    return scenarios.LIGHT, await scenarios.light(connection, random.randrange(THINGS))


def test_hostile_queries_end_in_the_right_answers(
    server: Server, listener: tuple[int, list[str]]
) -> None:
    """Each of some 200; nothing is called, no process is left, light queries go on."""
    port, heard = listener

    async def go() -> tuple[list[tuple[scenarios.Hostile, Answer]], scenarios.Run]:
        hostile = asyncio.create_task(scenarios.each_hostile(server, port))
        run = scenarios.Run()
        async with Connection(server.port) as connection:
            while not hostile.done():
                run.add(*await light(connection))
                await asyncio.sleep(0.05)
        return await hostile, run

    before = len(server.descendants())
    answers, run = asyncio.run(go())
    assert len(answers) > 200
    wrong = [
        (each.kind, each.text[:80], answer.status, answer.body[:200])
        for each, answer in answers
        if answer.status not in each.statuses
    ]
    assert not wrong
    for each, answer in answers:
        if (
            answer.status >= 400
            and answer.headers.get("content-type") == "application/problem+json"
        ):
            problem = json.loads(answer.body)
            assert problem["detail"], each
            assert "Traceback" not in answer.body.decode()
    assert not heard
    assert run.all().statuses().keys() == {200}
    assert server.status() == 200
    for _ in range(100):
        if len(server.descendants()) <= before + 2:
            break
        threading.Event().wait(0.1)
    assert len(server.descendants()) <= before + 2


def test_light_queries_go_on_beside_heavy_ones(server: Server) -> None:
    """Also for those who come from where the heavy ones come from."""

    async def go() -> tuple[Counter[int], Counter[int]]:
        async with scenarios.beside_hostile(server, 12, 1) as statuses:
            run = await scenarios.closed(server, light, 4, 4)
        return run.all().statuses(), statuses

    ordinary, hostile = asyncio.run(go())
    assert ordinary.keys() == {200}
    assert hostile.keys() <= KINDS
    assert hostile[503]


def test_slow_clients_hold_up_nobody(server: Server) -> None:
    """Those who do not finish their request, in its head or in its body, and slow readers."""

    async def go() -> scenarios.Run:
        idle = await scenarios.half_open(server, 200)
        readers = await scenarios.slow_readers(server, 60, 1)
        idle += await scenarios.slow_senders(server, 300, 50)  # more than there are places
        run = await scenarios.closed(server, light, 4, 2)
        async with Connection(server.port) as connection:
            run.add("health", await connection.ask("/health"))
            run.add("page", await connection.ask("/doc/organisation/1", {"Accept": "text/html"}))
        await closed(*idle, *readers)
        return run

    assert asyncio.run(go()).all().statuses().keys() == {200}


def test_more_than_can_be_done_is_refused_in_time(server: Server) -> None:
    """Nothing but answers and 'come back later'; then it is as before."""

    async def go() -> tuple[scenarios.Run, scenarios.Run]:
        mix = scenarios.Mix(THINGS)
        flood = await scenarios.opened(server, mix, 1500, 3, connections=400)
        return flood, await scenarios.closed(server, light, 2, 1)

    flood, after = asyncio.run(go())
    statuses = flood.all().statuses()
    assert set(statuses) <= KINDS
    for answer in flood.all().answers:
        assert answer.status not in {429, 503} or answer.headers.get("retry-after")
    assert after.all().statuses().keys() == {200}


def test_answers_come_from_one_release_while_others_are_published(tmp_path: Path) -> None:
    """The ETag is that of the body's release, nothing fails, every finished write is seen."""
    folder = project(tmp_path / "project", 50)
    value = "SELECT ?o { GRAPH ?g { <http://x/counter> <http://x/value> ?o } }"
    with served(folder, log=False) as running:
        token = _token(folder)

        async def read(over: asyncio.Event, seen: dict[str, set[bytes]]) -> Counter[int]:
            statuses: Counter[int] = Counter()
            async with Connection(running.port) as connection:
                while not over.is_set():
                    answer = await connection.ask("/sparql", FORM, body=form(value))
                    statuses[answer.status] += 1
                    seen.setdefault(answer.headers["etag"], set()).add(answer.body)
            return statuses

        async def write() -> None:
            async with Connection(running.port) as connection:
                for number in range(20):
                    text = (
                        "DELETE { GRAPH ?g { ?s ?p ?o } } INSERT { GRAPH <http://x/g> "
                        f"{{ <http://x/counter> <http://x/value> {number} }} }} WHERE {{ "
                        "OPTIONAL { GRAPH ?g { ?s ?p ?o FILTER(?s = <http://x/counter>) } } }"
                    )
                    answer = await connection.ask(
                        "/update",
                        {"Content-Type": "application/sparql-update", "Authorization": token},
                        body=text.encode(),
                    )
                    assert answer.status == 200, answer.body
                    answer = await connection.ask("/sparql", FORM, body=form(value))
                    bindings = json.loads(answer.body)["results"]["bindings"]
                    assert [each["o"]["value"] for each in bindings] == [str(number)]

        async def go() -> tuple[list[Counter[int]], dict[str, set[bytes]]]:
            over = asyncio.Event()
            seen: dict[str, set[bytes]] = {}
            readers = [asyncio.create_task(read(over, seen)) for _ in range(3)]
            await write()
            over.set()
            return await asyncio.gather(*readers), seen

        statuses, seen = asyncio.run(go())
        left = running.descendants()
    assert _gone(left)
    assert {status for each in statuses for status in each} == {200}
    assert len(seen) > 10
    assert all(len(bodies) == 1 for bodies in seen.values())


def _token(folder: Path) -> str:
    from clustergraph import settings  # noqa: PLC0415  only here
    from clustergraph.service import ClusterGraph  # noqa: PLC0415

    graph = ClusterGraph(settings.load(folder, environment={}))
    return f"Bearer {graph.tokens.create('writer', admin=True)[1]}"


def test_processes_that_die_are_replaced(tmp_path: Path) -> None:
    """Each in turn; none outlives the first of them, however that ends."""
    folder = project(tmp_path / "project", 50)
    with served(folder, log=False) as running:
        assert running.status("/doc/organisation/1") == 200
        for what, seconds in scenarios.killed(running):
            assert seconds < 60, what
        left = running.descendants()
        running.process.kill()
        running.process.wait(timeout=60)
        assert _gone(left)


def _gone(processes: list[int]) -> bool:
    """Whether processes end within a moment."""
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in processes):
            return True
        threading.Event().wait(0.1)
    return False
