"""The folder of releases: which there are, which is current, who may write."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import itertools
import os
import shutil
import time
from typing import TYPE_CHECKING, Protocol

from clustergraph.errors import (
    BusyError,
    CorruptedError,
    GoneError,
    NoSpaceError,
    NotFoundError,
    StoreError,
)
from clustergraph.releases import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clustergraph.releases.manifest import Manifest


class Carrier(Protocol):
    """Who brings releases to where they are read, before they become the current one."""

    def bring(self, number: int) -> bool:
        """Bring a release there; gives whether there was anything to do.

        Raises:
            StoreError: it could not be done.
        """
        ...

    def holds(self, manifest: Manifest) -> bool:
        """Whether it is there already.

        Raises:
            StoreError: nobody knows.
        """
        ...


_DIGITS = 6
CANDIDATE = ".candidate"
DUMPS = "dumps"
_candidates = itertools.count()
_SNAPSHOT = ".snapshot-"
FEED = "feed"
"""The folder of the change feed; see ``releases.feed``."""


class Archive:
    """All releases below ``folder`` (``var``)::

    releases/000042/   one release
    history/000041/    manifest and deltas of one that was thinned
    dumps/000042/      a release as files to download, where that was asked for
    feed/              the change feed as files; written anew where it is missing
    current            the number of the one that is served
    lock               held by the one process that writes; names it
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.carrier: Carrier | None = None
        """Brings a release to an engine before it becomes the current one; None: nobody does."""
        self._releases = folder / "releases"
        self._history = folder / "history"
        self._current = folder / "current"
        self._pointed: tuple[int, str, tuple[int, ...]] = (0, "", ())
        """What ``current`` was found to say: number, its manifest, and which file said it."""
        self.mended: list[str] = []
        """What was removed, since an interrupted writer had left it; for telling."""

    def path(self, number: int) -> Path:
        """The folder of a release."""
        return self._releases / f"{number:0{_DIGITS}}"

    def dumps(self, number: int) -> Path:
        """Where the dumps of a release are, if they were written; they go with it."""
        return self.folder / DUMPS / f"{number:0{_DIGITS}}"

    def is_kept(self, number: int) -> bool:
        """Whether a release is here, as far as one look tells."""
        return (self.path(number) / manifests.NAME).is_file()

    def new_candidate(self) -> Path:
        """Where a next release is made; only the holder of the lock may do so.

        Each has a name of its own: the engine lets go of a store's lock only when nothing points to
        the store any more.
        """
        return self._releases / f"{CANDIDATE}-{os.getpid()}-{next(_candidates)}"

    def unfinished(self) -> list[Path]:
        """What writers have begun and not finished."""
        return sorted(self._releases.glob(f"{CANDIDATE}*"))

    def record(self, number: int) -> Path:
        """Where the manifest and the deltas of a release are, be it thinned.

        Raises:
            NotFoundError: there never was such a release.
        """
        for folder in (self.path(number), self._history / f"{number:0{_DIGITS}}"):
            if (folder / manifests.NAME).is_file():
                return folder
        raise NotFoundError(f"There is no release {number}.")

    def numbers(self) -> list[int]:
        """The numbers of all complete releases, oldest first."""
        return _numbered(self._releases)

    def known(self) -> list[int]:
        """The numbers of all releases that there are or were, oldest first."""
        return sorted({*self.numbers(), *_numbered(self._history)})

    def next_number(self) -> int:
        """A number that no release ever had."""
        return max(self.known(), default=0) + 1

    def manifests(self) -> list[Manifest]:
        """The manifests of all releases that are kept, newest first."""
        return [manifests.read(self.path(number)) for number in reversed(self.numbers())]

    def history(self) -> list[Manifest]:
        """The manifests of all releases that there are or were, newest first."""
        return [manifests.read(self.record(number)) for number in reversed(self.known())]

    def current_number(self) -> int | None:
        """The number of the release that is served, or None if nothing was ever published.

        Raises:
            CorruptedError: releases exist, but the pointer to the current one is lost or broken.
        """
        try:
            looks = os.stat(self._current)  # noqa: PTH116  each request asks
            seen = looks.st_ino, looks.st_mtime_ns, looks.st_ctime_ns, looks.st_size
            number, manifest, before = self._pointed
            if seen != before:  # the file is never written to: another one takes its name
                number = int(self._current.read_bytes())
                manifest = str(self.path(number) / manifests.NAME)
                self._pointed = number, manifest, seen
        except FileNotFoundError:
            numbers = self.numbers()
            if not numbers:
                return None
            raise CorruptedError(
                f"{self._current} is missing, but there are releases.",
                hint=f"Serve the newest again: clustergraph rollback {numbers[-1]}",
            ) from None
        except OSError as error:
            raise StoreError(f"{self._current} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise CorruptedError(
                f"{self._current} names no release.",
                hint="Serve a release again: clustergraph rollback NUMBER",
            ) from error
        if not os.path.isfile(manifest):  # noqa: PTH113  each request asks
            raise CorruptedError(
                f"{self._current} names release {number}, which is missing or incomplete.",
                hint="Go back to another release: clustergraph rollback NUMBER",
            )
        return number

    def current(self) -> Manifest | None:
        """The manifest of the current release, be its other files damaged; None if there is none.

        Raises:
            CorruptedError: the pointer or the manifest is damaged.
        """
        number = self.current_number()
        return None if number is None else manifests.read(self.path(number))

    def tombstones(self) -> tuple[dict[str, str], ...]:
        """Of all that was ever forgotten: hash of the IRI, when, why."""
        with contextlib.suppress(CorruptedError):
            current = self.current()
            return current.tombstones if current else ()
        found: dict[str, dict[str, str]] = {}
        for number in self.known():  # the current manifest is lost: what the others remember
            with contextlib.suppress(CorruptedError):
                for each in manifests.read(self.record(number)).tombstones:
                    found[each["hash"]] = each
        return tuple(found.values())

    def manifest(self, number: int) -> Manifest:
        """The manifest of a release.

        Raises:
            NotFoundError: there is no such release.
            GoneError: it was thinned.
            CorruptedError: its files are not those that were written.
        """
        if number not in self.numbers():
            self.record(number)
            raise GoneError(
                f"Release {number} is not kept any more; what changed in it is.",
                hint="The releases that are kept: clustergraph releases",
            )
        manifest = manifests.read(self.path(number))
        self._check_sizes(manifest)
        return manifest

    def _check_sizes(self, manifest: Manifest) -> None:
        """A cheap look at every opening; the digests are for a full verification."""
        folder = self.path(manifest.number)
        for name, entry in manifest.files.items():
            expected = int(entry.split(":", 1)[0])
            try:
                size = (folder / name).stat().st_size
            except OSError as error:
                raise CorruptedError(f"{folder / name} is missing.") from error
            if size != expected:
                raise CorruptedError(
                    f"{folder / name} has {size} bytes instead of {expected}.",
                    hint="Go back to an earlier release, or build again.",
                )

    @contextlib.contextmanager
    def writing(self, what: str = "write", *, wait: float = 0.0) -> Iterator[None]:
        """Hold the lock for writing; what an interrupted writer left behind is removed first.

        Args:
            what: told to those who find the lock held.
            wait: how long to wait for another writer, in seconds.

        Raises:
            BusyError: another process holds it; names that process.
            NoSpaceError: the folder cannot be written.
        """
        try:
            self._releases.mkdir(parents=True, exist_ok=True)
            self._history.mkdir(exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise NoSpaceError(f"{self.folder} cannot be written: {error.strerror}") from error
        try:
            self._lock(descriptor, time.monotonic() + wait)
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()} ({what})\n".encode(), 0)
            except OSError as error:
                raise NoSpaceError(f"{self.folder} cannot be written: {error.strerror}") from error
            try:
                self._clean()
            except OSError as error:
                raise NoSpaceError(
                    f"What an interrupted writer left in {self.folder} cannot be removed: "
                    f"{error.strerror}"
                ) from error
            yield
        finally:
            os.close(descriptor)  # which gives the lock back, as the death of the process does

    def _lock(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip()
                raise BusyError(
                    f"Process {holder or 'unknown'} is writing to {self.folder}.",
                    hint="Wait until it has finished, and try again.",
                ) from error
            return

    def _clean(self) -> None:
        for folder in (self._releases, self._history):
            for path in folder.iterdir():
                unfinished = path.name.isdigit() and not (path / manifests.NAME).is_file()
                if path.name.startswith(".") or unfinished:
                    shutil.rmtree(path, ignore_errors=True)
                    self.mended.append(f"{path.parent.name}/{path.name}")
        for path in self.folder.glob(".*"):
            in_use = path.name.startswith(_SNAPSHOT) and _is_alive(path.name)
            if path.is_dir() and not in_use:
                shutil.rmtree(path, ignore_errors=True)
        self._finish_first()
        with contextlib.suppress(CorruptedError):
            current = self.current_number()
            for number in self.numbers():
                if current is not None and number > current:
                    if self.was_carried(number):
                        self.switch(number)
                        current = number
                        continue
                    self.remove(number)  # its writer died before it became the current one
                    self.mended.append(f"release {number}")
        self.finish_forgetting()
        for path in (self.folder / DUMPS).glob("*"):
            name = path.name.strip(".")
            if path.is_dir() and not (name.isdigit() and self.is_kept(int(name))):
                shutil.rmtree(path, ignore_errors=True)

    def _finish_first(self) -> None:
        """Publish the first release of all, whose writer died while it was brought to the engine.

        Raises:
            StoreError: it still cannot be brought there.
        """
        numbers = self.numbers()
        if self.carrier is None or self._current.exists() or len(self.known()) != 1 or not numbers:
            return
        with contextlib.suppress(CorruptedError):
            if manifests.read(self.path(numbers[0])).parent is None:
                self.switch(numbers[0])

    def was_carried(self, number: int) -> bool:
        """Whether a release stands on the engine already, although it is not the current one.

        Raises:
            StoreError: the engine does not tell.
        """
        if self.carrier is None:
            return False
        with contextlib.suppress(CorruptedError):
            return self.carrier.holds(manifests.read(self.path(number)))
        return False

    def forgetting(self, number: int) -> Path:
        """Where the history is written anew that goes with a release which forgets something."""
        return self.folder / f"history-{number:0{_DIGITS}}"

    def finish_forgetting(self) -> None:
        """Remove what a release which forgets something leaves behind, be it after a crash.

        No release older than it stays, and the history written with it takes the old one's place.
        """
        try:
            current = self.current_number() or 0
        except CorruptedError:
            return
        forgot = [
            number for number in self.numbers() if number <= current and _forgets(self.path(number))
        ]
        for number in self.numbers():
            if forgot and number < forgot[-1]:
                self.remove(number)
        for path in (self.folder / FEED).glob("*-*"):
            begun = path.name.removeprefix("state-").split("-")[0].removesuffix(".json")
            if forgot and begun.isdigit() and int(begun) < forgot[-1]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in sorted(self.folder.glob("history-*")):
            if forgot and path == self.forgetting(forgot[-1]):
                old = self.folder / ".history-old"
                shutil.rmtree(old, ignore_errors=True)
                self._history.rename(old)
                path.rename(self._history)
                sync_folder(self.folder)
                shutil.rmtree(old, ignore_errors=True)
            else:
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what a writer does not hold in memory; gone behind the block.

        One that a writer leaves behind who dies is removed by the next.

        Raises:
            NoSpaceError: it cannot be made.
        """
        folder = self.folder / f".scratch-{os.getpid()}"
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise NoSpaceError(f"{self.folder} cannot be written: {error.strerror}") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Archive]:
        """An archive that stays as it is now while the block runs: hard links beside this one.

        Raises:
            BusyError, NoSpaceError: see ``writing``.
        """
        with self.writing("backup", wait=60.0):
            folder = self.folder / f"{_SNAPSHOT}{os.getpid()}"
            shutil.rmtree(folder, ignore_errors=True)
            for name in ("releases", "history"):
                shutil.copytree(self.folder / name, folder / name, copy_function=os.link)
            shutil.copy2(self._current, folder / "current")
        try:
            yield Archive(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take_over(self, part: Path) -> None:
        """Let the releases in ``part`` stand in the place of those here; only under the lock."""
        old = self.folder / ".replaced"
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir()
        shutil.rmtree(self.folder / DUMPS, ignore_errors=True)
        shutil.rmtree(self.folder / FEED, ignore_errors=True)
        self._current.unlink(missing_ok=True)  # until the end there is nothing that could be served
        for name in ("releases", "history"):
            if (self.folder / name).exists():
                (self.folder / name).rename(old / name)
            if (part / name).exists():
                (part / name).rename(self.folder / name)
        (part / "current").rename(self._current)
        sync_folder(self.folder)
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)

    def switch(self, number: int) -> None:
        """Make a release the current one: one atomic rename, durable when this returns.

        Raises:
            StoreError: it could not be brought to the engine; what was current is current.
        """
        if self.carrier is not None:
            self.carrier.bring(number)
        waiting = self._current.with_suffix(".new")
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(descriptor, f"{number:0{_DIGITS}}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        waiting.rename(self._current)
        sync_folder(self.folder)

    def thin(self, keep: int, days: int) -> list[int]:
        """Remove old releases, but keep their manifests and deltas. Gives those removed.

        Args:
            keep: how many of the newest stay.
            days: for so many days the last release of each day stays.
        """
        numbers = self.numbers()
        staying = {self.current_number(), *numbers[-max(keep, 1) :]}
        since = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=days)
        last = {manifests.read(self.path(number)).created[:10]: number for number in numbers}
        staying |= {number for day, number in last.items() if day > since.isoformat()}
        gone = [number for number in numbers if number not in staying]
        for number in gone:
            self._thin(number)
        return gone

    def _thin(self, number: int) -> None:
        source, target = self.path(number), self._history / f"{number:0{_DIGITS}}"
        if not target.exists():
            part = target.with_name(f".{target.name}")
            part.mkdir()
            for path in [*source.glob("*.nq.gz"), source / manifests.NAME]:
                os.link(path, part / path.name)
            sync_folder(part)
            part.rename(target)
            sync_folder(target.parent)
        self.remove(number)

    def remove(self, number: int) -> None:
        """Remove a release for good."""
        path = self.path(number)
        path.joinpath(manifests.NAME).unlink()  # no longer a release, whatever comes after
        dumped = self.dumps(number)
        for each in (path, dumped, dumped.with_name(f".{dumped.name}")):
            shutil.rmtree(each, ignore_errors=True)


def _forgets(folder: Path) -> bool:
    with contextlib.suppress(CorruptedError):
        return manifests.read(folder).kind == "forget"
    return False


def _is_alive(name: str) -> bool:
    """Whether the process that a snapshot is named after still runs."""
    try:
        os.kill(int(name.rpartition("-")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _numbered(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return sorted(
        int(path.name)
        for path in folder.iterdir()
        if path.name.isdigit() and (path / manifests.NAME).is_file()
    )


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
