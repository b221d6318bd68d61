"""Queries beside other servers, in one run: ``python -m bench.queries``.

Every server gets the same statements and the same texts, in turns; no text comes twice, so that no
answer is prepared. An answer that is not the same is no time. The table goes to docs/benchmarks.md,
all that was measured to docs/benchmarks.json.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import http.client
import itertools
import json
import math
import random
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bench import machine, peers, synthetic
from bench.client import Client, canonical, crowd

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs/benchmarks.md"
SIZES = {"100k": 100_000, "1M": 1_000_000, "5M": 5_000_000}
OURS = "clustergraph"
_LIGHT = ("01-describe", "09-co-signers", "11-union", "14-provenance", "08-date-range", "04-star")
_TOPICS = ("Photonics", "Batteries", "Hydrogen", "Textiles", "Aerospace", "Maritime", "Robotics")
_COUNTRIES = ("AT", "BE", "DE", "ES", "FI", "FR", "IT", "PL", "SE")


@dataclass
class Measured:
    """One query at one server."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    wrong: int = 0
    failure: str = ""


@dataclass
class Peer:
    """What was measured of one server at one size."""

    version: str = ""
    missing: str = ""
    load: float = 0.0
    start: float = 0.0
    memory: int = 0
    memory_after: int = 0
    queries: dict[str, Measured] = field(default_factory=lambda: defaultdict(Measured))
    crowds: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    """Good answers a second, the 99th percentile in seconds, failures, by number of clients."""


