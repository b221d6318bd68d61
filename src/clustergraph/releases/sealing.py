"""Files of a release made durable, and their sizes and digests."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from clustergraph.releases.archive import sync_folder

if TYPE_CHECKING:
    from pathlib import Path


def sealed(folder: Path, linked: dict[str, tuple[int, str]]) -> dict[str, str]:
    """Make every file below ``folder`` durable; gives size and digest of each.

    RocksDB's LOG and LOCK change at opening, so they are not sealed.
    """
    sealed: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        name, status = str(path.relative_to(folder)), path.stat()
        inode, entry = linked.get(name, (0, ""))
        if inode == status.st_ino and entry.startswith(f"{status.st_size}:"):
            sealed[name] = entry
            continue
        sync(path)
        if path.name != "LOCK" and not path.name.startswith("LOG"):
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            sealed[name] = f"{status.st_size}:{digest}"
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
    return sealed


def sync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
