"""All faults, at length: ``python -m tests.faults``; the figures go into docs/reliability.md."""

from __future__ import annotations

import argparse
import datetime
import platform
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.faults import injection, kills, scenarios

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/reliability.md"


def main() -> int:
    """Run everything, print as it goes, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=3, help="faults per system call and kind")
    parser.add_argument("--kills", type=int, default=200, help="kills at random moments")
    parser.add_argument("--rounds", type=int, default=10, help="kills of a server under writes")
    options = parser.parse_args()
    rows: list[tuple[str, Counter[str]]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="clustergraph-faults-") as folder:
        base, scratch = Path(folder) / "base", Path(folder) / "scratch"
        scenarios.start(base)
        for operation in scenarios.OPERATIONS:
            injection.expect(operation, base, scratch)
            outcomes = []
            for fault in chosen(injection.plan(operation, base, scratch), options.points):
                outcomes.append(injection.meet(operation, fault, base, scratch))
                wrong += (f"{operation.name} {fault.text}: {v}" for v in outcomes[-1].violations)
            rows.append((f"{operation.name}: faults at system calls", injection.totals(outcomes)))
            print(rows[-1], *wrong, sep="\n", flush=True)
            outcomes = []
            moments = random.Random(7)  # noqa: S311  no secret
            for _ in range(options.kills // len(scenarios.OPERATIONS)):
                moment = moments.uniform(0.05, 1.3)
                outcomes.append(kills.kill_once(operation, base, scratch, moment))
                wrong += (f"{operation.name} killed: {v}" for v in outcomes[-1].violations)
            rows.append(
                (f"{operation.name}: kill -9 at random moments", injection.totals(outcomes))
            )
            print(rows[-1], *wrong, sep="\n", flush=True)
        server = kills.served(Path(folder) / "served")
        started = time.monotonic()
        server.run(options.rounds, clients=4, seed=11)
        wrong += server.violations
        counts = Counter(
            {
                "faults": options.rounds,
                "acknowledged": len(server.acknowledged),
                "violations": len(server.violations),
            }
        )
        rows.append(("server killed while 4 clients write", counts))
        print(rows[-1], round(time.monotonic() - started), "s", flush=True)
    write(rows)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def chosen(faults: list[injection.Fault], points: int) -> list[injection.Fault]:
    """Some faults of each call and kind, spread evenly over the operation."""
    groups: dict[tuple[str, str], list[injection.Fault]] = defaultdict(list)
    for fault in faults:
        groups[fault.call, fault.what].append(fault)
    picked: list[injection.Fault] = []
    for each in groups.values():
        step = max(1, len(each) // points)
        picked += each[step // 2 :: step][:points]
    return picked


def write(rows: list[tuple[str, Counter[str]]]) -> None:
    """Put the figures into the document, between its marks."""
    measured = (
        f"Measured on {datetime.datetime.now(datetime.UTC).date()} with Python "
        f"{platform.python_version()} on {platform.platform()}."
    )
    lines = [
        measured,
        "",
        "| what | faults that fired | acknowledged | new state current | writes lost or torn |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, counts in rows:
        lines.append(
            f"| {name} | {counts['faults']} | {counts['acknowledged']} | "
            f"{counts.get('new state', 0) or '-'} | {counts['violations']} |"
        )
    total: Counter[str] = sum((counts for _name, counts in rows), Counter())
    lines.append(
        f"| **all** | **{total['faults']}** | **{total['acknowledged']}** | | "
        f"**{total['violations']}** |"
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- figures -->\n).*?(<!-- end -->)", re.DOTALL)
    DOCUMENT.write_text(
        marked.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text),
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
