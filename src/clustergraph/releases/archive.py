"""The folder of releases: which there are, which is current, who may write."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from clustergraph.errors import BusyError, CorruptedError, NoSpaceError, NotFoundError, StoreError
from clustergraph.releases import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clustergraph.releases.manifest import Manifest

_DIGITS = 6
CANDIDATE = ".candidate"


class Archive:
    """All releases below ``folder`` (``var``)::

    releases/000042/   one release
    current            the number of the one that is served
    lock               held by the one process that writes; names it
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._releases = folder / "releases"
        self._current = folder / "current"

    def path(self, number: int) -> Path:
        """The folder of a release."""
        return self._releases / f"{number:0{_DIGITS}}"

    @property
    def candidate(self) -> Path:
        """Where the next release is made; only the holder of the lock may touch it."""
        return self._releases / CANDIDATE

    def numbers(self) -> list[int]:
        """The numbers of all complete releases, oldest first."""
        if not self._releases.is_dir():
            return []
        return sorted(
            int(path.name)
            for path in self._releases.iterdir()
            if path.name.isdigit() and (path / manifests.NAME).is_file()
        )

    def manifests(self) -> list[Manifest]:
        """The manifests of all complete releases, newest first."""
        return [manifests.read(self.path(number)) for number in reversed(self.numbers())]

    def current_number(self) -> int | None:
        """The number of the release that is served, or None if nothing was ever published.

        Raises:
            CorruptedError: releases exist, but the pointer to the current one is lost or broken.
        """
        try:
            text = self._current.read_text(encoding="ascii").strip()
            number = int(text)
        except FileNotFoundError:
            numbers = self.numbers()
            if not numbers:
                return None
            raise CorruptedError(
                f"{self._current} is missing, but there are releases.",
                hint=f"Name the one to serve: echo {numbers[-1]:0{_DIGITS}} > {self._current}",
            ) from None
        except OSError as error:
            raise StoreError(f"{self._current} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise CorruptedError(
                f"{self._current} names no release.",
                hint="Write the number of a release into it; see: clustergraph releases",
            ) from error
        if not (self.path(number) / manifests.NAME).is_file():
            raise CorruptedError(
                f"{self._current} names release {number}, which is missing or incomplete.",
                hint="Write the number of another release into it, or build again.",
            )
        return number

    def manifest(self, number: int) -> Manifest:
        """The manifest of a release.

        Raises:
            NotFoundError: there is no such release.
            CorruptedError: its files are not those that were written.
        """
        if number not in self.numbers():
            raise NotFoundError(f"There is no release {number}.")
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
    def writing(self) -> Iterator[None]:
        """Hold the lock for writing; what an interrupted writer left behind is removed first.

        Raises:
            BusyError: another process holds it; names that process.
            NoSpaceError: the folder cannot be written.
        """
        try:
            self._releases.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise NoSpaceError(f"{self.folder} cannot be written: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
                raise BusyError(
                    f"Process {holder} is writing to {self.folder}.",
                    hint="Wait until it has finished, and try again.",
                ) from error
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._clean()
            yield
        finally:
            os.close(descriptor)

    def _clean(self) -> None:
        for path in self._releases.iterdir():
            unfinished = path.name.isdigit() and not (path / manifests.NAME).is_file()
            if path.name.startswith(CANDIDATE) or unfinished:
                shutil.rmtree(path, ignore_errors=True)

    def switch(self, number: int) -> None:
        """Make a release the current one: one atomic rename, durable when this returns."""
        waiting = self._current.with_suffix(".new")
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(descriptor, f"{number:0{_DIGITS}}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        waiting.rename(self._current)
        sync_folder(self.folder)

    def thin(self, keep: int) -> list[int]:
        """Remove the oldest releases but ``keep``; never the current one. Gives those removed."""
        current = self.current_number()
        removable = [number for number in self.numbers() if number != current]
        gone = removable[: max(0, len(removable) + 1 - keep)]
        for number in gone:
            path = self.path(number)
            path.joinpath(manifests.NAME).unlink()  # no longer a release, whatever comes after
            shutil.rmtree(path, ignore_errors=True)
        return gone


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
