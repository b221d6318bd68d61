"""Our server beside others, in one run: ``python -m bench.queries`` (``--quick``: in 12 minutes).

Every server gets the same statements and the same texts, in turns; no text comes twice, so that no
answer is prepared. An answer that is not the same is no time. Tables and plots go to
docs/benchmarks.md, all that was measured to docs/benchmarks.json.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import math
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import machine, mix, peers, results, surfaces, synthetic, tables, writing
from bench.results import OURS, Peer, Run, Size
from bench.running import MissingError, Running, launched

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs/benchmarks.md"
SIZES = {"20k": 20_000, "100k": 100_000, "1M": 1_000_000, "5M": 5_000_000, "20M": 20_000_000}
_SLOW = ("rdflib-endpoint", "comunica")
_PLOTS = {
    "benchmarks-ratios.svg": "How many times our time each server takes, query by query",
    "benchmarks-growth.svg": "Time by size of the graph, a panel for each query",
}
_BEGIN, _END = "<!-- queries -->", "<!-- end of queries -->"
_QUICK = {
    "rounds": 3, "limit": 10.0, "slow_rounds": 1, "slow_limit": 3.0, "slow_until": "100k",
    "seconds": 3.0, "starts": 2, "requests": 40, "minutes": 11.0,
}  # fmt: skip


def main() -> int:
    """Measure, print as it goes, write tables and plots."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped on the way out
    before = _before(options.against)
    run = Run(str(datetime.datetime.now(datetime.UTC).date()), machine.description(),
              options.rounds, options.limit)  # fmt: skip
    for name in options.peers.split(","):
        with contextlib.suppress(MissingError):  # said where it is missed
            peers.PROGRAMS[name]()
    end = time.monotonic() + 60 * options.minutes  # installing is no part of it
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.sizes.split(","):
        if time.monotonic() > end:
            print(f"{name}: left out, for want of time", flush=True)
            continue
        data = options.folder / f"{name}.nq"
        data.with_suffix(".merged.nq").unlink(missing_ok=True)
        size = Size(synthetic.write(data, SIZES[name]))
        print(f"{name}: {size.quads:,} quads", flush=True)
        run.sizes[name] = size
        try:
            _Bench(name, data, size, options, end).run()
        except MissingError as error:
            print(f"{OURS} {error}", file=sys.stderr)
            return 2
        if not options.no_write:
            write(run, before)  # long runs are broken off
    print(tables.document(run, before))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="12 minutes: fewer rounds, lower limits, and "
        "rdflib-endpoint and Comunica at 100k alone")  # fmt: skip
    add("--sizes", default="100k,1M", help="some of " + ", ".join(SIZES))
    add("--peers", default=",".join(peers.PEERS), help="servers; ours must be among them")
    add("--parts", default=",".join(_Bench.PARTS), help="what is measured")
    add("--rounds", type=int, default=7, help="texts of each query")
    add("--slow-rounds", type=int, default=3, help="the same for " + " and ".join(_SLOW))
    add("--limit", type=float, default=60, help="seconds that one answer may take")
    add("--slow-limit", type=float, default=60, help="the same for " + " and ".join(_SLOW))
    add("--slow-until", default="1M", help="the largest size for these two")
    add("--crowds", default="1,8,64", help="numbers of clients of the mix")
    add("--seconds", type=float, default=10, help="length of the mix")
    add("--starts", type=int, default=5, help="how often each is started, for cold answers")
    add("--requests", type=int, default=100, help="documents of each format, and the like")
    add("--minutes", type=float, default=600, help="after which no part is begun")
    add("--against", type=Path, default=DOCUMENT.with_suffix(".json"), help="JSON of a run before")
    add("--folder", type=Path, default=HERE / ".work", help="for data and stores")
    add("--no-write", action="store_true", help="leave docs/benchmarks.* alone")
    if "--quick" in sys.argv:
        parser.set_defaults(**_QUICK)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    if OURS not in options.peers.split(","):
        parser.error(f"--peers: all is compared with {OURS}")
    if unknown := set(options.peers.split(",")) - set(peers.PEERS):
        parser.error(f"--peers: {', '.join(sorted(unknown))} is none of {', '.join(peers.PEERS)}")
    if unknown := set(options.sizes.split(",")) - set(SIZES):
        parser.error(f"--sizes: {', '.join(sorted(unknown))} is none of {', '.join(SIZES)}")
    return options


def _before(path: Path) -> Run | None:
    if not path.exists():
        return None
    try:
        return results.read(path)
    except (ValueError, KeyError, TypeError) as error:
        print(f"{path} is of another kind of run, so nothing is compared with it: {error}")
        return None


