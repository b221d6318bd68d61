"""Compressed content: gzip, deflate and zstd, decompressed within a bound."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from typing import IO, TYPE_CHECKING

import zstandard

from clustergraph.errors import SourceError, TooLargeError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = {"gz": "gzip", "zst": "zstd"}
"""Content coding by file suffix."""
MEDIA_TYPES = {"gz": "application/gzip", "zst": "application/zstd"}
"""Media type of a compressed file by suffix (RFC 6713, RFC 8878)."""
_PIECE = 1 << 20
_STEP = 1 << 10  # small, since 1 KiB of zstd may hold many MiB


def decoded(content: bytes, encoding: str, largest: int, *, name: str = "the document") -> bytes:
    """Content without its codings (RFC 9110 section 8.4), of a size that is bounded.

    Args:
        content: as it came.
        encoding: gzip, zstd, deflate, identity, or several in the order in which they were applied.
        largest: the largest size, in bytes.
        name: how it is called in messages.

    Raises:
        UnsupportedError: a coding that is not read here.
        TooLargeError: it is larger, or becomes larger when decompressed.
        SourceError: it is cut or damaged.
    """
    codings = [each.strip().lower() for each in encoding.split(",") if each.strip()]
    if len(codings) > 2:
        raise UnsupportedError("More than two content encodings are not read here.")
    for coding in reversed(codings):
        content = _decompressed(content, coding, largest, name)
    if len(content) > largest:
        raise _too_large(name, largest)
    return content


def pieces(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """What a file holds, decompressed piece by piece: memory stays flat.

    Nothing is told of what is wrong: ``decoded`` does that.

    Args:
        file: open for reading.
        encoding: gzip, zstd, or "" for none.

    Raises:
        ValueError: it is cut or damaged.
        OSError: it cannot be read.
    """
    try:
        if encoding == "zstd":
            machine = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            while raw := file.read(_PIECE >> 4):
                yield machine.decompress(raw)
            if not machine.eof:
                raise ValueError("the compressed data end too early")
        else:
            with gzip.open(file) if encoding else contextlib.nullcontext(file) as opened:
                while piece := opened.read(_PIECE):
                    yield piece
    except (EOFError, zlib.error, zstandard.ZstdError) as error:
        raise ValueError(str(error)) from error


def _too_large(name: str, largest: int) -> TooLargeError:
    return TooLargeError(
        f"There are more than {largest >> 20} MiB in {name}.",
        hint="Send it in parts, or build from files.",
    )


def _decompressed(content: bytes, coding: str, largest: int, name: str) -> bytes:
    if coding == "identity":
        return content
    if coding in {"gzip", "x-gzip", "deflate"}:
        return _inflated(content, coding, largest, name)
    if coding == "zstd":
        return _unpacked(content, largest, name)
    raise UnsupportedError(
        f"The content encoding {coding[:40]} is not read here.", hint="Use gzip or zstd."
    )


def _inflated(content: bytes, coding: str, largest: int, name: str) -> bytes:
    result = bytearray()
    rest = content
    try:
        while rest:  # a gzip file may have several members (RFC 1952 section 2.2)
            machine = zlib.decompressobj(15 if coding == "deflate" else 31)
            result += machine.decompress(rest, largest + 1 - len(result))
            if len(result) > largest:
                raise _too_large(name, largest)
            if not machine.eof:
                raise SourceError(name, "is cut: its compressed data end too early.")
            rest = machine.unused_data
    except zlib.error as error:
        raise SourceError(name, f"is not {coding} data: {error}") from error
    return bytes(result)


def _unpacked(content: bytes, largest: int, name: str) -> bytes:
    machine = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    result = bytearray()
    try:
        for start in range(0, len(content), _STEP):
            result += machine.decompress(content[start : start + _STEP])
            if len(result) > largest:
                raise _too_large(name, largest)
    except zstandard.ZstdError as error:
        raise SourceError(name, f"is not zstd data: {error}") from error
    if not machine.eof:
        raise SourceError(name, "is cut: its compressed data end too early.")
    return bytes(result)
