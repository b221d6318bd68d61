"""Releases on their way to an engine: what it holds, what it should hold, and the difference.

The archive says which release is the current one, the marker on the engine which one it holds. A
release is carried there before it becomes the current one. Whatever was interrupted is mended by
the next that carries: by the deltas where they are known, else by the whole release.
"""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import ClusterGraphError, CorruptedError, StoreError, UsageError
from clustergraph.releases import history
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import DELTA, FULL, PUBLIC, RESTRICTED
from clustergraph.store import flat, probing
from clustergraph.store.capabilities import Capabilities
from clustergraph.store.connection import Access
from clustergraph.store.embedded import store_error
from clustergraph.store.engine import Change, Holding, Marker, Published
from clustergraph.store.engine.lines import Line, apart, merged, unnamed
from clustergraph.store.engine.names import Names
from clustergraph.store.remote import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clustergraph.patch import Patch
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.settings import Settings
    from clustergraph.store.probing import Probed

FINDINGS = "engine.json"
"""The file beside the releases that keeps what was found out of the engine."""
_LARGE = 4 << 20  # bytes of deltas, compressed, up to which several are put together in memory


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


def access(settings: Settings, *, everything: bool = False) -> Access:
    """How the engine of a project is reached.

    Args:
        settings: of the project.
        everything: the dataset that holds what is restricted too.
    """
    return Access(
        query=settings.store_restricted if everything else settings.store,
        update=settings.store_restricted_update if everything else settings.store_update,
        graphs="" if everything else settings.store_graphs,
        user=settings.store_user,
        password=settings.store_password,
        token=settings.store_token,
        scheme=settings.store_auth,
        ca_file=settings.store_ca_file,
        verify=settings.store_verify,
        seconds=float(settings.store_seconds),
    )


def examined(settings: Settings, *, write: bool) -> Probed:
    """What the engine of a project can do; see ``probing.probe``."""
    return probing.probe(access(settings), Names(settings.base), write=write)


