"""What a build makes of files, of what was written and of the release before: all as lines."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import CorruptedError
from clustergraph.patch import Patch
from clustergraph.releases.bulk import Content, Delta
from clustergraph.releases.candidate import FULL, PUBLIC
from clustergraph.store import flat, sorting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.settings import Settings
    from clustergraph.store.sorting import Blocks

_REWRITE = 0.2  # share of changed quads from which on a build writes its store anew
_MOST = 500_000  # changed quads from which on it does so whatever the share


def content(texts: Iterable[bytes], settings: Settings, scratch: Path) -> Content:
    """Lines in any order as the content of a release.

    Args:
        texts: whole lines, all in named graphs.
        settings: tell what is restricted.
        scratch: a folder for what is not held in memory.

    Raises:
        OSError: it cannot be written.
    """
    public, restricted = sorting.Sorter(scratch), sorting.Sorter(scratch)
    marks = [f"<{settings.iri(name)}".encode() for name in settings.restricted]
    for text in texts:
        if not any(mark in text for mark in marks):
            public.add(text)
            continue
        for line in text.splitlines(keepends=True):
            graph = line.rsplit(b" ", 2)[1][1:-1].decode()
            (restricted if settings.is_restricted(graph) else public).add(line)
    return Content(public, restricted)


def stored(archive: Archive, manifest: Manifest, scratch: Path) -> Content | None:
    """The lines of a release out of its file of lines; None if that is not whole."""
    with contextlib.suppress(CorruptedError, OSError, RuntimeError):
        archive.manifest(manifest.number)
        folder = archive.path(manifest.number)
        name = PUBLIC + flat.SUFFIX
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not manifest.files.get(name, "").endswith(f":{digest}"):
            return None
        restricted = sorting.Sorter(scratch)
        if manifest.restricted:
            store = ox.Store.read_only(str(folder / FULL))
            for graph in manifest.restricted_graphs:
                quads = store.quads_for_pattern(None, None, None, ox.NamedNode(graph))
                restricted.add(b"".join(flat.lines_of(quads)))
        return Content(sorting.Stored(folder / name), restricted)
    return None


def untold(written: Patch, files: Content) -> Patch:
    """What was written, without what the files say by now, or do not say any more."""
    if not written:
        return written
    lines = {_line(quad) for quad in (*written.added, *written.removed)}
    there = {
        line
        for part in (files.public, files.restricted)
        for block in part.blocks()
        for line in lines.intersection(block)
    }
    return Patch(
        frozenset(quad for quad in written.added if _line(quad) not in there),
        frozenset(quad for quad in written.removed if _line(quad) in there),
    )


def changed(files: Content, written: Patch, is_restricted: Callable[[ox.Quad], bool]) -> Content:
    """What the files say after a patch."""

    def part(of: Blocks, change: Patch) -> Blocks:
        if not change:
            return of
        return sorting.Changed(
            of, frozenset(flat.lines_of(change.removed)), flat.lines_of(change.added)
        )

    return Content(
        part(files.public, written.where(lambda quad: not is_restricted(quad))),
        part(files.restricted, written.where(is_restricted)),
    )


def delta(old: Content, new: Content, scratch: Path) -> Delta:
    """What makes one content out of another.

    Raises:
        OSError: it cannot be written.
    """
    sides = []
    for before, after in ((old.public, new.public), (old.restricted, new.restricted)):
        removed, added = sorting.Sorter(scratch), sorting.Sorter(scratch)
        sorting.difference(before.blocks(), after.blocks(), removed, added)
        sides.append((removed, added))
    (removed, added), (removed_hidden, added_hidden) = sides
    return Delta(Content(removed, removed_hidden), Content(added, added_hidden))


def small(change: Delta, target: Content) -> Patch | None:
    """A change as a patch to a fork of the release before; None if it is too large for that."""
    if _size(change.removed) + _size(change.added) > min(_REWRITE * _size(target), _MOST):
        return None
    added, removed = (
        frozenset(quad for part in (side.public, side.restricted) for quad in quads_of(part))
        for side in (change.added, change.removed)
    )
    return Patch(added, removed)


def quads_of(lines: Blocks) -> Iterator[ox.Quad]:
    """Lines as quads."""
    for block in lines.blocks():
        yield from ox.parse(b"".join(block), ox.RdfFormat.N_QUADS)


def mentions(lines: Blocks, *texts: bytes) -> bool:
    """Whether one of the texts stands anywhere in the lines."""
    whole = (b"".join(block) for block in lines.blocks())
    return any(text in block for block in whole for text in texts)


def _size(part: Content) -> int:
    return sum(len(block) for each in (part.public, part.restricted) for block in each.blocks())


def _line(quad: ox.Quad) -> bytes:
    return f"{quad} .\n".encode()
