"""Sorted lines, whether they fit in memory or not, are what sorting and sets give."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clustergraph.store.sorting import Changed, Sorter, cut, difference

LINES = st.lists(st.integers(0, 60).map(lambda number: b"<http://x/%d> .\n" % number), max_size=80)


def sorter(folder: Path, lines: list[bytes], most: int) -> Sorter:
    """One that was given some lines, a few at a time."""
    made = Sorter(folder, most)
    for start in range(0, len(lines), 3):
        made.add(b"".join(lines[start : start + 3]))
    return made


@given(LINES, st.sampled_from([40, 200, 1 << 20]))
def test_lines_come_sorted_and_once(lines: list[bytes], most: int) -> None:
    """Also where most of them had to wait in files; and again at the second look."""
    with tempfile.TemporaryDirectory() as folder:
        made = sorter(Path(folder), lines, most)
        assert bool(made) is bool(lines)
        for _ in range(2):
            assert list(itertools.chain.from_iterable(made.blocks())) == sorted(set(lines))


@given(LINES, LINES, st.sampled_from([40, 1 << 20]))
def test_the_difference_is_that_of_the_sets(old: list[bytes], new: list[bytes], most: int) -> None:
    """What is gone, and what is new."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = [sorter(folder, lines, most).blocks() for lines in (old, new)]
        removed, added = Sorter(folder, most), Sorter(folder, most)
        difference(sides[0], sides[1], removed, added)
        found = [list(itertools.chain.from_iterable(side.blocks())) for side in (removed, added)]
    assert found == [sorted(set(old) - set(new)), sorted(set(new) - set(old))]


@given(LINES, LINES, LINES)
def test_a_change_is_applied(lines: list[bytes], removed: list[bytes], added: list[bytes]) -> None:
    """As to a set: first what goes, then what comes."""
    with tempfile.TemporaryDirectory() as name:
        base = sorter(Path(name), lines, 100)
        changed = Changed(base, frozenset(removed), set(added))
        found = list(itertools.chain.from_iterable(changed.blocks()))
    assert found == sorted((set(lines) - set(removed)) | set(added))


def test_blocks_are_bounded() -> None:
    """However many lines there are."""
    lines = [b"%06d\n" % number for number in range(20_000)]
    assert [len(block) for block in cut(lines)] == [8192, 8192, 3616]
