"""The change feed as files: one member for each thing that a release changed, page by page.

Written once, with the release, from the public quads and the public delta alone::

    feed/state-000042.json       what the feed was when release 42 was the current one
    feed/{epoch}/00000001.nq.zst a page that is full: it never changes
    feed/{epoch}/block-....json  the times of so many full pages
    feed/{epoch}/open-42.nq.zst  the page that is not full yet, as release 42 left it

Nothing here is needed to serve the graph; what is missing is written anew, as an *epoch* of its
own that begins with all there is. A forgetting begins one too: what was before it goes as a whole.
"""

from __future__ import annotations

import contextlib
import heapq
import io
import itertools
import json
import operator
import os
import shutil
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import zstandard

from clustergraph.errors import CorruptedError, NotFoundError
from clustergraph.releases import manifest as manifests
from clustergraph.releases.archive import FEED, sync_folder
from clustergraph.releases.members import Members, Version
from clustergraph.store import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.settings import Settings

_LINES = 5000
"""A page is full when it has so many lines, if not by its members."""
_STATES = 5  # of earlier releases, which a front may still show
_LEVEL = 3

Span = tuple[str, str]
"""The times of the first and the last member of something."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What the feed is at one release."""

    release: int
    digest: str
    created: str
    epoch: str
    """Names all pages that follow from each other; a new one begins with all there is."""
    started: str
    """When the first release of the epoch was published."""
    size: int
    """Members on a page, and pages in a block; the same throughout an epoch."""
    blocks: tuple[Span, ...] = ()
    """Of each full block of full pages."""
    recent: tuple[Span, ...] = ()
    """Of each full page behind these."""
    items: int = 0
    """How many members and releases are in the open page."""
    first: str = ""
    """The time of the first of them."""

    @property
    def full(self) -> int:
        """How many pages are full; the open one comes behind them."""
        return len(self.blocks) * self.size + len(self.recent)


def extend(
    archive: Archive,
    settings: Settings,
    manifest: Manifest,
    lines: Iterable[bytes],
    *,
    removed: Iterable[bytes] = (),
    added: Iterable[bytes] = (),
) -> None:
    """Write the members of a release that is about to become the current one.

    Args:
        archive: where the feed stands.
        settings: of the project.
        manifest: of the release.
        lines: all its public quads, sorted; see ``store.flat``. In a list things are looked up.
        removed: the lines that are gone in public, against its parent; sorted.
        added: the lines that are new.

    Raises:
        OSError: it cannot be written. Nothing that is shown has changed then.
    """
    members = Members(settings.base, manifest)
    former = _former(archive, manifest)
    if former is None:
        state = _begun(manifest, max(settings.feed_page, 2))
        shutil.rmtree(archive.folder / FEED / state.epoch, ignore_errors=True)
        versions = _snapshot(lines)
    else:
        state = replace(
            former, release=manifest.number, digest=manifest.digest, created=manifest.created
        )
        versions = _changed(lines, removed, added)
    pages = _Pages(archive, state, former)
    with contextlib.suppress(ValueError):  # a line that is none: there is no feed, but the graph is
        _add(pages, members, versions)
        pages.close()


def _add(pages: _Pages, members: Members, versions: Iterable[Version]) -> None:
    """Add the members of a release, and what is said of it behind them."""
    last: Version | None = None
    for each in versions:
        if last is not None:
            pages.add(members.lines(last))
        last = each
    if last is not None:
        pages.add(members.lines(last, final=True))
    pages.add(members.release())


def ensure(archive: Archive, settings: Settings, manifest: Manifest) -> None:
    """Write the feed of the current release, where there is none; to be used under the lock.

    Raises:
        OSError, zstandard.ZstdError: the release cannot be read, or the feed not be written.
    """
    if state_of(archive, manifest) is None:
        lines = flat.stream(archive.path(manifest.number) / f"public{flat.SUFFIX}")
        extend(archive, settings, replace(manifest, parent=None), lines)
        clean(archive, manifest)


def clean(archive: Archive, manifest: Manifest) -> None:
    """Remove what no release that may be shown needs: earlier epochs, earlier open pages."""
    folder = archive.folder / FEED
    current = state_of(archive, manifest)
    if current is None or not folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        return
    kept: set[str] = set()
    for path in sorted(folder.glob("state-*.json"), reverse=True):
        state = _read(path)
        same = state is not None and state.epoch == current.epoch
        if state is not None and same and state.release <= current.release and len(kept) < _STATES:
            kept.add(f"open-{state.release}.nq.zst")
        else:
            path.unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and path.name != current.epoch:
            shutil.rmtree(path, ignore_errors=True)
    for path in (folder / current.epoch).glob("open-*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def state_of(archive: Archive, manifest: Manifest) -> State | None:
    """The feed at a release; None if it was not written, or is not of this very release."""
    state = _read(_place(archive, manifest.number))
    if state is None or (state.digest, state.created) != (manifest.digest, manifest.created):
        return None
    return state


def page(archive: Archive, state: State, number: int) -> Iterator[bytes]:
    """The lines of a page: N-Quads, the newest member last; the open page is behind the full ones.

    Raises:
        NotFoundError: there is no such page.
        CorruptedError: it cannot be read; told when the first line is taken.
    """
    if not 1 <= number <= state.full + 1:
        raise NotFoundError(f"The feed has no page {number}.")
    path = _page(archive.folder / FEED / state.epoch, state, number)
    return _lines(path)


def block(archive: Archive, state: State, number: int) -> list[Span]:
    """The times of the pages of a block; blocks count from 1.

    Raises:
        NotFoundError: there is no such block, or it is not full.
        CorruptedError: it cannot be read.
    """
    if not 1 <= number <= len(state.blocks):
        raise NotFoundError(f"The feed has no index page {number}.")
    path = _block(archive.folder / FEED / state.epoch, number)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptedError(f"{path} cannot be read: {error}") from error
    return [(first, last) for first, last in found]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
        ):
            yield from io.BufferedReader(reader)
    except (OSError, zstandard.ZstdError) as error:
        raise CorruptedError(
            f"{path} cannot be read: {error}",
            hint="Remove the folder feed below var, and build: it is written anew.",
        ) from error


