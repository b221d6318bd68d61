"""A release to an engine and back, in bulk: ``python -m bench.engines`` (``make bench-engines``).

The synthetic graph is loaded as a release is, changed in part, read back and indexed; each step in
a process of its own, so that its memory can be told. The table goes to docs/scaling.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pyoxigraph as ox
from tests.engines import servers

from bench import machine, synthetic
from clustergraph import rdf, search
from clustergraph.store import probing
from clustergraph.store.capabilities import Capabilities
from clustergraph.store.connection import Access
from clustergraph.store.engine import Change, Holding, Marker
from clustergraph.store.engine.lines import Line, apart, merged
from clustergraph.store.engine.names import Names
from clustergraph.store.remote import RemoteStore

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/scaling.md"
START, END = "<!-- engines -->", "<!-- end -->"
SIZES = (1_000_000, 5_000_000)
ENGINES = ("oxigraph", "virtuoso")
_SHARE = 100  # one of so many statements changes
_WAIT = 3600.0  # seconds for which an engine may be silent


@dataclass(frozen=True)
class Job:
    """What a step works on; it goes to another process."""

    access: Access
    capabilities: Capabilities
    path: Path
    """Sorted N-Quads, all in named graphs."""
    base: str = synthetic.BASE

    def holding(self) -> Holding:
        """The dataset on the engine."""
        return Holding(
            RemoteStore(self.capabilities.reached(self.access), wire=self.capabilities.wire()),
            self.base, self.capabilities,
        )  # fmt: skip

    def lines(self) -> Iterator[Line]:
        """All lines, in their order."""
        with self.path.open("rb") as lines:
            for line in lines:
                yield apart(line, self.base)

    def marker(self, release: str) -> Marker:
        """What the engine says when it holds a release."""
        return Marker(release, frozenset(line.graph for line in self.lines()))


@dataclass(frozen=True)
class Step:
    """What a step took."""

    statements: int
    seconds: float
    memory: int
    """Most bytes that our process held."""

    @property
    def rate(self) -> float:
        """Statements in a second."""
        return self.statements / self.seconds


def load(job: Job) -> int:
    """The whole release, into an engine that holds nothing."""
    holding = job.holding()
    marker = job.marker("1")
    holding.replace(lambda: merged(job.lines()), holding.marker(), marker, ())
    return holding.count("")


def change(job: Job) -> int:
    """One of a hundred statements for another, loaded beside and switched in by one update."""
    holding = job.holding()

    def some() -> Iterator[Line]:
        return (line for number, line in enumerate(job.lines()) if number % _SHARE == 0)

    def others() -> Iterator[Line]:
        for line in some():
            subject, predicate, _value = line.triple.split(b" ", 2)
            yield Line(b'%b %b "another"' % (subject, predicate), line.graph)

    size = sum(1 for _line in some())
    held = holding.marker()
    made = Change(lambda: merged(some()), lambda: merged(others()), 4 * size)
    holding.change(made, held, Marker("2", held.graphs))
    return made.size


def export(job: Job) -> int:
    """Every named graph, by the graph store protocol."""
    return sum(text.count(b"\n") for text in _texts(job))


def index(job: Job) -> int:
    """The index for searching, built from such an export."""
    count = 0

    def quads() -> Iterator[ox.Quad]:
        nonlocal count
        for text in _texts(job):
            for quad in ox.parse(text, ox.RdfFormat.N_TRIPLES):
                count += 1
                yield quad

    with tempfile.TemporaryDirectory(dir=job.path.parent) as folder:
        search.build(Path(folder) / search.NAME, quads(), base=job.base)
    return count


def _texts(job: Job) -> Iterator[bytes]:
    """The named graphs of the release, in pieces of whole lines."""
    holding = job.holding()
    for graph in sorted(holding.marker().graphs):
        rest = b""
        for chunk in holding.store.get(graph, rdf.N_TRIPLES):
            whole, end, rest = (rest + chunk).rpartition(b"\n")
            yield whole + end
        yield rest


STEPS: dict[str, Callable[[Job], int]] = {
    "load": load, "change": change, "export": export, "index": index
}  # fmt: skip


def _apart(name: str, job: Job) -> Step:
    """Run a step; to be called in a process of its own."""
    began = time.monotonic()
    statements = STEPS[name](job)
    return Step(statements, time.monotonic() - began, peak(os.getpid()))


def peak(process: int) -> int:
    """Most bytes of memory that a process has held."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise ValueError(f"/proc/{process}/status says nothing of memory")


def data(folder: Path, triples: int) -> Path:
    """The synthetic graph, sorted as releases keep theirs; written where it is missing."""
    path = folder / f"{triples}.nq"
    if not path.exists():
        plain = path.with_suffix(".plain")
        synthetic.write(plain, triples)
        environment = os.environ | {"LC_ALL": "C"}
        command = ["sort", "-u", "-S", "256M", "-T", str(folder), str(plain), "-o", f"{path}.new"]
        subprocess.run(command, check=True, env=environment)
        plain.unlink()
        Path(f"{path}.new").rename(path)
    return path


def measured(name: str, path: Path, steps: Iterable[str]) -> Iterator[tuple[str, Step, int]]:
    """Steps with a fresh engine, one after the other, and the most memory that it has held."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=path.parent))
    try:
        with servers.running(name, folder, large=True) as server:
            known = server.settings
            access = Access(
                query=server.query, update=str(known.get("store_update", "")),
                graphs=str(known.get("store_graphs", "")),
                user=str(known.get("store_user", "")),
                password=str(known.get("store_password", "")),
                scheme=str(known.get("store_auth", "basic")), seconds=_WAIT,
            )  # fmt: skip
            capabilities = probing.found(access, Names(synthetic.BASE), write=True)
            job = Job(access, capabilities, path)
            for step in steps:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
                    done = processes.submit(_apart, step, job).result()
                yield step, done, peak(server.process.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure what was asked for, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--triples", type=int, action="append")
    parser.add_argument("--step", choices=STEPS, action="append", help="these alone")
    parser.add_argument("--folder", type=Path, help="where the data are kept from run to run")
    parser.add_argument("--write", action="store_true", help="the table goes to docs/scaling.md")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="engines-"))
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for triples in asked.triples or SIZES:
        path = data(folder, triples)
        for name in asked.engine or ENGINES:
            for step, done, theirs in measured(name, path, asked.step or STEPS):
                row = (
                    f"| {name} | {triples:,} | {step} | {done.statements:,} | {done.seconds:,.0f} "
                    f"| {done.rate:,.0f} | {done.memory >> 20:,} | {theirs >> 20:,} |"
                )
                print(row, flush=True)
                rows.append(row)
    if asked.folder is None:
        shutil.rmtree(folder)
    if asked.write:
        write(rows)


def write(rows: Iterable[str], document: Path = DOCUMENT) -> None:
    """Put the table in its place in a document."""
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(START, 1)
    behind = rest.split(END, 1)[1]
    head = (
        "| engine | triples | step | statements | seconds | a second | our memory, MiB "
        "| engine's memory, MiB |\n| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    )
    day = datetime.datetime.now(datetime.UTC).date()
    made = "\n".join([START, f"Measured {day} ({machine.description()}).", "", head, *rows, END])
    document.write_text(before + made + behind, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
