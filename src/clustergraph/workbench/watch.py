"""Tell when files change: asked again and again, which works on every file system."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_Stamp: TypeAlias = "frozenset[tuple[Path, int, int]]"


def changes(
    paths: Callable[[], Iterable[Path]], *, every: float = 0.25
) -> Iterator[tuple[Path, ...]]:
    """Yield nothing at first, then the files that changed, came or went, each time that some did.

    A change is told once the files rest, so that a save of many files is told once.

    Args:
        paths: gives the files there are.
        every: how often to look, in seconds.
    """
    known = _stamp(paths())
    yield ()
    while True:
        time.sleep(every)
        now = _stamp(paths())
        if now == known:
            continue
        while True:
            time.sleep(every)
            later = _stamp(paths())
            if later == now:
                break
            now = later
        changed = sorted({each[0] for each in known ^ now})
        known = now
        yield tuple(changed)


def _stamp(paths: Iterable[Path]) -> _Stamp:
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((path, status.st_mtime_ns, status.st_size))
    return frozenset(found)
