"""The dumps of releases: which there are, and how they come to be.

``dumps/000042/`` holds the files of release 42, ``SHA256SUMS``, and ``index.json``, which says what
they are. They are written beside it, under a lock, and take its name when they are complete. They
are made from the public graph alone, and go with their release.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import zstandard

from clustergraph import compression, rdf
from clustergraph import settings as settings_module
from clustergraph.dumps import serialised, things
from clustergraph.errors import BusyError, ClusterGraphError, GoneError, NotFoundError
from clustergraph.releases.archive import sync_folder
from clustergraph.releases.candidate import PUBLIC
from clustergraph.store import flat
from clustergraph.store.embedded import store_error
from clustergraph.vocab import prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from clustergraph.releases import Archive, Manifest
    from clustergraph.settings import Settings

INDEX, SUMS = "index.json", "SHA256SUMS"
_LOCK = ".lock"
_EVERY = 50_000  # lines after which the writer looks whether the release is still there
_VERSION = 1


@dataclass(frozen=True)
class DumpFile:
    """One file of a dump."""

    name: str
    format: str
    """Name of the format."""
    media_type: str
    """Of what is in it."""
    compress_type: str
    """Media type of the compression."""
    size: int
    sha256: str
    uncompressed_size: int
    uncompressed_sha256: str
    statements: int
    """Quads, or triples of the merge."""


@dataclass(frozen=True)
class Dump:
    """The files of one release."""

    release: int
    digest: str
    """Of the release: SHA-256 of its canonical N-Quads."""
    created: str
    """When the release was published."""
    quads: int
    triples: int
    """Of the merge."""
    files: tuple[DumpFile, ...]
    things: tuple[things.Part, ...]
    """The files that name the things, for the map of the site."""
    kinds: dict[str, int]
    """How many things there are of each kind."""
    folder: Path


class Dumps:
    """The dumps of a project's releases."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self._archive = archive
        self._settings = settings
        self._folder = archive.dumps(0).parent
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._began = float("-inf")
        self._starting = threading.Lock()

    # -- reading -------------------------------------------------------------------------------

    def of(self, number: int) -> Dump:
        """The dump of a release.

        Raises:
            NotFoundError: there never was such a release, or no dump of it was written.
            GoneError: it is not kept any more.
        """
        manifest = self._archive.manifest(number)
        found = self._read(manifest)
        if found is None:
            raise NotFoundError(
                f"Release {number} was never written as files.",
                hint="Dumps are written of the current release: /dump/latest/",
            )
        return found

    def newest(self) -> Dump | None:
        """The dump of the newest release that has one."""
        for number in reversed(self._archive.numbers()):
            if (self._archive.dumps(number) / INDEX).is_file():
                with contextlib.suppress(ClusterGraphError):
                    found = self._read(self._archive.manifest(number))
                    if found is not None:
                        return found
        return None

    def _read(self, manifest: Manifest) -> Dump | None:
        folder = self._archive.dumps(manifest.number)
        try:
            content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            if content.pop("version") != _VERSION or content["digest"] != manifest.digest:
                return None
            files = tuple(DumpFile(**each) for each in content.pop("files"))
            parts = tuple(things.Part(**each) for each in content.pop("things"))
            return Dump(**content, files=files, things=parts, folder=folder)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    # -- writing -------------------------------------------------------------------------------

    def wish(self) -> bool:
        """See to it that the current release is written, by a process beside this one.

        Not more often than the settings say, and one at a time. Gives whether one is written now.
        """
        number = self._archive.current_number()
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return True
            if number is None or (self._archive.dumps(number) / INDEX).is_file():
                return False
            if time.monotonic() - self._began < self._settings.dump_seconds:
                return False
            self._began = time.monotonic()
            # The process dies with the thread that starts it, so that one waits for it.
            self._thread = threading.Thread(target=self._run, name="dump", daemon=True)
            self._thread.start()
            return True

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # no process or memory to be had: tried again
            with self._starting:
                if self._closed:
                    return
                self._process = process = subprocess.Popen(
                    [sys.executable, "-m", "clustergraph.dumps.writer"],
                    env=os.environ | settings_module.to_environment(self._settings),
                    stdin=subprocess.DEVNULL,
                )
            process.wait()

    def close(self) -> None:
        """End the process that writes."""
        with self._starting:
            self._closed = True
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.terminate()
            thread = self._thread
        if thread is not None:
            thread.join()

    def write(self, progress: Callable[[str], None] = lambda _: None) -> Dump:
        """Write the current release, unless it is written already.

        Args:
            progress: called with the name of each format before it is written.

        Raises:
            NotFoundError: there is no release.
            BusyError: another process is writing.
            GoneError: the release was removed meanwhile.
            StoreError: it could not be read or written.
        """
        number = self._archive.current_number()
        if number is None:
            raise NotFoundError("There is no release yet.", hint="clustergraph build")
        manifest = self._archive.manifest(number)
        try:
            with self._locked():
                found = self._read(manifest)
                return found or self._written(manifest, progress)
        except zstandard.ZstdError as error:
            raise store_error(RuntimeError(str(error)), self._archive.folder) from error
        except OSError as error:
            self._check_kept(manifest)
            raise store_error(error, self._archive.folder) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError("Another process is writing dumps.") from error
            for path in self._folder.glob(".[0-9]*"):  # of a writer that was killed
                shutil.rmtree(path, ignore_errors=True)
            yield
        finally:
            os.close(descriptor)

    def _written(self, manifest: Manifest, progress: Callable[[str], None]) -> Dump:
        target = self._archive.dumps(manifest.number)
        part = target.with_name(f".{target.name}")
        shutil.rmtree(target, ignore_errors=True)  # of another release of that number, or cut
        try:
            part.mkdir()
            files: list[DumpFile] = []
            for fmt in rdf.DUMP_FORMATS:
                progress(fmt.name)
                files += self._files(manifest, fmt, part)
            triples = next(each.statements for each in files if each.format == "N-Triples")
            progress("things")
            base = self._settings.base
            modified = things.changes(self._archive, base, manifest.number)
            self._check_kept(manifest)
            parts, kinds = things.write(
                self._lines(manifest), base, modified, manifest.created, part
            )
            dump = Dump(
                manifest.number, manifest.digest, manifest.created, manifest.quads, triples,
                tuple(files), tuple(parts), dict(sorted(kinds.items())), target,
            )  # fmt: skip
            _finish(part, dump)
            self._check_kept(manifest)
            part.rename(target)
            sync_folder(target.parent)
            self._check_kept(manifest)  # removed in this very moment: its dumps go too
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            if not self._archive.is_kept(manifest.number):
                shutil.rmtree(target, ignore_errors=True)
            raise
        return dump

    def _files(self, manifest: Manifest, fmt: rdf.Format, part: Path) -> Iterator[DumpFile]:
        """Write one format, compressed in every way at once."""
        stem = f"{self._settings.stem}.{fmt.suffix}"
        with contextlib.ExitStack() as stack:
            outputs = {
                suffix: stack.enter_context((part / f"{stem}.{suffix}").open("wb"))
                for suffix in compression.MEDIA_TYPES
            }
            self._check_kept(manifest)
            tee = _Tee(
                [
                    (zlib.compressobj(6, zlib.DEFLATED, 31), outputs["gz"].write),
                    (
                        zstandard.ZstdCompressor(level=9, write_checksum=True).compressobj(),
                        outputs["zst"].write,
                    ),
                ]
            )
            statements = serialised.write(
                self._lines(manifest),
                fmt,
                tee,
                prefixes=prefixes(self._settings.base) if fmt in _SHORTENED else {},
                folder=part,
            )
            tee.close()
            for output in outputs.values():
                output.flush()
                os.fsync(output.fileno())
        for suffix, compress_type in compression.MEDIA_TYPES.items():
            path = part / f"{stem}.{suffix}"
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            yield DumpFile(
                path.name, fmt.name, fmt.media_type, compress_type, path.stat().st_size, digest,
                tee.size, tee.digest, statements,
            )  # fmt: skip

    def _lines(self, manifest: Manifest) -> Iterator[bytes]:
        """The public lines of a release; stops where the release is gone."""
        path = self._archive.path(manifest.number) / f"{PUBLIC}{flat.SUFFIX}"
        for position, line in enumerate(flat.stream(path)):
            if position % _EVERY == 0:
                self._check_kept(manifest)
            yield line

    def _check_kept(self, manifest: Manifest) -> None:
        """A release that is forgotten must not come back as files.

        Raises:
            GoneError: it is not kept any more.
        """
        if not self._archive.is_kept(manifest.number):
            raise GoneError(f"Release {manifest.number} is not kept any more.")


_SHORTENED = frozenset((rdf.TURTLE, rdf.TRIG))  # pyoxigraph's JSON-LD is expanded


class _Machine(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Tee:
    """Bytes, compressed in several ways at once."""

    def __init__(self, sinks: Iterable[tuple[_Machine, Callable[[bytes], int]]]) -> None:
        self._sinks = list(sinks)
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, uncompressed."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Take some more."""
        self._hash.update(data)
        self.size += len(data)
        for machine, put in self._sinks:
            put(machine.compress(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Write what the compressors still hold."""
        for machine, put in self._sinks:
            put(machine.flush())


def _finish(part: Path, dump: Dump) -> None:
    """Write the sums and, last, the index."""
    sums = "".join(f"{each.sha256}  {each.name}\n" for each in dump.files)
    content = {name: value for name, value in asdict(dump).items() if name != "folder"}
    index = json.dumps({**content, "version": _VERSION}, indent=1) + "\n"
    for name, text in ((SUMS, sums), (INDEX, index)):
        with (part / name).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(part)
