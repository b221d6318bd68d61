"""Our engine beside others: ``python -m bench.validation``; the table goes to docs/benchmarks.md.

Each run is a process of its own; the validators take turns, so that a busy machine is busy for all.
The others are installed into ``bench/.venv-validators``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import graph, machine
from bench.peers import environment
from bench.validators import VALIDATORS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DOCUMENT = ROOT / "docs/benchmarks.md"
SIZES = {"10k": 10_000, "100k": 100_000, "1M": 1_000_000}
_BEGIN, _END = "<!-- validation -->", "<!-- end of validation -->"


@dataclass
class Measured:
    """What came of one validator at one size."""

    version: str = ""
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    verdict: tuple[object, ...] = ()
    """Whether it conforms, how many results, their digest."""
    failure: str = ""


def main() -> int:
    """Run everything, print as it goes, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10k,100k,1M", help="some of " + ", ".join(SIZES))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each validator")
    parser.add_argument("--limit", type=float, default=900, help="seconds that one run may take")
    parser.add_argument("--peers", type=Path, help="a Python that has the others installed")
    parser.add_argument("--only", default="", help="names of validators; all if not given")
    options = parser.parse_args()
    names = [each for each in VALIDATORS if not options.only or each in options.only.split(",")]
    peers = options.peers or environment("validators") / "python"
    found: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="clustergraph-bench-") as folder:
        for size in options.sizes.split(","):
            data = Path(folder) / f"{size}.nt"
            print(f"{size}: {graph.write(data, SIZES[size]):,} triples", flush=True)
            found[size] = {name: Measured() for name in names}
            for number in range(options.rounds):
                for name in names:
                    measured = found[size][name]
                    if not measured.failure:
                        _run(name, peers, data, options.limit, measured)
                        print(f"  round {number + 1}: {_line(name, measured)}", flush=True)
                _write(_table(found, options.rounds, options.limit))  # long runs are broken off
    print(_table(found, options.rounds, options.limit))
    return 0


def _run(name: str, peers: Path, data: Path, limit: float, measured: Measured) -> None:
    is_ours = name.startswith("clustergraph")
    command = [
        sys.executable if is_ours else str(peers), str(HERE / "validators.py"), name, str(data),
        str(HERE / "shapes.ttl"),
    ]  # fmt: skip
    environment = {each: text for each, text in os.environ.items() if each != "PYTHONPATH"}
    if is_ours:
        environment["PYTHONPATH"] = str(ROOT / "src")
    environment["BENCH_STARTED"] = str(time.time())
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        measured.failure = f"more than {limit:g} s"
        return
    if done.returncode != 0:
        measured.failure = f"failed: {(done.stderr.strip().splitlines() or ['killed'])[-1][:80]}"
        return
    told = json.loads(done.stdout.splitlines()[-1])
    measured.version = told["version"]
    measured.seconds.append(told["seconds"])
    measured.peak = max(measured.peak, told["peak"])
    measured.verdict = (told["conforms"], told["results"], told["digest"])


def _line(name: str, measured: Measured) -> str:
    if measured.failure:
        return f"{name}: {measured.failure}"
    return f"{name}: {measured.seconds[-1]:.2f} s, {measured.peak:.0f} MiB, {measured.verdict}"


def _table(found: dict[str, dict[str, Measured]], rounds: int, limit: float) -> str:
    sizes = list(found)
    names = list(found[sizes[0]])
    versions = {
        name: next((found[size][name].version for size in sizes if found[size][name].version), "")
        for name in names
    }
    day = datetime.datetime.now(datetime.UTC).date()
    how = (
        f"Measured on {day}: {machine.description()}; the best of at most "
        f"{rounds} rounds in turns, each run a process of its own from its start to its report, "
        f"reading the files included; peak resident memory; at most {limit:g} s a run. The machine "
        "is shared and noisy: trust ratios, not seconds."
    )
    lines = [
        _BEGIN,
        how,
        "",
        "| validator | version | " + " | ".join(f"{each} triples" for each in sizes) + " |",
        "| --- | --- | " + " | ".join("--:" for _ in sizes) + " |",
    ]
    for name in names:
        cells = [_cell(found[size][name], found[size]["clustergraph"]) for size in sizes]
        lines.append(f"| {name} | {versions[name]} | " + " | ".join(cells) + " |")
    counts = ", ".join(
        f"{found[size]['clustergraph'].verdict[1]:,} results at {size}" for size in sizes
    )
    same = (
        "Where the table says nothing else, a validator found the same as `clustergraph`, by focus "
        f"node and component: {counts}."
    )
    lines += ["", same, _END]
    return "\n".join(lines)


def _cell(measured: Measured, ours: Measured) -> str:
    if not measured.seconds:
        return measured.failure
    cell = f"{min(measured.seconds):.2f} s, {measured.peak:.0f} MiB"
    if measured.verdict != ours.verdict:
        cell += f", another verdict ({measured.verdict[1]} results)"
    return cell


def _write(table: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    DOCUMENT.write_text(pattern.sub(lambda _match: table, text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
