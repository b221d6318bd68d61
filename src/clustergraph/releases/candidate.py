"""The next release in the making: fork, change, publish; or discard.

Nothing that readers see is touched before the last step. A candidate that is given up, or whose
writer died, is a folder without manifest: the next writer removes it.
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox
import zstandard

from clustergraph import patch, search
from clustergraph.errors import ClusterGraphError, CorruptedError, StoreError
from clustergraph.patch import Patch
from clustergraph.releases import bulk, feed
from clustergraph.releases import manifest as manifests
from clustergraph.releases.archive import sync_folder
from clustergraph.releases.manifest import Manifest
from clustergraph.releases.sealing import sealed, sync
from clustergraph.store import embedded, flat, sorting
from clustergraph.store.embedded import as_stored, in_memory, store_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from clustergraph.releases.archive import Archive
    from clustergraph.settings import Settings

PUBLIC, FULL, REPORT = "public", "full", "report.ttl"
DELTA, WRITTEN = "delta.nq.gz", "written.nq.gz"
RESTRICTED = "restricted-"
"""Stands before the names of the files that hold the restricted part of a delta."""


_FEW = 2_000  # things, or quads, up to which not everything is looked at again


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is remembered of a change."""

    kind: str
    who: str
    why: str
    hidden: bool = False
    """Whether it changed what is restricted, so that the reason may tell of it."""


@dataclass(frozen=True, kw_only=True)
class _Files:
    """What was written beside the stores, and what it told."""

    lines: Iterable[bytes]
    """All public quads, sorted."""
    digest: str
    quads: int
    blank_nodes: bool
    gone: Iterable[bytes]
    """The public lines that are gone, and those that are new; none where there was no release."""
    new: Iterable[bytes]
    added: int
    removed: int


