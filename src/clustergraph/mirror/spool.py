"""What a mirror remembers between runs, and the pages that a run has read so far.

``var/mirror.json`` is written when what it tells of is published; pages that never change are kept
in ``var/mirror/`` until then, so that a run that was killed does not ask for them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import zstandard

from clustergraph.errors import NoSpaceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(kw_only=True)
class Memory:
    """Where a mirror stands."""

    url: str
    """Of the feed."""
    retention: str | None = None
    """Of the stream; see ``Stream.retention``. None before the first run."""
    release: int = 0
    """The origin's release that is mirrored; 0 where a stream tells of none."""
    digest: str = ""
    """Of that release."""
    done: list[str] = field(default_factory=list)
    """Pages that never change and are in the mirror."""
    latest: tuple[str, int] = ("", 0)
    """Time and sequence number of the newest member that is mirrored."""
    etags: dict[str, str] = field(default_factory=dict)
    """Of the others."""


class Spool:
    """The files of a mirror in the folder of releases."""

    def __init__(self, variable: Path) -> None:
        self._memory = variable / "mirror.json"
        self._pages = variable / "mirror"

    def memory(self, url: str) -> Memory:
        """Where the mirror of a feed stands; at its beginning if there is none that can be read.

        Raises:
            UsageError: the folder holds a mirror of another feed.
        """
        try:
            found = Memory(**json.loads(self._memory.read_text(encoding="utf-8")))
            moment, number = found.latest
            found.latest = (moment, number)
        except (OSError, ValueError, TypeError):
            return Memory(url=url)
        if found.url != url:
            raise UsageError(f"The folder mirrors {found.url}.", hint="Name another folder.")
        return found

    def remember(self, memory: Memory) -> None:
        """Write down where the mirror stands; what was read up to there is not needed any more.

        Raises:
            NoSpaceError: it cannot be written.
        """
        self._write(self._memory, json.dumps(asdict(memory)).encode())
        self.clear()

    def clear(self) -> None:
        """Drop the pages that were read."""
        shutil.rmtree(self._pages, ignore_errors=True)

    def page(self, url: str) -> bytes | None:
        """A page that was read, as N-Quads."""
        try:
            content = self._file(url).read_bytes()
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
        except (OSError, zstandard.ZstdError):
            return None

    def keep(self, url: str, content: bytes) -> None:
        """Keep a page that never changes.

        Raises:
            NoSpaceError: it cannot be written.
        """
        self._write(self._file(url), zstandard.ZstdCompressor().compress(content))

    def _file(self, url: str) -> Path:
        return self._pages / f"{hashlib.sha256(url.encode()).hexdigest()}.nq.zst"

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """Write a file whole or not at all."""
        part = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        except OSError as error:
            raise NoSpaceError(f"{path} cannot be written: {error.strerror}") from error
