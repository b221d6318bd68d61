"""The machine on which something is measured: in words, and which of its cores are for whom."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

_ALL = tuple(sorted(os.sched_getaffinity(0)))
SERVERS = _ALL[:2]
"""The cores of servers: two, as the targets want it."""
CLIENT = _ALL[2:3] or _ALL[-1:]
"""The core of what asks: one of its own, where there are more than two."""
ONE = _ALL[:1]
"""The core of what must get along with one."""


def description() -> str:
    """Processor, memory, system and Python."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip() + ", "
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}{os.cpu_count()} processors, {memory:.0f} GiB of memory, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def pinning() -> str:
    """Who runs where, as a sentence."""
    shared = set(SERVERS) & set(CLIENT)
    where = f"core {CLIENT[0]}" + (", which it shares with them" if shared else "")
    cores = " and ".join(map(str, SERVERS))
    return f"Servers are pinned to the cores {cores}, what asks them to {where}."


@contextlib.contextmanager
def pinned(cores: tuple[int, ...]) -> Iterator[None]:
    """Whatever this thread does and starts within the block stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
