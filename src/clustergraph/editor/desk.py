"""One set of files that is open in the editor: a project, or a file with its shapes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph.editor.checking import Note, Spec
from clustergraph.editor.index import Index
from clustergraph.errors import ClusterGraphError
from clustergraph.validation import anywhere
from clustergraph.workbench import project_above

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Hashable, Mapping

    from clustergraph.positions import Source


LARGEST = 20 << 20
"""Larger files, in bytes, are validated, but their things are not offered unless they are open."""


@dataclass(eq=False)
class Desk:
    """The files that are validated together, what is known of them, and what was found."""

    spec: Spec
    index: Index = field(default_factory=Index)
    found: list[Note] = field(default_factory=list)
    """What validation found last."""
    syntax: dict[Path, list[Note]] = field(default_factory=dict)
    shown: set[Path] = field(default_factory=set)
    """The files that have diagnostics in the editor."""
    task: asyncio.Task[None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self, unsaved: Mapping[Path, str], here: Path) -> Index:
        """The index of the files as they are now, and of the one that is asked in."""
        with self.lock:
            try:
                sources = self.spec.files().sources(unsaved)
            except ClusterGraphError:
                sources = []
            stamped: list[tuple[Hashable, Source]] = []
            known: set[Path] = set()
            for each in sources:
                path = Path(each.path).resolve()
                known.add(path)
                if path not in unsaved and _size(path) > LARGEST:
                    continue
                stamped.append((_stamp(path, unsaved), each))
            if here not in known:
                source = anywhere.lazily(here, kind="data", unsaved=unsaved)
                stamped.append((_stamp(here, unsaved), source))
            self.index.update(stamped)
            return self.index


def spec_of(path: Path, shapes: tuple[Path, ...]) -> Spec:
    """The project that a file belongs to, or else the file alone, against shapes."""
    root = project_above(path)
    if root is not None:
        spec = Spec(project=root)
        try:
            if path in spec.files().paths() or not path.exists():
                return spec
        except ClusterGraphError:
            return spec  # its settings are wrong: checking it says so
    return Spec(paths=(path,), shapes=shapes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _stamp(path: Path, unsaved: Mapping[Path, str]) -> Hashable:
    if path in unsaved:
        return unsaved[path]
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