class Engine:
    """The engine of a project: the dataset that everybody sees and, if there is one, the other."""

    def __init__(
        self, archive: Archive, settings: Settings, *, step: Callable[[str], None] = _quiet
    ) -> None:
        """Ask nothing yet.

        Args:
            archive: the releases.
            settings: of the project.
            step: called before each step that changes something on the engine, with its name.
        """
        self._archive = archive
        self._settings = settings
        self._step = step
        self._lock = threading.Lock()
        self._found: dict[bool, tuple[RemoteStore, Capabilities]] = {}

    @property
    def has_everything(self) -> bool:
        """Whether a dataset for what is restricted is set."""
        return bool(self._settings.store_restricted)

    # -- what is known of it -------------------------------------------------------------------

    def opened(self, *, everything: bool = False, write: bool) -> tuple[RemoteStore, Capabilities]:
        """The endpoint, and what it can do.

        Args:
            everything: the one that holds what is restricted too.
            write: whether it may be tried with graphs of a moment, if that was never done.

        Raises:
            StoreError: it does not answer, or lacks what is needed.
        """
        with self._lock:
            held = self._found.get(everything)
            if held is None:
                reached = access(self._settings, everything=everything)
                known = self._remembered(reached)
                if known is None:
                    known = probing.found(
                        reached, Names(self._settings.base), write=write, step=self._step
                    )
                    if write:
                        self._remember(reached, known)
                store = RemoteStore(known.reached(reached), wire=known.wire())
                held = store, known
                if write or known.was_written:
                    self._found[everything] = held
            return held

    def _path(self) -> Path:
        return self._archive.folder / FINDINGS

    def _remembered(self, reached: Access) -> Capabilities | None:
        try:
            content = json.loads(self._path().read_text(encoding="utf-8"))
            return Capabilities.from_fields(content.get(_key(reached)))
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def _remember(self, reached: Access, known: Capabilities) -> None:
        try:
            content = json.loads(self._path().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {}
        content[_key(reached)] = known.to_fields()
        waiting = self._path().with_suffix(".new")
        try:
            self._archive.folder.mkdir(parents=True, exist_ok=True)
            waiting.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            waiting.rename(self._path())
        except OSError as error:
            raise StoreError(f"{self._path()} cannot be written: {error.strerror}") from error

    def lacks(self, manifest: Manifest | None) -> list[str]:
        """What the engine cannot do, as far as it was found out, for people.

        Args:
            manifest: of the current release.
        """
        found: list[str] = []
        known = self._remembered(access(self._settings))
        if known is not None:
            found += [probing.told(name) for name in known.lacks()]
        if manifest is not None and manifest.restricted and not self.has_everything:
            found.append(
                "Restricted graphs stay on this machine: no second dataset for them is set "
                "(store.restricted). Tokens that may read them are answered from here."
            )
        return found

    def forget_findings(self) -> None:
        """Find out anew what the engine can do, at the next occasion."""
        with self._lock:
            self._found.clear()
            self._path().unlink(missing_ok=True)

    # -- reading -------------------------------------------------------------------------------

    def published(self, manifest: Manifest, *, everything: bool = False) -> Published:
        """A release on the engine, for reading.

        Raises:
            StoreError: the engine does not answer.
        """
        store, known = self.opened(everything=everything, write=False)
        hidden = manifest.restricted_graphs if everything else {}
        graphs = frozenset({**manifest.graphs, **hidden})
        names = Names(self._settings.base)
        return Published(store, names, graphs, known, has_blanks=manifest.blank_nodes)

    def holds(self, manifest: Manifest) -> bool:
        """Whether the engine holds a release, as far as its marker tells.

        Raises:
            StoreError: it does not answer.
        """
        return self._holding(everything=False).marker().release == self._told(manifest)

    def count(self, graph: str, *, everything: bool = False) -> int:
        """How many statements the engine holds in a graph; "" is the default graph."""
        return self._holding(everything=everything).count(graph)

    # -- carrying ------------------------------------------------------------------------------

    def bring(self, number: int, *, whole: bool = False) -> bool:
        """Bring the engine from whatever it holds to a release; under the lock of the archive.

        Args:
            number: of a release whose files are complete, be it not the current one yet.
            whole: load all of it anew, although the engine says that it holds it.

        Returns:
            Whether there was anything to do.

        Raises:
            StoreError: it could not be done; the engine holds what it held before. Or nobody knows,
                as the engine broke off: the next that carries finds out.
        """
        manifest = manifests.read(self._archive.path(number))
        self._check(manifest)
        done = False
        if self.has_everything:
            done = self._bring(manifest, everything=True, whole=whole)
        return self._bring(manifest, everything=False, whole=whole) or done

    def _check(self, manifest: Manifest) -> None:
        reserved = Names(self._settings.base).reserved
        bad = [each for each in manifest.graphs if each.startswith(reserved)]
        if bad:
            raise UsageError(
                f"A graph is called {bad[0]}, but names below {reserved} are kept for the engine.",
                hint="Give the graph another name.",
            )

    def _bring(self, manifest: Manifest, *, everything: bool, whole: bool) -> bool:
        holding = self._holding(everything=everything)
        held = holding.marker()
        wanted = self._marker(manifest, everything=everything)
        if held.release == wanted.release and not whole:
            return False
        holding.clean()
        source = self._origin(held, manifest)
        change = None
        if source is not None and not whole:
            change = self._difference(source, manifest, everything=everything)
        try:
            if change is None:
                known = self._known_graphs(everything=everything)
                holding.replace(
                    lambda: self._content(manifest, everything=everything), held, wanted, known
                )
            else:
                holding.change(change, held, wanted)
        except ClusterGraphError:
            if self._arrived(holding, wanted):
                return True
            raise
        return True

    def _arrived(self, holding: Holding, wanted: Marker) -> bool:
        """Whether a switch took place although its answer was lost."""
        try:
            return holding.marker().release == wanted.release
        except ClusterGraphError:
            return False

    def _holding(self, *, everything: bool) -> Holding:
        store, known = self.opened(everything=everything, write=True)
        return Holding(store, self._settings.base, known, step=self._step)

    def _told(self, manifest: Manifest) -> str:
        return f"{manifest.number} {manifest.digest} {manifest.created} {self._default}"

    @property
    def _default(self) -> str:
        return self._settings.default_graph

    def _marker(self, manifest: Manifest, *, everything: bool) -> Marker:
        hidden = manifest.restricted_graphs if everything else {}
        return Marker(self._told(manifest), frozenset({**manifest.graphs, **hidden}))

    def _known_graphs(self, *, everything: bool) -> set[str]:
        """All graphs that some release had."""
        found: set[str] = set()
        for number in self._archive.known():
            manifest = manifests.read(self._archive.record(number))
            found |= manifest.graphs.keys()
            if everything:
                found |= manifest.restricted_graphs.keys()
        return found

    def _origin(self, held: Marker, manifest: Manifest) -> Manifest | None:
        """The release that the engine holds, if we know it still."""
        number = held.release.partition(" ")[0]
        if not number.isdigit():
            return None
        try:
            found = manifests.read(self._archive.record(int(number)))
        except ClusterGraphError:
            return None
        fits = held.release == self._told(found) and found.base == manifest.base
        return found if fits else None

    # -- what changes --------------------------------------------------------------------------

    def _difference(self, old: Manifest, new: Manifest, *, everything: bool) -> Change | None:
        """What makes one release out of another; None if the deltas do not tell it."""
        folder = self._archive.path(new.number)
        names = [DELTA, f"{RESTRICTED}{DELTA}"] if everything else [DELTA]
        files = [folder / name for name in names if name in new.files]
        if new.parent == old.number:
            size = (
                new.added + new.removed + sum(1 for each in files[1:] for _ in _delta(each, b"AD"))
            )
            return self._change(
                lambda: self._lines(files, b"D"), lambda: self._lines(files, b"A"), size, new,
                everything=everything,
            )  # fmt: skip
        try:
            if self._weight(old.number, new.number) > _LARGE:
                return None
            patch = history.diff(self._archive, old.number, new.number, restricted=everything)
        except ClusterGraphError:
            return None
        return self._of_patch(patch, new, everything=everything)

    def _weight(self, old: int, new: int) -> int:
        """Bytes of the deltas of releases about these two."""
        numbers = range(min(old, new), max(old, new) + 1)
        known = set(self._archive.known())
        return sum(
            (self._archive.record(each) / DELTA).stat().st_size for each in numbers if each in known
        )

    def _of_patch(self, patch: Patch, new: Manifest, *, everything: bool) -> Change:
        base = self._settings.base

        def lines(quads: frozenset[ox.Quad]) -> Iterator[Line]:
            return (apart(line.encode() + b" .", base) for line in sorted(map(str, quads)))

        return self._change(
            lambda: lines(patch.removed), lambda: lines(patch.added), len(patch), new,
            everything=everything,
        )  # fmt: skip

    def _change(
        self,
        removed: Callable[[], Iterator[Line]],
        added: Callable[[], Iterator[Line]],
        size: int,
        new: Manifest,
        *,
        everything: bool,
    ) -> Change:
        """A change of named graphs, with what it does to the merge."""
        if self._default != "merge":
            return Change(removed, added, size)
        if not size:
            return Change(removed, added, 0)
        folder = self._archive.path(new.number) / (
            FULL if everything and new.restricted else PUBLIC
        )
        try:
            store = ox.Store.read_only(str(folder))
        except (OSError, RuntimeError) as error:
            raise store_error(error, folder) from error

        def gone() -> Iterator[Line]:
            for line in removed():
                yield line
                if not _stands(store, line, self._settings.base):
                    yield Line(line.triple, "")

        return Change(gone, lambda: merged(added()), 2 * size)

    def _lines(self, files: list[Path], mark: bytes) -> Iterator[Line]:
        for path in files:
            for line in _delta(path, mark):
                yield apart(line, self._settings.base)

    def _content(self, manifest: Manifest, *, everything: bool) -> Iterator[Line]:
        """All lines of a release, its default graph with them; memory stays flat."""
        base = self._settings.base
        folder = self._archive.path(manifest.number)
        if everything and manifest.restricted:
            try:
                for quad in ox.Store.read_only(str(folder / FULL)):
                    yield apart(f"{quad} .".encode(), base)
            except (OSError, RuntimeError) as error:
                raise store_error(error, folder) from error
            return
        lines = (apart(line, base) for line in flat.stream(folder / (PUBLIC + flat.SUFFIX)))
        yield from merged(lines) if self._default == "merge" else lines

    def close(self) -> None:
        """Close the connections that are kept open."""
        with self._lock:
            for store, _known in self._found.values():
                store.close()
            self._found.clear()


def _stands(store: ox.Store, line: Line, base: str) -> bool:
    """Whether a triple stands in the default graph of a store of our own."""
    triple = unnamed(line.triple, base) + b" ."
    quad = next(iter(ox.parse(triple, ox.RdfFormat.N_TRIPLES)))
    return ox.Quad(quad.subject, quad.predicate, quad.object) in store


def _delta(path: Path, marks: bytes) -> Iterator[bytes]:
    """The lines of a delta with one of some marks, without it.

    Raises:
        CorruptedError: it cannot be read.
    """
    try:
        with gzip.open(path) as lines:
            for line in lines:
                if line[:1] in marks:
                    yield line[2:]
    except (OSError, EOFError) as error:
        raise CorruptedError(f"{path} cannot be read: {error}") from error


def _key(reached: Access) -> str:
    return "\n".join((reached.query, reached.update, reached.graphs))