class Candidate:
    """A release in the making; to be used under ``Archive.writing``.

    It holds a store of what is public and, where there are restricted graphs, one of everything.
    """

    def __init__(self, archive: Archive, settings: Settings) -> None:
        """An empty candidate; see ``fork`` for one that starts from a release."""
        self.archive = archive
        self.settings = settings
        self.parent: Manifest | None = None
        self.patch = Patch()
        """All that was applied since the fork."""
        self.graphs: Counter[str] = Counter()
        """Quads by named graph, restricted ones too."""
        self.triples = 0
        """Triples of the public default graph."""
        self._folder = archive.new_candidate()
        self._public: ox.Store | None = None
        self._full: ox.Store | None = None
        self._asked: dict[bool, ox.Store] = {}
        self._files: _Files | None = None

    @classmethod
    def empty(cls, archive: Archive, settings: Settings) -> Candidate:
        """A candidate without content.

        Raises:
            StoreError: it cannot be written.
        """
        candidate = cls(archive, settings)
        with _telling(candidate):
            candidate._folder.mkdir(parents=True)
            candidate._public = ox.Store(str(candidate._folder / PUBLIC))
        return candidate

    @classmethod
    def fork(cls, archive: Archive, settings: Settings, parent: Manifest) -> Candidate:
        """A candidate that holds what ``parent`` holds: hard links to its files.

        Raises:
            StoreError: it cannot be written, or the parent cannot be read.
        """
        candidate = cls(archive, settings)
        with _telling(candidate):
            candidate._folder.mkdir(parents=True)
            for name in (PUBLIC, FULL) if parent.restricted else (PUBLIC,):
                source = archive.path(parent.number) / name
                ox.Store.read_only(str(source)).backup(str(candidate._folder / name))
            candidate._public = ox.Store(str(candidate._folder / PUBLIC))
            if parent.restricted:
                candidate._full = ox.Store(str(candidate._folder / FULL))
        candidate.parent = parent
        candidate.graphs = Counter({**parent.graphs, **parent.restricted_graphs})
        candidate.triples = parent.triples
        return candidate

    # -- reading -------------------------------------------------------------------------------

    @property
    def public(self) -> ox.Store:
        """What anybody may see."""
        if self._public is None:
            raise ValueError("the candidate is closed")
        return self._public

    @property
    def everything(self) -> ox.Store:
        """All there is."""
        return self._full if self._full is not None else self.public

    def asked(self, *, everything: bool) -> ox.Store:
        """What patterns are asked of: the public part or all, in memory; kept in step."""
        if everything not in self._asked:
            self._asked[everything] = in_memory(self.everything if everything else self.public)
        return self._asked[everything]

    def quads(self) -> Iterator[ox.Quad]:
        """All quads, restricted ones too, without the merge."""
        return stated(self.everything, self._merged)

    @property
    def _merged(self) -> bool:
        return self.settings.default_graph == "merge"

    # -- changing ------------------------------------------------------------------------------

    def apply(
        self,
        change: Patch,
        *,
        created: Iterable[ox.NamedNode] = (),
        dropped: Iterable[ox.NamedNode] = (),
    ) -> None:
        """Apply a patch that fits what is there; keeps the merge exact.

        Raises:
            StoreError: it cannot be written.
        """
        with _telling(self):
            visible = self._visible(change)
            hidden = len(visible) != len(change) or any(
                self.settings.is_restricted(graph.value) for graph in created
            )
            if hidden and self._full is None:
                self.public.flush()
                self.public.backup(str(self._folder / FULL))
                self._full = ox.Store(str(self._folder / FULL))
            self.triples += self._into(self.public, visible)
            if self._full is not None:
                self._into(self._full, change)
            for everything, copy in self._asked.items():
                self._into(copy, change if everything else visible)
            self._count(change, created, dropped)
        self.patch = self.patch.then(change)

    def _into(self, store: ox.Store, patch: Patch) -> int:
        """Apply to one store; gives by how many triples its default graph grew."""
        return embedded.change(store, patch.added, patch.removed, merged=self._merged)

    def _count(
        self, change: Patch, created: Iterable[ox.NamedNode], dropped: Iterable[ox.NamedNode]
    ) -> None:
        for quad, step in [*((q, 1) for q in change.added), *((q, -1) for q in change.removed)]:
            if isinstance(quad.graph_name, ox.NamedNode):
                self.graphs[quad.graph_name.value] += step
        for graph in created:
            self.graphs[graph.value] += 0
            for store in self._stores(graph.value):
                store.add_graph(graph)
        for graph in dropped:
            if self.graphs[graph.value] == 0:
                del self.graphs[graph.value]
                for store in self._stores(graph.value):
                    store.remove_graph(graph)

    def fill(self, content: bulk.Content, delta: bulk.Delta | None) -> None:
        """Write all of a release into an empty candidate, out of lines.

        Args:
            content: every quad, in named graphs.
            delta: what changes against the current release; None where there is none.

        Raises:
            StoreError: it cannot be written.
        """
        with _telling(self), _telling_index():
            with bulk.news(self._folder / DELTA, delta) as news:
                counted = bulk.publish_lines(
                    self._folder,
                    PUBLIC,
                    self.public,
                    content.public,
                    merged=self._merged,
                    base=self.settings.base,
                    news=news,
                )
            self.triples, self.graphs = counted.triples, counted.graphs
            if next(content.restricted.blocks(), None) is not None:
                self.public.flush()
                self.public.backup(str(self._folder / FULL))
                self._full = ox.Store(str(self._folder / FULL))
                self.graphs += bulk.load_restricted(
                    self._full, content.restricted, merged=self._merged
                )
            hidden = self._folder / f"{RESTRICTED}{DELTA}"
            added, removed = bulk.write_deltas(self._folder / DELTA, hidden, content, delta)
            self._files = _Files(
                lines=bulk.Lines(sorting.Stored(self._folder / (PUBLIC + flat.SUFFIX))),
                digest=counted.digest,
                quads=counted.quads,
                blank_nodes=counted.blank_nodes,
                gone=bulk.Lines(delta.removed.public) if delta else (),
                new=bulk.Lines(delta.added.public) if delta else (),
                added=counted.quads if delta is None else added,
                removed=removed,
            )

    def _stores(self, graph: str) -> Iterator[ox.Store]:
        """The stores in which a graph stands."""
        if not self.settings.is_restricted(graph):
            yield self.public
        if self._full is not None:
            yield self._full
        for everything, copy in self._asked.items():
            if everything or not self.settings.is_restricted(graph):
                yield copy

    def is_changed(self) -> bool:
        """Whether it holds something else than its parent: statements, or graphs that are empty."""
        parent = self.parent
        graphs = {*parent.graphs, *parent.restricted_graphs} if parent else set()
        return bool(self.patch) or set(self.graphs) != graphs

    def drop_empty_graphs(self) -> None:
        """Forget the graphs that nothing is left in, as if they had never been."""
        empty = [ox.NamedNode(graph) for graph, size in self.graphs.items() if size == 0]
        self.apply(Patch(), dropped=empty)

    def _is_restricted(self, quad: ox.Quad) -> bool:
        return isinstance(quad.graph_name, ox.NamedNode) and self.settings.is_restricted(
            quad.graph_name.value
        )

    def _visible(self, change: Patch) -> Patch:
        """The public part of a patch; the patch itself where nothing in it is restricted."""
        if not any(map(self.settings.is_restricted, change.graphs())):
            return change
        return change.where(lambda quad: not self._is_restricted(quad))

    # -- the end -------------------------------------------------------------------------------

    def discard(self) -> None:
        """Give the candidate up; nothing is left of it."""
        self._public = self._full = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def publish(
        self,
        records: Sequence[Record],
        *,
        report: bytes,
        findings: dict[str, int],
        fingerprint: str,
        delta: Patch | None = None,
        written: Patch | None = None,
        tombstones: tuple[dict[str, str], ...] = (),
    ) -> Manifest:
        """Make the candidate the next release, and the current one; durable when this returns.

        Args:
            records: what changed, by whom and why; several if writes were put together.
            report: the SHACL report in Turtle.
            findings: number of findings by severity.
            fingerprint: of the files that it rests on; see ``project.fingerprint``.
            delta: what changed against the current release, where that is not what was applied.
            written: what was ever written beside the files; given if the files were read now.
            tombstones: of what is forgotten with this release.

        Raises:
            StoreError: it could not be written; the current release is as it was.
        """
        with _telling(self):
            if self._full is not None and not any(map(self.settings.is_restricted, self.graphs)):
                self._full = None
                shutil.rmtree(self._folder / FULL)
            graphs = {
                restricted: {
                    graph: size
                    for graph, size in sorted(self.graphs.items())
                    if self.settings.is_restricted(graph) is restricted
                }
                for restricted in (False, True)
            }
            files = self._files or self._write_files(self.patch if delta is None else delta)
            if written is not None:
                self._write_patch(WRITTEN, written)
            (self._folder / REPORT).write_bytes(report)
            self._close(sum(graphs[False].values()))
            current = _readable(self.archive)
            number = self.archive.next_number()
            manifest = Manifest(
                number=number,
                parent=current.number if current else None,
                created=_now(after=current.created if current else ""),
                kind=records[0].kind,
                who=", ".join(dict.fromkeys(each.who for each in records)),
                why=_reasons(each for each in records if not each.hidden),
                restricted_why=_reasons(each for each in records if each.hidden),
                changes=tuple(map(_change, records)) if len(records) > 1 else (),
                base=self.settings.base,
                fingerprint=fingerprint,
                built=current.built if current and written is None else number,
                digest=files.digest,
                triples=self.triples,
                quads=files.quads,
                blank_nodes=bool(graphs[True]) or files.blank_nodes,
                graphs=graphs[False],
                restricted=bool(graphs[True]),
                restricted_graphs=graphs[True],
                added=files.added,
                removed=files.removed,
                findings=findings,
                tombstones=(*self.archive.tombstones(), *tombstones),
                files=sealed(self._folder, self._linked()),
            )
            feed.extend(
                self.archive,
                self.settings,
                manifest,
                files.lines,
                removed=files.gone,
                added=files.new,
            )
            path = self._folder / manifests.NAME
            path.write_text(manifest.to_json(), encoding="utf-8")
            sync(path)
            sync_folder(self._folder)
            target = self.archive.path(number)
            self._folder.rename(target)
            sync_folder(target.parent)
            try:
                self.archive.switch(number)
            except ClusterGraphError:
                with contextlib.suppress(StoreError):  # else the next writer finds out
                    if not self.archive.was_carried(number):
                        self.archive.remove(number)
                raise
            feed.clean(self.archive, manifest)
            return manifest

    def _write_files(self, delta: Patch) -> _Files:
        """Write what is made of the statements beside the stores."""
        added, removed = self._write_patch(DELTA, delta)
        lines = self._write_flat()
        self._write_index(lines)
        digest, quads = flat.digest(lines)
        change = self._visible(delta)
        return _Files(
            lines=lines,
            digest=digest,
            quads=quads,
            blank_nodes=any(b"_:" in line for line in lines),
            gone=flat.lines_of(change.removed),
            new=flat.lines_of(change.added),
            added=added,
            removed=removed,
        )

    def _write_flat(self) -> list[bytes]:
        """Write what is public as one file; gives its lines.

        They come from what was changed, since the store gives them slowly.
        """
        name = PUBLIC + flat.SUFFIX
        change = self._visible(self.patch)
        lines = None
        if self.parent is None:
            lines = flat.lines_of(as_stored(change.added))
        else:
            with contextlib.suppress(OSError, zstandard.ZstdError):
                parent = flat.read(self.archive.path(self.parent.number) / name)
                lines = flat.patched(parent, change.removed, as_stored(change.added))
        if lines is None:
            lines = flat.lines_of(stated(self.public, self._merged))
        flat.write(self._folder / name, lines, merged=self._merged)
        return lines

    def _write_index(self, lines: list[bytes]) -> None:
        """Write what the names and descriptions of what is public are found by."""
        path = self._folder / search.NAME
        base = self.settings.base
        with _telling_index():
            if not self._update_index(path, lines):
                path.unlink(missing_ok=True)
                search.build(path, lines, base=base)

    def _update_index(self, path: Path, lines: list[bytes]) -> bool:
        """Write it out of the one before, where few things changed; gives whether it was done."""
        if self.parent is None or self.parent.base != self.settings.base:
            return False
        change = self._visible(self.patch)
        things = {q.subject for q in (*change.added, *change.removed)}
        parent = self.archive.path(self.parent.number) / search.NAME
        if len(things) > _FEW or not parent.is_file():
            return False
        named = {each for each in things if isinstance(each, ox.NamedNode)}
        found = (line for each in named for line in flat.about(lines, str(each).encode()))
        try:
            iris = {each.value for each in named}
            search.update(path, parent, iris, found, base=self.settings.base)
        except sqlite3.Error:  # the one before is damaged, or of another make
            return False
        return True

    def _write_patch(self, name: str, change: Patch) -> tuple[int, int]:
        """Write a patch, its restricted part apart; gives what is added and removed in public."""
        visible = self._visible(change)
        patch.write(self._folder / name, visible)
        if len(visible) < len(change):
            patch.write(self._folder / f"{RESTRICTED}{name}", change.where(self._is_restricted))
        return len(visible.added), len(visible.removed)

    def _close(self, named: int) -> None:
        """Make the stores durable and close them.

        Raises:
            StoreError: they do not hold what was put into them.
        """
        for store in (self._public, self._full):
            if store is not None:
                store.flush()
        wrong = self._is_wrong(named)
        self._public = self._full = None
        if wrong:
            raise StoreError(f"{self._folder} does not hold what was written into it.")

    def _is_wrong(self, named: int) -> bool:
        """Whether the public store lacks something: all counted, or what was changed looked up."""
        change = self._visible(self.patch)
        if self.parent is None or len(change) > _FEW:
            return len(self.public) != named + self.triples
        return any(quad in self.public for quad in change.removed) or not all(
            quad in self.public for quad in change.added
        )

    def _linked(self) -> dict[str, tuple[int, str]]:
        """Inode and ``size:sha256`` by path of the parent's files, which need no second look."""
        if self.parent is None:
            return {}
        folder = self.archive.path(self.parent.number)
        return {
            name: ((folder / name).stat().st_ino, entry)
            for name, entry in self.parent.files.items()
            if (folder / name).is_file()
        }


