"""Faults, in short: a few of each kind; all of them: ``make faults``."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from tests.faults import injection, kills, scenarios

CALLS = ("fsync", "rename", "link", "write")
"""Where a change becomes durable and visible."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that every operation starts from."""
    if shutil.which("strace") is None:
        pytest.fail("These tests need strace: apt-get install strace")
    folder = tmp_path_factory.mktemp("faults") / "base"
    scenarios.start(folder)
    return folder


@pytest.mark.parametrize("operation", scenarios.OPERATIONS, ids=lambda each: each.name)
def test_no_fault_tears_or_loses(
    operation: scenarios.Operation, base: Path, tmp_path: Path
) -> None:
    """Killed, or refused by the system, in the middle: old or new state, whole, and repeatable."""
    scratch = tmp_path / "scratch"
    injection.expect(operation, base, scratch)
    faults = [each for each in injection.plan(operation, base, scratch) if each.call in CALLS]
    pick = random.Random(operation.name)  # noqa: S311  no secret
    outcomes = []
    for kind in ("signal=SIGKILL", "error=EIO", "error=ENOSPC"):
        some = [each for each in faults if each.what == kind]
        outcomes.append(injection.meet(operation, pick.choice(some), base, scratch))
    outcomes.append(kills.kill_once(operation, base, scratch, pick.uniform(0.3, 1.0)))
    assert not [violation for each in outcomes for violation in each.violations]


def test_a_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """Killed while clients write, it and its writer; started again, everything is there."""
    server = kills.served(tmp_path / "served")
    server.run(2, clients=3, seed=5)
    assert not server.violations
    assert server.acknowledged
    assert server.restarts == 2
