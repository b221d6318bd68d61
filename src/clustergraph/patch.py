"""Patches: the exact quads that a change adds and removes; as RDF Patch lines, composed, inverted.

The line format is RDF Patch (https://afs.github.io/rdf-delta/rdf-patch.html): ``A`` or ``D``, then
the quad as in N-Quads.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

import pyoxigraph as ox

from clustergraph.errors import CorruptedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_LEVEL = 3  # of gzip: the highest takes ten times as long and saves a tenth


@dataclass(frozen=True)
class Patch:
    """Quads added and quads removed; no quad is in both."""

    added: frozenset[ox.Quad] = frozenset()
    removed: frozenset[ox.Quad] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def __len__(self) -> int:
        return len(self.added) + len(self.removed)

    def then(self, later: Patch) -> Patch:
        """One patch that does what this one and then ``later`` do.

        Both must fit the state they are applied to: nothing is added that is there, nothing
        removed that is not.
        """
        return Patch(
            (self.added - later.removed) | (later.added - self.removed),
            (self.removed - later.added) | (later.removed - self.added),
        )

    def inverse(self) -> Patch:
        """The patch that undoes this one."""
        return Patch(self.removed, self.added)

    def where(self, keep: Callable[[ox.Quad], bool]) -> Patch:
        """The part of this patch whose quads ``keep`` accepts."""
        return Patch(frozenset(filter(keep, self.added)), frozenset(filter(keep, self.removed)))

    def applied(self, quads: Iterable[ox.Quad]) -> set[ox.Quad]:
        """The quads as they are after this patch."""
        return (set(quads) - self.removed) | self.added

    def graphs(self) -> set[str]:
        """The names of the graphs that it changes; "" for the default graph."""
        return {getattr(quad.graph_name, "value", "") for quad in (*self.added, *self.removed)}

    def lines(self) -> Iterator[str]:
        """The patch as RDF Patch lines, sorted: what is removed comes first."""
        for mark, quads in (("D", self.removed), ("A", self.added)):
            yield from (f"{mark} {line} ." for line in sorted(map(str, quads)))

    def to_rdf_patch(self, header: Iterable[tuple[str, str]] = ()) -> bytes:
        """The patch as one RDF Patch transaction.

        Args:
            header: names and terms (as in N-Quads) of its header lines.
        """
        lines = [f"H {name} {term} ." for name, term in header]
        return "\n".join([*lines, "TX .", *self.lines(), "TC ."]).encode() + b"\n"


def between(old: Iterable[ox.Quad], new: Iterable[ox.Quad]) -> Patch:
    """The patch that makes ``new`` out of ``old``."""
    before, after = set(old), set(new)
    return Patch(frozenset(after - before), frozenset(before - after))


def write(path: Path, patch: Patch) -> None:
    """Write a patch into a gzip file; the same patch gives the same bytes."""
    removed, added = (
        [sorted(f"{quad} .\n".encode() for quad in quads)] for quads in (patch.removed, patch.added)
    )
    write_lines(path, removed, added)


def write_lines(
    path: Path, removed: Iterable[list[bytes]], added: Iterable[list[bytes]]
) -> tuple[int, int]:
    """Write a patch out of lines of N-Quads, see ``write``; memory stays flat.

    Args:
        path: of the file.
        removed: blocks of sorted lines.
        added: the same.

    Returns:
        How many are added, and how many removed.

    Raises:
        OSError: it cannot be written.
    """
    with PatchWriter(path) as out:
        for block in removed:
            out.remove(block)
        for block in added:
            out.add(block)
        return out.added, out.removed


class PatchWriter:
    """Writes a patch block by block: first what is removed."""

    def __init__(self, path: Path) -> None:
        """Begin a file.

        Raises:
            OSError: it cannot be written.
        """
        self._file = path.open("wb")
        self._out = gzip.GzipFile("", "wb", _LEVEL, fileobj=self._file, mtime=0)
        self.added = 0
        self.removed = 0

    def remove(self, lines: Sequence[bytes]) -> None:
        """Sorted lines of N-Quads that are removed."""
        self.removed += len(lines)
        self._write(b"D ", lines)

    def add(self, lines: Sequence[bytes]) -> None:
        """Sorted lines of N-Quads that are added."""
        self.added += len(lines)
        self._write(b"A ", lines)

    def _write(self, mark: bytes, lines: Sequence[bytes]) -> None:
        if lines:
            self._out.write(mark + mark.join(lines))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._out.close()
        self._file.close()


def read(path: Path) -> Patch:
    """Read what ``write`` wrote.

    Raises:
        CorruptedError: the file is missing or damaged.
    """
    try:
        with gzip.open(path) as lines:
            return parse(lines)
    except (OSError, EOFError, ValueError, SyntaxError) as error:
        raise CorruptedError(
            f"{path} cannot be read: {error}",
            hint="Take it from a backup; clustergraph verify tells what else is damaged.",
        ) from error


def parse(lines: IO[bytes] | Iterable[bytes]) -> Patch:
    """Read RDF Patch lines; headers and transaction marks are passed over.

    Raises:
        ValueError, SyntaxError: a line is no such line.
    """
    texts = {b"A": io.BytesIO(), b"D": io.BytesIO()}
    for line in lines:
        mark, _, rest = line.partition(b" ")
        if mark in texts:
            texts[mark].write(rest)
        elif mark.strip() not in {b"", b"H", b"TX", b"TC", b"PA"}:
            raise ValueError(f"no line of a patch: {line[:60]!r}")
    added, removed = (
        frozenset(ox.parse(texts[mark].getvalue(), ox.RdfFormat.N_QUADS)) for mark in (b"A", b"D")
    )
    return Patch(added, removed)


def mentions(path: Path, text: bytes) -> bool:
    """Whether a patch file holds a text: a cheap look before it is parsed.

    Raises:
        CorruptedError: the file is missing or damaged.
    """
    try:
        with gzip.open(path) as lines:
            return any(text in line for line in lines)
    except (OSError, EOFError) as error:
        raise CorruptedError(f"{path} cannot be read: {error}") from error
