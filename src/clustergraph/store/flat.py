"""A dataset as one file: sorted N-Quads lines, compressed with zstd.

Beside a store on disk it serves what the store is slow at: loading the whole into memory, and the
digest of the whole. The store stays what counts: who finds no such file reads the store.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pyoxigraph as ox
import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SUFFIX = ".nq.zst"
"""Stands behind the name of the store's folder."""
_LEVEL = 1
_MERGED = b"# The default graph is the merge of these.\n"


def lines_of(quads: Iterable[ox.Quad]) -> list[bytes]:
    """The lines of a dataset, sorted; blank nodes keep their names."""
    return sorted(f"{quad} .\n".encode() for quad in quads)


def patched(
    lines: list[bytes], removed: Iterable[ox.Quad], added: Iterable[ox.Quad]
) -> list[bytes]:
    """The lines after a change."""
    gone = set(lines_of(removed))
    kept = [line for line in lines if line not in gone] if gone else lines
    return sorted([*kept, *lines_of(added)])


def write(path: Path, lines: Iterable[bytes], *, merged: bool) -> None:
    """Write lines into a file; the same lines give the same bytes.

    Args:
        path: of the file.
        lines: sorted.
        merged: whether the default graph is the merge of the others; then it is not among them.
    """
    text = b"".join([_MERGED, *lines] if merged else lines)
    path.write_bytes(zstandard.ZstdCompressor(level=_LEVEL).compress(text))


def read(path: Path) -> list[bytes]:
    """The lines of a file.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    lines = _content(path).splitlines(keepends=True)
    return lines[1:] if lines[:1] == [_MERGED] else lines


def stream(path: Path) -> Iterator[bytes]:
    """The lines of a file, one by one: memory stays flat, whatever its size.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    with (
        path.open("rb") as source,
        zstandard.ZstdDecompressor().stream_reader(source) as reader,
        io.BufferedReader(reader, 1 << 20) as lines,
    ):
        for line in lines:
            if line != _MERGED:
                yield line


def parts(path: Path) -> tuple[int, Iterator[bytes]]:
    """The whole dataset as N-Quads, the default graph with it: how many lines, and their text.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    text = _content(path)
    if not text.startswith(_MERGED):
        return text.count(b"\n"), iter([text])
    merge = (line.rsplit(b" ", 2)[0] for line in text.splitlines()[1:])  # no IRI holds a blank
    return 2 * text.count(b"\n"), iter([text, b" .\n".join([*merge, b""])])


def load(path: Path) -> ox.Store:
    """The whole dataset in memory.

    Raises:
        OSError, zstandard.ZstdError, SyntaxError: it cannot be read.
    """
    store = ox.Store()
    for part in parts(path)[1]:
        store.bulk_load(part, ox.RdfFormat.N_QUADS, lenient=True)  # it was checked when written
    return store


def _content(path: Path) -> bytes:
    with path.open("rb") as source, zstandard.ZstdDecompressor().stream_reader(source) as reader:
        return reader.read()


def digest(lines: Iterable[bytes]) -> tuple[str, int]:
    """SHA-256 of a dataset as canonical N-Quads (RDFC-1.0 section 4), and its number of quads."""
    plain: list[bytes] = []
    blank: list[bytes] = []
    for line in lines:
        (blank if b"_:" in line else plain).append(line)
    if blank:  # the others have no part in naming blank nodes
        named = ox.Dataset(ox.parse(b"".join(blank), ox.RdfFormat.N_QUADS))
        named.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        plain = sorted([*plain, *lines_of(named)])
    return hashlib.sha256(b"".join(plain)).hexdigest(), len(plain)
