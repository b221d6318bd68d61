"""Who asks what, how fast, and beside whom: the load cases L1 to L8."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
import urllib.parse
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.client import FORM, NONE, Answer, Connection, Measured, form
from tests.load.hostile import Hostile, hostile
from tests.load.server import BASE, Server

PAGES, LIGHT, MEDIUM, CACHED = "pages", "light SPARQL", "medium SPARQL", "304"
_numbers = itertools.count(random.Random().randrange(1 << 30))


@dataclass
class Run:
    """What a scenario measured."""

    kinds: dict[str, Measured] = field(default_factory=dict)
    offered: float = 0.0
    """Requests a second that were meant."""
    seconds: float = 0.0

    def add(self, kind: str, answer: Answer) -> None:
        """Count an answer."""
        self.kinds.setdefault(kind, Measured()).add(answer)

    def all(self) -> Measured:
        """The answers of all kinds."""
        return Measured([each for kind in self.kinds.values() for each in kind.answers])

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return sum(a.status in {200, 303, 304} for a in self.all().answers) / self.seconds


class Mix:
    """The requests of ordinary visitors; each query is one that was never asked before."""

    def __init__(self, things: int, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._things = things
        self._etag = ""

    async def request(
        self, connection: Connection, since: float | None = None
    ) -> tuple[str, Answer]:
        """Make one request of the mix."""
        share = self._chance.random()
        thing = self._chance.randrange(self._things)
        if share < 0.6:
            accept = self._chance.choice(["text/html", "text/turtle", "application/ld+json"])
            path = f"/doc/organisation/{thing}"
            return PAGES, await connection.ask(path, {"Accept": accept}, since=since)
        if share < 0.75:
            path = f"/doc/organisation/{thing % 10}"
            headers = {"Accept": "text/turtle"}
            if self._etag:
                headers["If-None-Match"] = self._etag
            answer = await connection.ask(path, headers, since=since)
            self._etag = answer.headers.get("etag", self._etag)
            return CACHED, answer
        if share < 0.95:
            return LIGHT, await light(connection, thing, since)
        return MEDIUM, await medium(connection, since)


async def light(connection: Connection, thing: int, since: float | None = None) -> Answer:
    """A query that touches a few triples."""
    text = (
        f"SELECT ?label ?place {{ <{BASE}id/organisation/{thing}> <http://x/partner> ?other . "
        f"?other <http://www.w3.org/2004/02/skos/core#prefLabel> ?label ; <http://x/place> ?place "
        f'FILTER(LANG(?label) = "en" && ?label != "{next(_numbers)}") }}'
    )
    return await connection.ask(f"/sparql?query={urllib.parse.quote(text)}", since=since)


async def medium(connection: Connection, since: float | None = None) -> Answer:
    """A query that counts some thousand triples."""
    text = (
        "SELECT ?place (COUNT(*) AS ?n) { ?s <http://x/place> ?place . ?s <http://x/founded> ?y "
        f'FILTER(?y != "{next(_numbers)}") }} GROUP BY ?place ORDER BY DESC(?n) LIMIT 10'
    )
    return await connection.ask(f"/sparql?query={urllib.parse.quote(text)}", since=since)


def unique(text: str | bytes) -> str | bytes:
    """A hostile query as one that was never asked before."""
    if isinstance(text, bytes) or "{" not in text:
        return text
    head, _, tail = text.rpartition("}")
    return f"{head} VALUES ?never_{next(_numbers)} {{ 1 }} }}{tail}"


async def closed(
    server: Server, mix: Callable[[Connection], Awaitable[tuple[str, Answer]]], clients: int,
    seconds: float,
) -> Run:  # fmt: skip
    """So many clients, each of which asks again as soon as it has its answer."""
    run = Run()
    started = time.perf_counter()

    async def ask(number: int) -> None:
        async with Connection(server.port, client=f"198.51.100.{number % 200 + 1}") as connection:
            while time.perf_counter() - started < seconds:
                kind, answer = await mix(connection)
                run.add(kind, answer)

    await asyncio.gather(*(ask(number) for number in range(clients)))
    run.seconds = time.perf_counter() - started
    return run


async def opened(
    server: Server,
    mix: Mix,
    rate: float,
    seconds: float,
    connections: int = 256,
    *,
    from_due: bool = True,
) -> Run:
    """So many requests a second, whatever becomes of them.

    They count from when they were due; or from when they were sent, where this machine cannot send
    as many as are due.
    """
    run = Run(offered=rate)
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for number in range(connections):
        free.put_nowait(Connection(server.port, client=f"198.51.{number % 99}.{number // 99 + 1}"))
    tasks: set[asyncio.Task[None]] = set()

    async def ask(due: float) -> None:
        connection = await free.get()
        try:
            kind, answer = await mix.request(connection, due if from_due else None)
            run.add(kind, answer)
        finally:
            free.put_nowait(connection)

    started = time.perf_counter()
    sent = 0
    while (now := time.perf_counter()) - started < seconds:
        for _ in range(int((now - started) * rate) - sent):
            task = asyncio.create_task(ask(started + (sent + 1) / rate))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    run.seconds = time.perf_counter() - started  # until the last is answered
    while not free.empty():
        await free.get_nowait().close()
    return run


@contextlib.asynccontextmanager
async def beside_hostile(
    server: Server, connections: int = 12, clients: int = 8, kinds: tuple[str, ...] = ("product",
    "path", "text", "pattern"),
) -> AsyncIterator[Counter[int]]:  # fmt: skip
    """Let hostile connections ask without a pause while the block runs; counts their statuses."""
    texts = [each.text for each in hostile(9) if each.kind in kinds]
    random.Random(3).shuffle(texts)
    statuses: Counter[int] = Counter()
    over = asyncio.Event()

    async def ask(number: int) -> None:
        async with Connection(
            server.port, client=f"203.0.113.{number % clients + 1}"
        ) as connection:
            for text in itertools.islice(itertools.cycle(texts), number * 7, None):
                if over.is_set():
                    break
                body = form(unique(text))
                answer = await connection.ask("/sparql", FORM, body=body, patience=90)
                statuses[answer.status] += 1

    tasks = [asyncio.create_task(ask(number)) for number in range(connections)]
    try:
        await asyncio.sleep(1)
        yield statuses
    finally:
        over.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def each_hostile(
    server: Server, listener: int, at_once: int = 6
) -> list[tuple[Hostile, Answer]]:
    """Ask every hostile query once; gives the answers."""
    waiting = list(hostile(listener))
    answers: list[tuple[Hostile, Answer]] = []

    async def ask() -> None:
        async with Connection(server.port) as connection:
            while waiting:
                each = waiting.pop()
                answer = await connection.ask("/sparql", FORM, body=form(each.text))
                for _ in range(100):  # busy with another: asked again, as the answer says
                    if answer.status != 503 or "retry-after" not in answer.headers:
                        break
                    await asyncio.sleep(0.3)
                    answer = await connection.ask("/sparql", FORM, body=form(each.text))
                answers.append((each, answer))

    await asyncio.gather(*(ask() for _ in range(at_once)))
    return answers


async def slow_readers(server: Server, count: int, seconds: float) -> list[asyncio.StreamWriter]:
    """Open connections that ask for everything and take a byte a second."""
    writers = []
    text = urllib.parse.quote("SELECT * { ?s ?p ?o }")
    for _ in range(count):
        _reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.write(f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await writer.drain()
        writers.append(writer)
    await asyncio.sleep(seconds)
    return writers


async def slow_senders(server: Server, count: int, clients: int) -> list[asyncio.StreamWriter]:
    """Open connections that announce a query and send nothing but its beginning."""
    writers = []
    for number in range(count):
        _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
            f"X-Forwarded-For: 203.0.113.{number % clients + 1}\r\nContent-Length: 500\r\n\r\n"
            "SELECT".encode()
        )
        await writer.drain()
        writers.append(writer)
    return writers


async def half_open(server: Server, count: int) -> list[asyncio.StreamWriter]:
    """Open connections that never finish their request."""
    writers = []
    for _ in range(count):
        _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        await writer.drain()
        writers.append(writer)
    return writers


async def health(server: Server) -> float:
    """Seconds until /health answers 200."""
    async with Connection(server.port) as connection:
        answer = await connection.ask("/health", patience=30)
    return answer.seconds if answer.status == 200 else float("inf")


def killed(server: Server) -> Iterator[tuple[str, float]]:
    """Kill each process below the server in turn; gives what it was, and how long it was missed."""
    for pid in server.descendants()[1:]:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
            yield command[-80:], server.wait()


__all__ = [
    "CACHED", "LIGHT", "MEDIUM", "NONE", "PAGES", "Mix", "Run", "beside_hostile", "closed",
    "each_hostile", "half_open", "health", "killed", "light", "medium", "opened", "slow_readers",
    "slow_senders",
]  # fmt: skip
