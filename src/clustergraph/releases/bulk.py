"""All files of a release out of sorted lines, in one pass over them: memory stays flat.

The store is filled by the engine in a thread of its own, beside the index and the flat file.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pyoxigraph as ox

from clustergraph import patch, search
from clustergraph.patch import PatchWriter
from clustergraph.store import flat, sorting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clustergraph.store.sorting import Block, Blocks

_LOADED = 64 << 20
"""Bytes of lines that the engine loads at once: it sorts them in memory, where they are larger."""


@dataclass(frozen=True)
class Content:
    """All quads of a release as lines, what is restricted apart."""

    public: Blocks
    restricted: Blocks


@dataclass(frozen=True)
class Delta:
    """What a release changes against its parent, what is restricted apart."""

    removed: Content
    added: Content


class Lines:
    """Sorted lines one by one, as often as wanted."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return itertools.chain.from_iterable(self._blocks.blocks())


@dataclass(frozen=True)
class Counted:
    """What was found out of the lines on the way."""

    digest: str
    quads: int
    triples: int
    """Of the default graph."""
    graphs: Counter[str]
    blank_nodes: bool


class Loader:
    """Fills a store piece by piece, in a thread of its own."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._waiting: list[bytes] = []
        self._size = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._running: Future[None] | None = None

    def add(self, text: bytes) -> None:
        """Take whole lines.

        Raises:
            OSError, RuntimeError: what was taken before could not be written.
        """
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= _LOADED:
            self._load()

    def _load(self) -> None:
        self._await()
        self._running = self._thread.submit(flat.fill, self._store, b"".join(self._waiting))
        self._waiting, self._size = [], 0

    def _await(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        try:
            if kind is None:
                self._load()
                self._await()
        finally:
            self._thread.shutdown()


def publish_lines(
    folder: Path,
    name: str,
    store: ox.Store,
    lines: Blocks,
    *,
    merged: bool,
    base: str,
    news: PatchWriter | None = None,
) -> Counted:
    """Write all that is made of the public lines of a release.

    Args:
        folder: of the release.
        name: of the public store.
        store: that store, which is empty.
        lines: all public quads; each stands in a named graph.
        merged: whether the default graph is to be the merge of the others.
        base: the base IRI.
        news: takes the lines too, where there was no release before.

    Raises:
        OSError, RuntimeError, sqlite3.Error: they cannot be written.
    """
    counting = _Counting(merged=merged)
    index = search.Builder(folder / search.NAME, base=base)
    with contextlib.closing(index), Loader(store) as loader:
        out = flat.Writer(folder / (name + flat.SUFFIX), merged=merged)
        with contextlib.closing(out):
            for block in lines.blocks():
                text = b"".join(block)
                out.add(text)
                loader.add(text)
                loader.add(counting.add(block, text))
                index.add(block)
                if news is not None:
                    news.add(block)
        index.finish()
    return counting.counted(lines)


def news(path: Path, delta: Delta | None) -> contextlib.AbstractContextManager[PatchWriter | None]:
    """What takes all public lines as new, where there was no release before."""
    return contextlib.nullcontext() if delta else PatchWriter(path)


def write_deltas(
    visible: Path, hidden: Path, content: Content, delta: Delta | None
) -> tuple[int, int]:
    """Write what changed; gives how many public lines are added and removed.

    Args:
        visible: the file for what is public; it was written already where there was no release.
        hidden: the file for what is restricted; not written where nothing of it changed.
        content: all there is.
        delta: None where there was no release before.

    Raises:
        OSError: they cannot be written.
    """
    counts = (0, 0)
    gone: Blocks | None = None
    new = content.restricted
    if delta is not None:
        gone, new = delta.removed.restricted, delta.added.restricted
        removed, added = delta.removed.public.blocks(), delta.added.public.blocks()
        counts = patch.write_lines(visible, removed, added)
    sides = [each for each in (gone, new) if each is not None]
    if any(next(each.blocks(), None) for each in sides):
        patch.write_lines(hidden, gone.blocks() if gone is not None else (), new.blocks())
    return counts


def load_restricted(store: ox.Store, lines: Blocks, *, merged: bool) -> Counter[str]:
    """Put restricted lines into a store that holds the public ones; counts them by graph.

    Raises:
        OSError, RuntimeError: they cannot be written.
    """
    counting = _Counting(merged=merged)
    with Loader(store) as loader:
        for block in lines.blocks():
            text = b"".join(block)
            loader.add(text)
            loader.add(counting.add(block, text))
    return counting.graphs


class _Counting:
    def __init__(self, *, merged: bool) -> None:
        self._merged = merged
        self._hash = hashlib.sha256()
        self._last = b""
        self._quads = self._triples = 0
        self._names: Counter[bytes] = Counter()
        self._blank: Block = []

    def add(self, block: Block, text: bytes) -> bytes:
        """Count a block; gives the lines that it adds to the merge."""
        self._hash.update(text)
        self._quads += len(block)
        triples, graphs = flat.unnamed(block)
        self._names.update(graphs)
        if b"_:" in text:
            self._blank += (line for line in block if b"_:" in line)
        if not self._merged:
            return b""
        fresh = list(dict.fromkeys(triples))  # a triple stands together, whoever states it
        if fresh[0] == self._last:
            del fresh[0]
        self._last = triples[-1]
        self._triples += len(fresh)
        return b" .\n".join([*fresh, b""])

    @property
    def graphs(self) -> Counter[str]:
        """Lines by named graph."""
        return Counter(
            {name[1:-1].decode(): size for name, size in self._names.items() if name[:1] == b"<"}
        )

    def counted(self, lines: Blocks) -> Counted:
        """What was counted; the lines are gone over again where there are blank nodes."""
        digest, quads = self._hash, self._quads
        if self._blank:
            named = flat.canonical(self._blank)
            digest, quads = hashlib.sha256(), quads - len(self._blank) + len(named)
            plain = ([line for line in block if b"_:" not in line] for block in lines.blocks())
            for block in sorting.merged([filter(None, plain), sorting.cut(named)]):
                digest.update(b"".join(block))
        return Counted(digest.hexdigest(), quads, self._triples, self.graphs, bool(self._blank))
