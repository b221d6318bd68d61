"""``python -m tests.load``: the load cases L1 to L8; writes their figures to docs/operations.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.load import scenarios
from tests.load.client import FORM, Answer, Connection, Measured, closed, form
from tests.load.scenarios import CACHED, LIGHT, PAGES, Mix, Run
from tests.load.server import Server, build, project, served

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/operations.md"
START, END = "<!-- figures -->", "<!-- end -->"
GOOD = (200, 303, 304)
LIMIT = 5
"""Seconds that a query may take here."""


def milliseconds(measured: Measured, share: float) -> str:
    """A quantile of the good answers."""
    return f"{measured.seconds(share, *GOOD) * 1000:.0f} ms"


def statuses(run: Run) -> str:
    """How often each status came."""
    return ", ".join(
        f"{count} x {status}" for status, count in sorted(run.all().statuses().items())
    )


async def cases(server: Server, things: int, seconds: float) -> Iterator[tuple[str, str, str]]:
    """The cases that share one server: name, what is done, what was measured."""
    found: list[tuple[str, str, str]] = []

    async def light(connection: Connection) -> tuple[str, Answer]:
        return LIGHT, await scenarios.light(connection, random.randrange(things))

    mix = Mix(things)
    full = await scenarios.closed(server, mix.request, 16, seconds)
    capacity = full.rate
    found.append(
        ("L1", "16 clients, each asks again at once (C)",
         f"C = {capacity:.0f}/s; pages p99 {milliseconds(full.kinds[PAGES], 0.99)}; "
         f"{statuses(full)}")
    )  # fmt: skip
    half = await scenarios.opened(server, mix, capacity / 2, seconds)
    found.append(
        ("L1", "half of C, open loop",
         "; ".join(f"{kind} p50 {milliseconds(half.kinds[kind], 0.5)}, p99 "
                   f"{milliseconds(half.kinds[kind], 0.99)}" for kind in (PAGES, CACHED, LIGHT))
         + f"; {statuses(half)}")
    )  # fmt: skip
    quiet = await scenarios.closed(server, light, 4, seconds)
    for clients in (8, 1):
        async with scenarios.beside_hostile(server, 12, clients) as hostile:
            beside = await scenarios.closed(server, light, 4, 2 * seconds)
        measured = beside.kinds[LIGHT]
        found.append(
            ("L2", f"4 light clients alone, and beside 12 hostile connections of {clients}",
             f"light p99 {milliseconds(quiet.kinds[LIGHT], 0.99)} alone; beside: p50 "
             f"{milliseconds(measured, 0.5)}, p99 {milliseconds(measured, 0.99)}, max "
             f"{milliseconds(measured, 1)}, {measured.share(*GOOD):.1%} good; hostile ones: "
             + ", ".join(f"{n} x {status}" for status, n in sorted(hostile.items())))
        )  # fmt: skip
        await asyncio.sleep(LIMIT)
    flood = await scenarios.opened(
        server, mix, 4 * capacity, seconds, connections=500, from_due=False
    )
    await asyncio.sleep(2)
    after = await scenarios.opened(server, mix, capacity / 2, seconds)
    found.append(
        ("L3", f"4 C offered ({flood.offered:.0f}/s)",
         f"{len(flood.all().answers) / seconds:.0f}/s were sent; {statuses(flood)}; "
         f"good {flood.rate:.0f}/s ({flood.rate / capacity:.0%} of C), p99 of those "
         f"{milliseconds(flood.all(), 0.99)}; 2 s later pages p99 "
         f"{milliseconds(after.kinds[PAGES], 0.99)}")
    )  # fmt: skip
    found += [await over_limit(server)]
    idle = await scenarios.half_open(server, 200)
    readers = await scenarios.slow_readers(server, 100, 1)
    health = [await scenarios.health(server) for _ in range(10)]
    asked = await scenarios.closed(server, light, 2, 2)
    await closed(*idle, *readers)
    found.append(
        ("L5", "200 half-open connections, 100 readers of a byte a second",
         f"/health in at most {max(health) * 1000:.0f} ms; light queries: {statuses(asked)}")
    )  # fmt: skip
    return iter(found)


async def over_limit(server: Server) -> tuple[str, str, str]:
    """How long a query over its limit is answered in, and until the pool is whole again."""
    text = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    async with Connection(server.port) as connection:
        answers = []
        for _ in range(3):
            body = form(scenarios.unique(text))
            answers.append(await connection.ask("/sparql", FORM, body=body))
        after = await scenarios.light(connection, 1)
    return (
        "L4", f"a query over its limit of {LIMIT} s",
        f"{answers[0].status} after {max(each.seconds for each in answers):.2f} s at most; a light "
        f"query behind it {after.status} after {after.seconds * 1000:.0f} ms",
    )  # fmt: skip


async def soak(server: Server, things: int, seconds: float) -> tuple[str, str, str]:
    """Memory and open files over a longer run."""
    mix = Mix(things)
    await scenarios.closed(server, mix.request, 8, seconds / 10)
    memory, files = server.memory(), server.files()
    async with scenarios.beside_hostile(server, 4, 4):
        run = await scenarios.closed(server, mix.request, 8, seconds)
    await asyncio.sleep(LIMIT + 2)
    return (
        "L6", f"{seconds:.0f} s of the mix with 8 clients and 4 hostile ones",
        f"{len(run.all().answers)} answers; memory of all processes {memory >> 20} MiB, then "
        f"{server.memory() >> 20} MiB; open files {files}, then {server.files()}",
    )  # fmt: skip


async def publishing(server: Server, things: int, rate: float) -> tuple[str, str, str]:
    """20 releases while half of what is possible is asked."""
    quiet = await scenarios.opened(server, Mix(things), rate / 2, 10)
    token = server.token()
    reading = asyncio.create_task(scenarios.opened(server, Mix(things, seed=2), rate / 2, 40))
    took = []
    async with Connection(server.port) as connection:
        for number in range(20):
            text = f"INSERT DATA {{ GRAPH <http://x/g> {{ <http://x/a> <http://x/b> {number} }} }}"
            headers = {"Content-Type": "application/sparql-update", "Authorization": token}
            answer = await connection.ask("/update", headers, body=text.encode())
            if answer.status not in {200, 201, 204}:
                raise RuntimeError(f"a write failed: {answer}")
            took.append(answer.seconds)
            await asyncio.sleep(0.5)
    run = await reading
    return (
        "L7", "20 writes over HTTP, a release each, at half of C",
        f"{statuses(run)}; pages p99 {milliseconds(run.kinds[PAGES], 0.99)}, before it "
        f"{milliseconds(quiet.kinds[PAGES], 0.99)}; a release took "
        f"{statistics.median(took):.2f} s",
    )  # fmt: skip


def restarts(folder: Path, triples: int) -> tuple[str, str, str]:
    """How long a start takes, and how long a process that is killed is missed."""
    started = time.perf_counter()
    with served(folder, query_seconds=LIMIT, log=False, default_graph="merge") as server:
        ready = time.perf_counter() - started
        missed = [seconds for _what, seconds in scenarios.killed(server)]
    return (
        "L8", f"a start with {triples} triples; each process killed in turn",
        f"ready after {ready:.1f} s; answering again after at most {max(missed):.1f} s",
    )  # fmt: skip


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=20_000, help="ten triples each")
    parser.add_argument("--seconds", type=float, default=15, help="of each case")
    parser.add_argument("--soak", type=float, default=120, help="seconds of L6")
    parser.add_argument("--large", type=int, default=100_000, help="things of L8")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = project(Path(scratch) / "project", options.things)
        limits = {
            "query_seconds": LIMIT, "trusted_proxies": 1, "log": False, "default_graph": "merge",
        }  # fmt: skip
        with served(folder, **limits) as server:
            found = list(asyncio.run(cases(server, options.things, options.seconds)))
            found.append(asyncio.run(soak(server, options.things, options.soak)))
        with served(folder, **limits) as server:
            mix = Mix(options.things)
            capacity = asyncio.run(scenarios.closed(server, mix.request, 16, 5)).rate
            found.append(asyncio.run(publishing(server, options.things, capacity)))
        found.append(restarts(folder, options.things * 10))
        large = project(Path(scratch) / "large", options.large)
        build(large, default_graph="merge")
        found.append(restarts(large, options.large * 10))
    lines = [
        f"Measured on {datetime.datetime.now(datetime.UTC).date()}, {os.cpu_count()} cores, "
        f"{platform.platform(terse=True)}, Python {platform.python_version()}, "
        f"{options.things * 10} triples where nothing else is said; the clients ran on the same "
        "machine.",
        "", "| case | what | measured |", "| --- | --- | --- |",
        *(f"| {name} | {what} | {measured} |" for name, what, measured in found),
    ]  # fmt: skip
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(
        f"{before}{START}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