@dataclass
class _Bench:
    """All parts at one size."""

    PARTS = ("queries", "crowds", "documents", "exports", "cached", "starts", "builds")
    name: str
    data: Path
    size: Size
    options: argparse.Namespace
    end: float
    """When no part is begun any more, by the monotonic clock."""

    def run(self) -> None:
        """Load and start the servers, measure part by part."""
        servers = self._loaded()
        with contextlib.ExitStack() as stack:
            for server in servers.values():
                stack.callback(server.stop)
            for name in list(servers):
                self._launch(name, servers)
            self._part("queries", lambda: self._queries(servers))
            for name, server in servers.items():
                self.size.peers[name].memory_after = server.memory()
            self._part("crowds", lambda: self._crowds(servers))
            self._part("documents", lambda: self._documents(servers))
            self._part("exports", lambda: self._exports(_fast(servers)))
        self._part("cached", lambda: self._cached(servers[OURS]))
        self._part("starts", lambda: self._starts(_fast(servers)))
        self._part("builds", lambda: self._builds(servers))

    def _part(self, name: str, measure: Callable[[], None]) -> None:
        if name not in self.options.parts.split(","):
            return
        if time.monotonic() > self.end:
            self.size.left_out.append(f"{name}, for want of time")
            return
        began = time.monotonic()
        try:
            measure()
        except MissingError as error:
            self.size.left_out.append(f"{name}: {error}")
        print(f"  {name}: {time.monotonic() - began:.0f} s", flush=True)

    def _loaded(self) -> dict[str, Running]:
        servers: dict[str, Running] = {}
        for name in self.options.peers.split(","):
            peer = self.size.peers[name] = Peer()
            if name in _SLOW and SIZES[self.name] > SIZES[self.options.slow_until]:
                peer.missing = "was left out at this size."
                continue
            try:
                folder = self.options.folder / f"{self.name}-{name}"
                servers[name] = peers.loaded(name, self.data, folder)
            except MissingError as error:
                self._missing(name, error)
                continue
            peer.version, peer.load = servers[name].program.version, servers[name].load
            told = "loads at its start" if math.isnan(peer.load) else f"{peer.load:.1f} s to load"
            print(f"  {name} {peer.version}: {told}", flush=True)
        return servers

    def _launch(self, name: str, servers: dict[str, Running]) -> None:
        peer = self.size.peers[name]
        try:
            servers[name].launch()
        except MissingError as error:
            self._missing(name, error)
            del servers[name]
            return
        peer.starts.append(servers[name].start)
        peer.memory = servers[name].memory()
        print(
            f"  {name}: {servers[name].start:.2f} s to start, {peer.memory >> 20} MiB", flush=True
        )

    def _missing(self, name: str, error: MissingError) -> None:
        if name == OURS:
            raise error
        self.size.peers[name].missing = str(error)
        print(f"  {name} {error}", flush=True)

    def _limit(self, name: str) -> float:
        return float(self.options.slow_limit if name in _SLOW else self.options.limit)

    def _queries(self, servers: Mapping[str, Running]) -> None:
        limits = {name: self._limit(name) for name in servers}
        rounds = {
            name: self.options.slow_rounds if name in _SLOW else self.options.rounds
            for name in servers
        }
        for kind in mix.workload():
            mix.alone(kind, servers, self.size.peers, rounds=rounds, limits=limits)
            told = (f"{name} {tables.cell(self.size.peers[name].of(kind))}" for name in servers)
            print(f"    {kind}: {'; '.join(told)}", flush=True)

    def _crowds(self, servers: Mapping[str, Running]) -> None:
        chosen = _fast(servers) if self.options.quick else servers
        for clients in filter(None, self.options.crowds.split(",")):
            for name, server in chosen.items():
                peer, limit = self.size.peers[name], self._limit(name)
                crowd = mix.together(server, peer, int(clients), self.options.seconds, limit)
                if crowd is not None:
                    peer.crowds[clients] = crowd
                    if crowd.failures and name in _SLOW:
                        server.relieve()

    def _documents(self, servers: Mapping[str, Running]) -> None:
        number = self.options.requests
        chosen = _fast(servers)
        surfaces.documents(chosen, self.size.peers, min(number, 100))
        surfaces.asked(chosen, self.size.peers, number)
        surfaces.rates(chosen, self.size.peers, self.options.seconds, is_kept=False)

    def _exports(self, servers: Mapping[str, Running]) -> None:
        for name, server in servers.items():
            limit = max(60.0, self.options.limit)
            surfaces.exports(server, self.size.peers[name], self.size.quads, limit)

    def _cached(self, server: Running) -> None:
        program = server.program
        program.environment["CG_CACHE"] = "64"
        peer = self.size.peers[OURS]
        try:
            with launched(server):
                surfaces.kept(server, peer, self.options.requests)
                surfaces.rates({OURS: server}, {OURS: peer}, self.options.seconds, is_kept=True)
        finally:
            program.environment["CG_CACHE"] = "0"

    def _starts(self, servers: Mapping[str, Running]) -> None:
        for _ in range(self.options.starts - 1):
            for name, server in servers.items():
                peer = self.size.peers[name]
                with launched(server):
                    peer.starts.append(server.start)
                    mix.cold(server, peer, self._limit(name))

    def _builds(self, servers: Mapping[str, Running]) -> None:
        ours = self.size.peers[OURS]
        folder = self.options.folder / f"{self.name}-{OURS}/guarded"
        limit = max(30.0, self.end - time.monotonic()) if self.options.minutes < 600 else 3600.0
        server = writing.built(self.data, folder, ours, limit)
        if server is not None:
            others = {name: each for name, each in servers.items() if name == "oxigraph"}
            writing.write({OURS: server} | others, self.size.peers, self.options.rounds)


def _fast(servers: Mapping[str, Running]) -> dict[str, Running]:
    return {name: server for name, server in servers.items() if name not in _SLOW}


def write(run: Run, before: Run | None) -> None:
    """Put tables and plots into docs/."""
    kept = DOCUMENT.with_suffix(".json")
    run.write(kept)
    plots = []
    try:
        python = peers.environment("plots") / "python"
        subprocess.run(
            [str(python), str(HERE / "plot.py"), str(kept), str(kept.parent)], check=True
        )
        drawn = [name for name in _PLOTS if len(run.sizes) > 1 or "growth" not in name]
        plots = [f"![{_PLOTS[name]}]({name})" for name in drawn]
    except (MissingError, subprocess.CalledProcessError) as error:
        print(f"no plots: {error}", flush=True)
    text = DOCUMENT.read_text(encoding="utf-8")
    table = "\n\n".join([f"{_BEGIN}\n{tables.document(run, before)}", *plots, _END])
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    DOCUMENT.write_text(pattern.sub(lambda _match: table, text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
