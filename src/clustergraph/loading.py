"""A project's files as lines of N-Quads as the store writes them, piece by piece: for builds.

The engine reads and writes the pieces; no term becomes an object of Python's. What it cannot do
alone is done by ``project.read_file``: blank nodes named by content, JSON-LD, RDF/XML, ontologies
(whose graph is found in them), restricted files, and to tell where a mistake is.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import pyoxigraph as ox

from clustergraph import compression, jsonld, project, rdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import IO

    from clustergraph.rdf import RdfFormat
    from clustergraph.settings import Settings

_TEXT = 16 << 20
"""Bytes of lines that are parsed at once."""
_QUADS = 100_000
"""Quads that are held at once where a format has no lines."""
_BY_LINES = (rdf.N_TRIPLES, rdf.N_QUADS)


class _CareError(ValueError):
    """The file holds what the engine does not do alone."""


def texts(
    settings: Settings,
    progress: Callable[[str], None] = lambda _: None,
    *,
    erased: frozenset[str] = frozenset(),
) -> Iterator[bytes]:
    """All lines that a project's files make, in no order; some come more than once.

    Args:
        settings: the project's settings.
        progress: called with the name of each file before it is read.
        erased: hashes of what was erased, so that no file may hold it any more.

    Raises:
        SourceError: see ``project.read``.
    """
    contexts = jsonld.pinned(settings.project, settings.written_base, settings.base)
    for number, path in enumerate(project.files(settings)):
        progress(str(path))
        if _is_plain(path):
            try:
                yield from _pieces(settings, path, erased)
                continue
            except (ValueError, SyntaxError, OSError):
                pass  # it is read with care, which tells what is wrong, if anything is
        quads = project.read_file(settings, number, path, contexts, erased=erased)
        yield stored(quads)


def stored(quads: Iterable[ox.Quad]) -> bytes:
    """The lines of quads as a store gives them back."""
    store = ox.Store()
    store.bulk_extend(quads)
    return _dumped(store)


def _is_plain(path: Path) -> bool:
    return (
        path.parts[0] == "data"
        and project.RESTRICTED_FOLDER not in path.parents
        and rdf.format_of(path) in (rdf.TURTLE, rdf.TRIG, *_BY_LINES)
    )


def _pieces(settings: Settings, path: Path, erased: frozenset[str]) -> Iterator[bytes]:
    """The lines of a file without blank nodes.

    Raises:
        ValueError, SyntaxError, OSError: it is to be read with care.
        SourceError: it holds what was erased.
    """
    fmt = rdf.format_of(path)
    home = ox.NamedNode(project.home_of((), path, settings))
    with (settings.project / path).open("rb") as file:
        content = compression.pieces(file, rdf.coding_of(path))
        if fmt in _BY_LINES and settings.written_base == settings.base and not erased:
            for text in _whole_lines(content):
                store = ox.Store()
                store.bulk_load(text, fmt.engine)
                yield _placed(store, home)
            return
        for quads in _batches(content, fmt, settings.written_base):
            moved = [
                ox.Quad(q.subject, q.predicate, q.object, home)
                if isinstance(q.graph_name, ox.DefaultGraph)
                else q
                for q in quads
            ]
            moved = list(rdf.rebase(moved, settings.written_base, settings.base))
            project.check_erased(moved, path, settings, erased)
            store = ox.Store()
            store.bulk_extend(moved)
            yield _checked(_dumped(store))


def _placed(store: ox.Store, home: ox.NamedNode) -> bytes:
    """The lines of a store; what stands in no named graph is put into one."""
    bare = ox.DefaultGraph()
    if next(store.quads_for_pattern(None, None, None, bare), None) is not None:
        triples = _required(store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=bare))
        store.clear_graph(bare)
        store.bulk_load(triples, ox.RdfFormat.N_TRIPLES, to_graph=home)
    return _checked(_dumped(store))


def _checked(text: bytes) -> bytes:
    if text.startswith(b"_:") or b"\n_:" in text or b" _:" in text or b"<<(" in text:
        raise _CareError
    return text


def _dumped(store: ox.Store) -> bytes:
    return _required(store.dump(format=ox.RdfFormat.N_QUADS))


def _required(content: bytes | None) -> bytes:
    if content is None:  # pyoxigraph returns None only when it was given an output
        raise TypeError("dump() returned nothing")
    return content


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, so many that it is worth the while."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size < _TEXT:
            waiting.append(piece)
            continue
        whole, end, rest = b"".join((*waiting, piece)).rpartition(b"\n")
        yield whole + end
        waiting, size = [rest], len(rest)
    yield b"".join(waiting)


def _batches(pieces: Iterator[bytes], fmt: RdfFormat, base: str) -> Iterator[list[ox.Quad]]:
    """The quads of a file, so many at once."""
    source = cast("IO[bytes]", _Readable(pieces))
    quads = ox.parse(source, fmt.engine, base_iri=base)
    while batch := list(itertools.islice(quads, _QUADS)):
        yield batch


class _Readable:
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        end = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:end], self._rest[end:]
        return found