def workload() -> dict[str, str]:
    """The queries, by name; ``$N`` and the like stand for what changes from text to text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("workload/*"))}


def texts(template: str, seed: int) -> Iterator[str]:
    """Queries of a kind, without end, none of them twice."""
    chance = random.Random(seed)  # noqa: S311  no secret
    for number in itertools.count():
        text = template.replace("$N", str(chance.randrange(60)))
        text = text.replace("$TOPIC", chance.choice(_TOPICS))
        text = text.replace("$COUNTRY", chance.choice(_COUNTRIES))
        text = text.replace("$YEAR", str(chance.randint(2018, 2024)))
        yield f"# {seed}.{number}\n" + text.replace("$D", str(chance.randrange(10)))


def _fields(peer: Peer) -> dict[str, object]:
    """What is kept of a peer (``asdict`` cannot copy a defaultdict)."""
    return asdict(replace(peer, queries={})) | {
        "queries": {name: asdict(each) for name, each in peer.queries.items()}
    }


def main() -> int:
    """Measure, print as it goes, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100k,1M", help="some of " + ", ".join(SIZES))
    parser.add_argument("--peers", default=",".join(peers.PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="texts of each query")
    parser.add_argument("--limit", type=float, default=60, help="seconds that one answer may take")
    parser.add_argument("--crowds", default="1,8,64", help="numbers of clients of the mix")
    parser.add_argument("--seconds", type=float, default=10, help="length of the mix")
    parser.add_argument("--folder", type=Path, default=HERE / ".work")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.* alone")
    options = parser.parse_args()
    names = options.peers.split(",")
    found: dict[str, dict[str, Peer]] = {}
    for size in options.sizes.split(","):
        options.folder.mkdir(parents=True, exist_ok=True)
        data = options.folder / f"{size}.nq"
        data.with_suffix(".merged.nq").unlink(missing_ok=True)
        print(f"{size}: {synthetic.write(data, SIZES[size]):,} quads", flush=True)
        found[size] = _at_size(data, names, options)
        if not options.no_write:
            _write(found, options)
    print(_tables(found, options))
    return 0


def _at_size(data: Path, names: list[str], options: argparse.Namespace) -> dict[str, Peer]:
    found = {name: Peer() for name in names}
    with contextlib.ExitStack() as stack:
        servers: dict[str, peers.Running] = {}
        for name in names:
            try:
                server = stack.enter_context(
                    peers.running(name, data, options.folder / f"{data.stem}-{name}")
                )
            except peers.MissingError as error:
                found[name].missing = str(error)
                print(f"  {name} {error}", flush=True)
                continue
            servers[name] = server
            peer = found[name]
            peer.version, peer.load, peer.start = server.version, server.load, server.start
            peer.memory = server.memory()
            took = f"{_seconds(server.load)} to load, {_seconds(server.start)} to start"
            print(f"  {name} {server.version}: {took}, {peer.memory >> 20} MiB", flush=True)
        for kind, template in workload().items():
            _one_query(kind, template, servers, found, options)
        for clients in map(int, filter(None, options.crowds.split(","))):
            for name, server in servers.items():
                _crowd(name, server, clients, found[name], options)
        for name, server in servers.items():
            found[name].memory_after = server.memory()
    return found


def _one_query(
    kind: str, template: str, servers: dict[str, peers.Running], found: dict[str, Peer],
    options: argparse.Namespace,
) -> None:  # fmt: skip
    clients = {name: Client(server.endpoint, options.limit) for name, server in servers.items()}
    for text in itertools.islice(texts(template, 1), options.rounds + 1):
        first_round = text.startswith("# 1.0\n")
        right: object = None
        for name, client in clients.items():
            measured = found[name].queries[kind]
            if measured.failure:
                continue
            try:
                answer = client.ask(text)
                if answer.status != 200:
                    raise http.client.HTTPException(f"{answer.status} {answer.body[:80]!r}")
                came: object = canonical(text, answer.body)
            except TimeoutError:
                measured.failure = f"> {options.limit:g} s"
                client.close()
                continue
            except (OSError, http.client.HTTPException, ValueError, SyntaxError) as error:
                measured.failure = f"{type(error).__name__}: {error}"[:120]
                client.close()
                continue
            right = came if right is None else right
            measured.wrong += came != right
            if not first_round:  # the first is for warming up
                measured.seconds.append(answer.seconds)
                measured.first.append(answer.first)
    for client in clients.values():
        client.close()
    line = "; ".join(f"{name} {_cell(found[name].queries[kind])}" for name in servers)
    print(f"  {kind}: {line}", flush=True)


def _crowd(
    name: str, server: peers.Running, clients: int, peer: Peer, options: argparse.Namespace
) -> None:
    templates = workload()
    light = [templates[kind] for kind in _LIGHT if not peer.queries[kind].failure]
    if not light:
        return

    def queries(number: int) -> Iterator[str]:
        kinds = [texts(each, 1000 + 97 * number + clients) for each in light]
        chance = random.Random(number)  # noqa: S311  no secret
        while True:
            yield next(chance.choice(kinds))

    rate, times, failures = crowd(server.endpoint, clients, options.seconds, queries)
    slow = statistics.quantiles(times, n=100)[98] if len(times) > 2 else math.nan
    peer.crowds[str(clients)] = (rate, slow, failures)
    print(f"  {name}, {clients} clients: {rate:.0f}/s, p99 {_seconds(slow)}, "
          f"{failures} not answered", flush=True)  # fmt: skip


# -- what is written -------------------------------------------------------------------------------


def _median(measured: Measured) -> float:
    good = measured.seconds and not measured.failure and not measured.wrong
    return statistics.median(measured.seconds) if good else math.nan


def _seconds(seconds: float) -> str:
    if math.isnan(seconds):
        return "-"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _cell(measured: Measured) -> str:
    if measured.failure:
        return measured.failure
    if measured.wrong:
        return f"another answer ({measured.wrong} of {len(measured.seconds) + 1})"
    return _seconds(_median(measured))


def _ratio(theirs: Measured, ours: Measured) -> str:
    ratio = _median(theirs) / _median(ours)
    return f"{ratio:.1f} ({_cell(theirs)})" if not math.isnan(ratio) else _cell(theirs)


def _mean(peer: Peer, ours: Peer) -> float:
    ratios = [
        _median(measured) / _median(ours.queries[kind]) for kind, measured in peer.queries.items()
    ]
    ratios = [each for each in ratios if not math.isnan(each)]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def _tables(found: dict[str, dict[str, Peer]], options: argparse.Namespace) -> str:
    day = datetime.datetime.now(datetime.UTC).date()
    how = (
        f"Measured on {day}: {machine.description()}. Medians of {options.rounds} texts of each "
        "query, over HTTP, none sent twice; all servers in one run, in turns, with the client on "
        "the same machine. Each cell: how many times our time, and the time itself. "
        "The machine is shared and noisy: trust ratios, not seconds."
    )
    parts = [how]
    for size, measured in found.items():
        parts.append(_table(size, measured))
    return "\n\n".join(parts)


def _table(size: str, found: dict[str, Peer]) -> str:
    ours = found[OURS]
    others = [name for name, peer in found.items() if name != OURS and not peer.missing]
    lines = [
        f"### {size} quads",
        "",
        f"| query | {OURS} {ours.version} | "
        + " | ".join(f"{name} {found[name].version}" for name in others) + " |",
        "| --- |" + " --: |" * (len(others) + 1),
        "| **geometric mean** | 1 | "
        + " | ".join(f"**{_mean(found[name], ours):.1f}**" for name in others) + " |",
    ]  # fmt: skip
    for kind in ours.queries:
        cells = [_ratio(found[name].queries[kind], ours.queries[kind]) for name in others]
        lines.append(f"| {kind} | {_cell(ours.queries[kind])} | " + " | ".join(cells) + " |")
    everyone = [ours, *(found[name] for name in others)]
    for clients in ours.crowds:
        cells = [
            f"{rate:.0f}/s, p99 {_seconds(slow)}" + (f", {failures} refused" if failures else "")
            for rate, slow, failures in (
                peer.crowds.get(clients, (math.nan, math.nan, 0)) for peer in everyone
            )
        ]
        lines.append(f"| light mix, {clients} clients | " + " | ".join(cells) + " |")
    for label, value in (
        ("loading, before the start", [_seconds(each.load) for each in everyone]),
        ("start to the first answer", [_seconds(each.start) for each in everyone]),
        ("memory, at first", [f"{each.memory >> 20} MiB" for each in everyone]),
        ("memory, at the end", [f"{each.memory_after >> 20} MiB" for each in everyone]),
    ):
        lines.append(f"| {label} | " + " | ".join(value) + " |")
    for name, peer in found.items():
        if peer.missing:
            lines += ["", f"{name} {peer.missing}"]
    return "\n".join(lines)


_BEGIN, _END = "<!-- queries -->", "<!-- end of queries -->"


def _write(found: dict[str, dict[str, Peer]], options: argparse.Namespace) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = f"{_BEGIN}\n{_tables(found, options)}\n{_END}"
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    DOCUMENT.write_text(pattern.sub(lambda _match: table, text), encoding="utf-8")
    everything = {
        "measured": str(datetime.datetime.now(datetime.UTC).date()),
        "machine": machine.description(),
        "sizes": {
            size: {name: _fields(peer) for name, peer in measured.items()}
            for size, measured in found.items()
        },
    }
    DOCUMENT.with_suffix(".json").write_text(json.dumps(everything, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
