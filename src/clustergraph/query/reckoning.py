"""What is known of the release that a zygote holds: found out beside it, shared by all its workers.

A child of the zygote works the figures out while queries are answered already; until they are
there, queries run as they are written.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import TYPE_CHECKING

from clustergraph.process import sandbox
from clustergraph.store import figures

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyoxigraph as ox

    from clustergraph.rewriting import Known

_READY = 1
"""The first byte, once all the others are there."""
_PATIENCE = 10
"""How much the child gives way to those who answer queries, as ``nice`` counts."""


class Reckoning:
    """Figures that come some time after they are asked for."""

    def __init__(self, store: ox.Store, memory: int) -> None:
        """Have them worked out.

        Args:
            store: which does not change from now on.
            memory: bytes that this may take; if they do not suffice, nothing is known.
        """
        self._known: Known | None = None
        self._memory = memory
        self._file = os.memfd_create("figures")
        os.pwrite(self._file, bytes(1), 0)
        if os.fork() == 0:
            _work_out(store, self._file, memory)

    def known(self) -> Known | None:
        """What is known by now."""
        if self._known is None and os.pread(self._file, 1, 0) == bytes([_READY]):
            content = mmap.mmap(self._file, 0, prot=mmap.PROT_READ)
            self._known = figures.known(content, 1)
        return self._known

    def after(self, store: ox.Store, added: Iterable[ox.Quad]) -> Reckoning:
        """Those of a store to which little was done, in a process of its own.

        Args:
            store: after the change.
            added: what it did not hold before.
        """
        known = self.known()
        if known is None:
            return Reckoning(store, self._memory)
        self._known = figures.grown(known, added)
        return self


def _work_out(store: ox.Store, file: int, memory: int) -> None:
    """Write the figures into a file, and end this process."""
    try:
        sandbox.die_with_parent()
        sandbox.limit_memory(memory)
        os.nice(_PATIENCE)
        with contextlib.suppress(OSError, RuntimeError, MemoryError), open(file, "wb") as out:
            out.seek(1)
            out.write(figures.found_out(store))
            out.flush()
            os.pwrite(file, bytes([_READY]), 0)
    finally:
        os._exit(0)
