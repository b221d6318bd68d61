"""Lines sorted and each kept once, in bounded memory: what is too much waits in files.

All goes by blocks, lists of some thousand lines: what is done to a block is done by the sort, the
sets and the bisection that Python has, not line by line.
"""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING, Protocol, TypeAlias

from clustergraph.store import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set
    from pathlib import Path

Block: TypeAlias = list[bytes]
"""Whole lines, sorted, each once; never empty."""

_BYTES = 96 << 20
"""Text that is sorted in memory at once."""
_LINES = 8192
"""Lines of a block, where we choose."""
_names = itertools.count()


class Sorter:
    """Takes whole lines in any order, gives them sorted and each once, as often as wanted."""

    def __init__(self, folder: Path, most: int = 0) -> None:
        """Nothing yet.

        Args:
            folder: for files of its own, which whoever made the folder removes.
            most: bytes of text to hold in memory; 0 for as many as usual.
        """
        self._folder = folder
        self._most = most or _BYTES
        self._texts: list[bytes] = []
        self._held = 0
        self._lines: Block = []
        self._runs: list[Path] = []

    def add(self, text: bytes) -> None:
        """Take lines, each with its end.

        Raises:
            OSError: they cannot be written.
        """
        self._texts.append(text)
        self._held += len(text)
        if self._held >= self._most:
            self._settle()
            path = self._folder / f"run-{next(_names)}"
            flat.write(path, self._lines, merged=False)
            self._runs.append(path)
            self._lines, self._held = [], 0

    def _settle(self) -> None:
        if self._texts:
            lines = b"".join((*self._lines, *self._texts)).splitlines(keepends=True)
            self._texts.clear()
            lines.sort()
            self._lines = list(dict.fromkeys(lines))

    def blocks(self) -> Iterator[Block]:
        """All lines.

        Raises:
            OSError, zstandard.ZstdError: they cannot be read.
        """
        self._settle()
        runs: list[Iterator[Block]] = [flat.blocks(each) for each in self._runs]
        runs.append(cut(self._lines))
        return merged(runs)

    def __bool__(self) -> bool:
        return bool(self._texts or self._lines or self._runs)


def cut(lines: Block) -> Iterator[Block]:
    """Sorted lines in blocks."""
    for start in range(0, len(lines), _LINES):
        yield lines[start : start + _LINES]


def merged(runs: Iterable[Iterator[Block]]) -> Iterator[Block]:
    """Several runs of sorted lines as one, each line once."""
    waiting = [(block, run) for run in runs if (block := next(run, []))]
    while len(waiting) > 1:
        bound = min(block[-1] for block, _run in waiting)
        taken: Block = []
        left: list[tuple[Block, Iterator[Block]]] = []
        for block, run in waiting:
            position = bisect.bisect_right(block, bound)
            taken += block[:position]
            rest = block[position:] or next(run, [])
            if rest:
                left.append((rest, run))
        waiting = left
        taken.sort()
        yield list(dict.fromkeys(taken))
    for block, run in waiting:
        yield block
        yield from run


def without(blocks: Iterable[Block], gone: Set[bytes]) -> Iterator[Block]:
    """Blocks without some lines, of which there are few."""
    for block in blocks:
        kept = block if gone.isdisjoint(block) else [line for line in block if line not in gone]
        if kept:
            yield kept


def difference(old: Iterator[Block], new: Iterator[Block], removed: Sorter, added: Sorter) -> None:
    """Write what makes one run of sorted lines out of another.

    Args:
        old: the lines as they were.
        new: the lines as they are.
        removed: takes what is in ``old`` alone.
        added: takes what is in ``new`` alone.
    """
    sides = [(old, removed), (new, added)]
    heads: list[Block] = [next(run, []) for run, _ in sides]
    while any(heads):
        bound = min(head[-1] for head in heads if head)
        parts: list[Block] = []
        for side, head in enumerate(heads):
            position = bisect.bisect_right(head, bound)
            parts.append(head[:position])
            heads[side] = head[position:] or next(sides[side][0], [])
        if parts[0] == parts[1]:
            continue
        for side, part in enumerate(parts):
            other = set(parts[1 - side])
            own = [line for line in part if line not in other]
            if own:
                sides[side][1].add(b"".join(own))


class Blocks(Protocol):
    """Sorted lines, each once, that can be gone over as often as wanted."""

    def blocks(self) -> Iterator[Block]:
        """All lines."""
        ...


class Changed:
    """Sorted lines after a change."""

    def __init__(self, base: Blocks, removed: Set[bytes], added: Iterable[bytes]) -> None:
        """What is made of ``base`` by a change that fits in memory."""
        self._base = base
        self._removed = removed
        self._added = sorted(added)

    def blocks(self) -> Iterator[Block]:
        """All lines."""
        kept = self._base.blocks()
        if self._removed:
            kept = without(kept, self._removed)
        return merged([kept, cut(self._added)])


class Stored:
    """The sorted lines of a file of ``store.flat``."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path

    def blocks(self) -> Iterator[Block]:
        """All lines.

        Raises:
            OSError, zstandard.ZstdError: they cannot be read.
        """
        return flat.blocks(self._path)