@contextlib.contextmanager
def _telling(candidate: Candidate) -> Iterator[None]:
    """Tell the engine's and the system's errors in our words; discard the candidate at any."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        candidate.discard()
        raise store_error(error, candidate.archive.folder) from error
    except BaseException:
        candidate.discard()
        raise


@contextlib.contextmanager
def _telling_index() -> Iterator[None]:
    """Tell the index's errors as those of the system."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"the search index cannot be written: {error}") from error


def _readable(archive: Archive) -> Manifest | None:
    """The current manifest; None also if it is damaged, which a new release mends."""
    with contextlib.suppress(CorruptedError):
        return archive.current()
    return None


def stated(store: ox.Store, merged: bool) -> Iterator[ox.Quad]:
    """The quads that a store holds, without the merge if its default graph is one."""
    return (quad for quad in store if not (merged and isinstance(quad.graph_name, ox.DefaultGraph)))


def digest_of(quads: Iterable[ox.Quad]) -> tuple[str, int]:
    """SHA-256 of a dataset as canonical N-Quads (RDFC-1.0 section 4), and its number of quads."""
    return flat.digest(flat.lines_of(quads))


def _reasons(records: Iterable[Record]) -> str:
    return "; ".join(dict.fromkeys(each.why for each in records if each.why))


def _change(record: Record) -> dict[str, str]:
    """One of several changes, as everybody may see it."""
    why = "" if record.hidden else record.why
    return {"kind": record.kind, "who": record.who, "why": why}


def _now(after: str) -> str:
    """The time, but never before ``after``: a clock that was set back does not reorder history."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return max(now, after)