def _place(archive: Archive, number: int) -> Path:
    return archive.folder / FEED / f"state-{number:06}.json"


def _page(folder: Path, state: State, number: int) -> Path:
    open_one = number == state.full + 1
    return folder / (f"open-{state.release}.nq.zst" if open_one else f"{number:08}.nq.zst")


def _block(folder: Path, number: int) -> Path:
    return folder / f"block-{number:06}.json"


def _read(path: Path) -> State | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for name in ("blocks", "recent"):
            found[name] = tuple((first, last) for first, last in found[name])
        return State(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _begun(manifest: Manifest, size: int) -> State:
    """An epoch that begins with a release."""
    return State(
        release=manifest.number,
        digest=manifest.digest,
        created=manifest.created,
        epoch=f"{manifest.number}-{manifest.digest[:8]}{os.urandom(2).hex()}",
        started=manifest.created,
        size=size,
    )


def _former(archive: Archive, manifest: Manifest) -> State | None:
    """The feed that a release goes on with; None if it begins a new epoch."""
    if manifest.parent is None or manifest.kind == "forget":
        return None
    with contextlib.suppress(CorruptedError, NotFoundError):
        parent = manifests.read(archive.record(manifest.parent))
        state = state_of(archive, parent)
        if state is None or parent.base != manifest.base:
            return None
        folder = archive.folder / FEED / state.epoch
        last = range(max(state.full, 1), state.full + 2)  # the last full page and the open one
        if all(_page(folder, state, each).is_file() for each in last):
            return state
    return None


def _snapshot(lines: Iterable[bytes]) -> Iterator[Version]:
    """A version of each thing, as if it were new."""
    for subject, group in itertools.groupby(lines, key=_subject):
        yield Version(subject, b"Create", tuple(group))


def _changed(
    lines: Iterable[bytes], removed: Iterable[bytes], added: Iterable[bytes]
) -> Iterator[Version]:
    """What became of each thing that a change touches."""
    find = _look_up(lines) if isinstance(lines, list) else _pass_by(lines)
    marked = heapq.merge(
        ((_subject(line), 0, line) for line in removed),
        ((_subject(line), 1, line) for line in added),
    )
    for subject, group in itertools.groupby(marked, key=operator.itemgetter(0)):
        touched: tuple[list[bytes], list[bytes]] = ([], [])
        for _subject_again, side, line in group:
            touched[side].append(line)
        gone, new = touched
        now = find(subject)
        if not now:
            yield Version(subject, b"Delete", tuple(gone))
        elif gone or len(new) < len(now):
            yield Version(subject, b"Update", now)
        else:
            yield Version(subject, b"Create", now)


def _look_up(lines: list[bytes]) -> Callable[[bytes], tuple[bytes, ...]]:
    """Finds the lines of a thing."""
    return lambda subject: tuple(flat.about(lines, subject))


def _pass_by(lines: Iterable[bytes]) -> Callable[[bytes], tuple[bytes, ...]]:
    """Finds the lines of a thing, if each is asked for behind those before it."""
    things = itertools.groupby(lines, key=_subject)
    thing, group = next(things, (None, iter(())))

    def find(subject: bytes) -> tuple[bytes, ...]:
        nonlocal thing, group
        while thing is not None and thing < subject:
            thing, group = next(things, (None, iter(())))
        return tuple(group) if thing == subject else ()

    return find


def _subject(line: bytes) -> bytes:
    return line[: line.index(b" ")]


class _Pages:
    """Writes what comes behind what there is; nobody sees it before the state is written."""

    def __init__(self, archive: Archive, state: State, former: State | None) -> None:
        self._archive = archive
        self._state = state
        self._folder = archive.folder / FEED / state.epoch
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lines = list(page(archive, former, former.full + 1)) if former else []
        self._items, self._first = state.items, state.first

    def add(self, lines: Sequence[bytes]) -> None:
        """One more member, or what is said of a release, as this release publishes it."""
        now = self._state.created
        self._lines += lines
        self._items += 1
        self._first = self._first or now
        if self._items >= self._state.size or len(self._lines) >= _LINES:
            self._seal((self._first, now))

    def _seal(self, span: Span) -> None:
        """The open page is full: the next one begins."""
        state = self._state
        _write(self._folder / f"{state.full + 1:08}.nq.zst", _compressed(self._lines))
        self._lines, self._items, self._first = [], 0, ""
        recent: tuple[Span, ...] = (*state.recent, span)
        blocks = state.blocks
        if len(recent) == state.size:
            text = json.dumps(recent).encode()
            _write(_block(self._folder, len(blocks) + 1), text)
            blocks = (*blocks, (recent[0][0], span[1]))
            recent = ()
        self._state = replace(state, recent=recent, blocks=blocks)

    def close(self) -> None:
        """Write the open page, and the state last."""
        self._state = replace(self._state, items=self._items, first=self._first)
        open_page = _page(self._folder, self._state, self._state.full + 1)
        _write(open_page, _compressed(self._lines))
        text = json.dumps(asdict(self._state)).encode()
        _write(_place(self._archive, self._state.release), text)


def _compressed(lines: Iterable[bytes]) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join(lines))


def _write(path: Path, content: bytes) -> None:
    """Write a file durably, whole or not at all."""
    part = path.with_name(f".{path.name}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)
