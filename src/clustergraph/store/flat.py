"""A dataset as one file: sorted N-Quads lines, compressed with zstd.

Beside a store on disk it serves what the store is slow at: loading the whole into memory, and the
digest of the whole. The store stays what counts: who finds no such file reads the store.
"""

from __future__ import annotations

import bisect
import hashlib
import io
import itertools
from typing import TYPE_CHECKING

import pyoxigraph as ox
import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SUFFIX = ".nq.zst"
"""Stands behind the name of the store's folder."""
_LEVEL = 1
_FEW = 200  # lines up to which each is looked up
_MERGED = b"# The default graph is the merge of these.\n"


def lines_of(quads: Iterable[ox.Quad]) -> list[bytes]:
    """The lines of a dataset, sorted; blank nodes keep their names."""
    return sorted(f"{quad} .\n".encode() for quad in quads)


def patched(
    lines: list[bytes], removed: Iterable[ox.Quad], added: Iterable[ox.Quad]
) -> list[bytes]:
    """The lines after a change."""
    new = lines_of(added)
    gone = lines_of(removed)
    if len(gone) + len(new) > _FEW:
        without = set(gone)
        return sorted([*(line for line in lines if line not in without), *new])
    found = list(lines)
    for line in gone:
        position = bisect.bisect_left(found, line)
        if position < len(found) and found[position] == line:
            del found[position]
    for line in new:
        bisect.insort(found, line)
    return found


def about(lines: Sequence[bytes], subject: bytes) -> Iterator[bytes]:
    """The lines of a thing (as it is written there), of all lines of a dataset."""
    position = bisect.bisect_left(lines, subject + b" ")  # they stand together
    while position < len(lines) and lines[position].startswith(subject + b" "):
        yield lines[position]
        position += 1


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


def blocks(path: Path) -> Iterator[list[bytes]]:
    """The lines of a file by lists of some thousand; memory stays flat.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    for text in _whole_lines(_pieces(path)):
        lines = text.splitlines(keepends=True)
        if lines[:1] == [_MERGED]:
            del lines[0]
        if lines:
            yield lines


class Writer:
    """Writes sorted lines into a file piece by piece: what ``write`` writes, in flat memory."""

    def __init__(self, path: Path, *, merged: bool) -> None:
        """Begin a file; see ``write``.

        Raises:
            OSError: it cannot be written.
        """
        self._file = path.open("wb")
        self._out = zstandard.ZstdCompressor(level=_LEVEL).stream_writer(self._file)
        if merged:
            self._out.write(_MERGED)

    def add(self, text: bytes) -> None:
        """Write lines, which come behind all before.

        Raises:
            OSError: they cannot be written.
        """
        self._out.write(text)

    def close(self) -> None:
        """End the file.

        Raises:
            OSError: it cannot be written.
        """
        self._out.flush(zstandard.FLUSH_FRAME)
        self._file.close()


def size(path: Path) -> int:
    """How many quads the whole dataset has, those of the default graph among them.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    number, merged = 0, False
    for piece in _pieces(path):
        merged = merged or (not number and piece.startswith(_MERGED))
        number += piece.count(b"\n")
    return 2 * number if merged else number


def texts(path: Path) -> Iterator[bytes]:
    """The whole dataset in pieces of whole lines but for what ``merge`` gives; memory stays flat.

    Of lines with blank nodes their merge comes along: one parser must see both, since it calls the
    blank nodes by names of its own.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    merged = False
    for number, text in enumerate(_whole_lines(_pieces(path))):
        merged = merged or (not number and text.startswith(_MERGED))
        yield text
        if merged and b"_:" in text:
            yield _unnamed(_with_blank_nodes(text))


def merge(path: Path) -> Iterator[bytes]:
    """The default graph, if it is the merge of the others: their lines without graphs.

    Raises:
        OSError, zstandard.ZstdError: it cannot be read.
    """
    merged = False
    for text in _whole_lines(_pieces(path)):
        merged = merged or text.startswith(_MERGED)
        if not merged:
            return
        lines = text.splitlines(keepends=True)
        yield _unnamed(line for line in lines if b"_:" not in line)


def fill(store: ox.Store, text: bytes) -> None:
    """Put lines that were checked before into a store; blank nodes keep their names.

    Raises:
        OSError, RuntimeError, SyntaxError: it cannot be done.
    """
    if b"_:" in text:
        blank = b"".join(_with_blank_nodes(text))
        store.bulk_extend(ox.parse(blank, ox.RdfFormat.N_QUADS))
        lines = text.splitlines(keepends=True)
        text = b"".join(line for line in lines if b"_:" not in line)
    store.bulk_load(text, ox.RdfFormat.N_QUADS, lenient=True)


def _with_blank_nodes(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines(keepends=True) if b"_:" in line]


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        yield whole + end
    if rest:  # it was cut off: whoever parses it says so
        yield rest


def load(path: Path) -> ox.Store:
    """The whole dataset in memory, read piece by piece.

    Raises:
        OSError, zstandard.ZstdError, SyntaxError: it cannot be read.
    """
    store = ox.Store()
    for text in itertools.chain(texts(path), merge(path)):
        fill(store, text)
    return store


def _unnamed(lines: Iterable[bytes]) -> bytes:
    """Lines without their graphs; no IRI holds a blank."""
    bare = [line.rsplit(b" ", 2)[0] for line in lines if not line.startswith(b"#")]
    return b" .\n".join([*bare, b""])


def _content(path: Path) -> bytes:
    return b"".join(_pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    """The text in pieces, so that other threads come to their turn in between."""
    with path.open("rb") as source, zstandard.ZstdDecompressor().stream_reader(source) as reader:
        while piece := reader.read(1 << 20):
            yield piece


def ended(rest: bytes) -> tuple[bytes, bytes]:
    """The object and the graph of what follows the predicate in a line; b"" for the default graph.

    A literal may hold blanks; but the name of a graph holds no quotation mark, and the end of a
    literal does.
    """
    parts = rest.rsplit(b" ", 2)
    if len(parts) == 3 and b'"' not in parts[1]:
        return parts[0], parts[1]
    return rest[:-3], b""


def unnamed(lines: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Triples and graphs of lines that have graphs; no IRI holds a blank."""
    split = [line.rsplit(b" ", 2) for line in lines]
    return [each[0] for each in split], [each[1] for each in split]


def canonical(blank: Iterable[bytes]) -> list[bytes]:
    """All lines with blank nodes as RDFC-1.0 names these, sorted; the others have no part in it."""
    named = ox.Dataset(ox.parse(b"".join(blank), ox.RdfFormat.N_QUADS))
    named.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return lines_of(named)


def digest(lines: Iterable[bytes]) -> tuple[str, int]:
    """SHA-256 of a dataset as canonical N-Quads (RDFC-1.0 section 4), and its number of quads."""
    plain = list(lines)
    if b"_:" in (text := b"".join(plain)):  # the others have no part in naming blank nodes
        blank = [line for line in plain if b"_:" in line]
        plain = [line for line in plain if b"_:" not in line]
        plain = sorted([*plain, *canonical(blank)])
        text = b"".join(plain)
    return hashlib.sha256(text).hexdigest(), len(plain)
