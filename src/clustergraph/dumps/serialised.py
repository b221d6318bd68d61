"""The formats of dumps, each written as a stream in canonical order."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.dumps import lines as text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_BATCH = 10_000


class Output(Protocol):
    """Where bytes are written."""

    def write(self, data: bytes, /) -> int:
        """Take some more."""

    def flush(self) -> None:
        """All that was written is taken."""


def has_graphs(fmt: rdf.Format) -> bool:
    """Whether a dump in a format names graphs."""
    return not isinstance(fmt, rdf.RdfFormat) or fmt.dataset


def write(
    lines: Iterable[bytes],
    fmt: rdf.Format,
    output: Output,
    *,
    prefixes: Mapping[str, str],
    folder: Path,
) -> int:
    """Write a dataset in a format; gives how many statements.

    Args:
        lines: its N-Quads lines, sorted.
        fmt: one of ``FORMATS``.
        output: where it goes.
        prefixes: for formats that shorten IRIs.
        folder: for what is only needed meanwhile.
    """
    counted = _Counted(text.merged(lines) if not has_graphs(fmt) else lines)
    if fmt in {rdf.N_QUADS, rdf.N_TRIPLES}:  # the lines are the file, in order and form
        while batch := b"".join(islice(counted, _BATCH)):
            output.write(batch)
    elif fmt is rdf.JELLY:
        _write_jelly(_quads(text.by_graph(counted, folder)), output)
    elif isinstance(fmt, rdf.RdfFormat):
        ordered = text.by_graph(counted, folder) if fmt.dataset else iter(counted)
        quads = _quads(ordered)
        content = quads if fmt.dataset else rdf.triples(quads)
        ox.serialize(content, output, fmt.engine, prefixes=dict(prefixes))  # type: ignore[arg-type]  # it only writes
    return counted.number


class _Counted:
    """Lines, counted as they go by."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.number = 0
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = next(self._lines)
        self.number += 1
        return line


def _quads(lines: Iterator[bytes]) -> Iterator[ox.Quad]:
    while batch := b"".join(islice(lines, _BATCH)):
        yield from ox.parse(batch, ox.RdfFormat.N_QUADS)


def _write_jelly(quads: Iterator[ox.Quad], output: Output) -> None:
    from pyjelly import jelly  # noqa: PLC0415  needed here alone, and slow to load
    from pyjelly.integrations.generic.generic_sink import (  # noqa: PLC0415
        IRI,
        BlankNode,
        DefaultGraph,
        Literal,
        Quad,
    )
    from pyjelly.integrations.generic.serialize import (  # noqa: PLC0415
        GenericSinkTermEncoder,
        stream_frames,
    )
    from pyjelly.options import StreamParameters  # noqa: PLC0415
    from pyjelly.serialize.ioutils import write_delimited  # noqa: PLC0415
    from pyjelly.serialize.streams import QuadStream, SerializerOptions  # noqa: PLC0415

    def term(each: object) -> object:
        if isinstance(each, ox.NamedNode):
            return IRI(each.value)
        if isinstance(each, ox.BlankNode):
            return BlankNode(each.value)
        if isinstance(each, ox.Literal):
            if each.language:
                return Literal(each.value, langtag=each.language)
            datatype = each.datatype.value
            return Literal(each.value, datatype=None if datatype == _STRING else datatype)
        return DefaultGraph

    options = SerializerOptions(
        logical_type=jelly.LOGICAL_STREAM_TYPE_FLAT_QUADS,
        params=StreamParameters(generalized_statements=False, rdf_star=False),
    )
    encoder = GenericSinkTermEncoder(lookup_preset=options.lookup_preset)
    stream = QuadStream(encoder=encoder, options=options)
    for frame in stream_frames(stream, (Quad(*map(term, quad)) for quad in quads)):
        write_delimited(frame, output)


_STRING = "http://www.w3.org/2001/XMLSchema#string"
