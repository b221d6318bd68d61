"""Faults at system calls, by strace: which there are, and what one of them does to an operation."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults import scenarios

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.scenarios import Operation

KILLED = (
    "fsync", "fdatasync", "rename", "link", "linkat", "unlink", "unlinkat", "mkdir", "rmdir",
    "ftruncate", "fallocate", "pwrite64", "write",
)  # fmt: skip
FAILING = ("fsync", "fdatasync", "rename", "link", "mkdir", "ftruncate", "write", "pwrite64")
_COUNT = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$")


@dataclass(frozen=True)
class Fault:
    """The n-th call of a kind is where the process is killed, or gets an error."""

    call: str
    what: str
    """``signal=SIGKILL``, ``error=EIO``, ``error=ENOSPC``."""
    when: str

    @property
    def text(self) -> str:
        """The fault as strace takes it."""
        return f"{self.call}:{self.what}:when={self.when}"


@dataclass(frozen=True)
class Outcome:
    """What became of an operation that met a fault."""

    fired: bool
    acknowledged: bool
    after: bool
    """Whether the new state is the current one."""
    violations: tuple[str, ...]


def plan(operation: Operation, base: Path, scratch: Path) -> list[Fault]:
    """All faults that an operation can meet."""
    scenarios.copy(base, scratch)
    operation.prepare(scratch)
    command = ["strace", "-f", "--seccomp-bpf", "-c", "-e", "trace=" + ",".join(KILLED)]
    done = subprocess.run(
        [*command, *operation.command(scratch)],
        capture_output=True, text=True, env=operation.environ(), check=True,
    )  # fmt: skip
    counts = {
        match[2]: int(match[1])
        for line in done.stderr.splitlines()
        if (match := _COUNT.match(line))
    }
    faults = [
        Fault(call, "signal=SIGKILL", str(when))
        for call in KILLED
        for when in range(1, counts.get(call, 0) + 1)
    ]
    for call in FAILING:
        for when in range(1, counts.get(call, 0) + 1):
            faults.append(Fault(call, "error=EIO", str(when)))
            faults.append(Fault(call, "error=ENOSPC", f"{when}+"))
    return faults


def meet(operation: Operation, fault: Fault, base: Path, scratch: Path) -> Outcome:
    """Let an operation meet a fault, and look at what is left."""
    scenarios.copy(base, scratch)
    operation.prepare(scratch)
    before = scenarios.state(scratch)
    trace = scratch.with_suffix(".trace")
    done = subprocess.run(
        [
            "strace", "-f", "--seccomp-bpf", "-o", str(trace), "-e", f"trace={fault.call}", "-e",
            f"inject={fault.text}", *operation.command(scratch),
        ],
        capture_output=True, text=True, env=operation.environ(), check=False,
    )  # fmt: skip
    told = trace.read_text(errors="replace")
    fired = "INJECTED" in told or "killed by SIGKILL" in told
    acknowledged = done.returncode == 0
    violations: list[str] = []
    if "Traceback" in done.stderr:
        violations.append(f"a traceback: {done.stderr[-400:]}")
    after = judge(operation, scratch, before, acknowledged=acknowledged, violations=violations)
    return Outcome(fired, acknowledged, after, tuple(violations))


def judge(
    operation: Operation,
    folder: Path,
    before: str,
    *,
    acknowledged: bool,
    violations: list[str],
) -> bool:
    """Check what an operation left behind, and that it can be done again.

    Whether the new state is the current one is given back.
    """
    expected = after_state(operation, folder)
    found = scenarios.state(folder)
    if found not in {before, expected}:
        violations.append("the current release is neither the old nor the new state")
    if acknowledged and found != expected:
        violations.append("acknowledged, but not there")
    violations += scenarios.problems(folder)
    if operation.name == "backup":
        _judge_backup(folder, acknowledged=acknowledged, violations=violations)
    done_before = {"forget": acknowledged, "backup": (folder / "backup").exists()}
    again = subprocess.run(
        operation.command(folder), capture_output=True, text=True, env=operation.environ(),
        check=False,
    )  # fmt: skip
    if (
        not done_before.get(operation.name)
        and again.returncode != 0
        and "Nothing is said" not in again.stderr
    ):
        violations.append(f"it cannot be done again: {again.stderr[-300:]}")
    if scenarios.state(folder) != expected:
        violations.append("after it was done again, the state is not the new one")
    violations += (f"after it was done again: {each}" for each in scenarios.problems(folder))
    violations += scenarios.gaps(folder)  # a history half exchanged is mended by the next writer
    if operation.name == "forget":
        left = scenarios.holds(folder / "var", scenarios.CANARY)
        violations += (f"{each} still holds what was forgotten" for each in left)
    return found == expected and found != before


def _judge_backup(folder: Path, *, acknowledged: bool, violations: list[str]) -> None:
    target = folder / "backup"
    if acknowledged and not target.exists():
        violations.append("the backup is acknowledged, but not there")
    if target.exists():
        copy = scenarios.opened(folder, variable=target)
        violations += (f"backup: {problem}" for _number, each in copy.verify() for problem in each)


_expected: dict[str, str] = {}


def after_state(operation: Operation, folder: Path) -> str:
    """The state that an operation leads to, if nothing happens to it."""
    return _expected[operation.name]


def expect(operation: Operation, base: Path, scratch: Path) -> None:
    """Do an operation undisturbed, and remember where it leads."""
    scenarios.copy(base, scratch)
    operation.prepare(scratch)
    subprocess.run(
        operation.command(scratch), capture_output=True, env=operation.environ(), check=True
    )
    _expected[operation.name] = scenarios.state(scratch)


def totals(outcomes: list[Outcome]) -> Counter[str]:
    """How many faults fired, how many operations were acknowledged, and what was lost."""
    fired = [each for each in outcomes if each.fired]
    return Counter(
        {
            "faults": len(fired),
            "acknowledged": sum(each.acknowledged for each in fired),
            "new state": sum(each.after for each in fired),
            "violations": sum(len(each.violations) for each in outcomes),
        }
    )
