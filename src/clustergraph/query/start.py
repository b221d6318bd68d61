"""Starts zygotes: from a release on disk, or from the zygote of the release before it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.query.limits import Limits

_START = 60.0
"""Seconds within which a zygote must hold its release, or a worker be there."""
_GENERATIONS = 50
"""After so many changes a release is loaded anew: by then little memory is shared any more."""


class Zygote:
    """A process that holds one release in memory and forks workers; see ``query.zygote``.

    It ends when this process does, or lets go of it.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Start one that reads a release from disk, and wait until it holds it.

        Args:
            folder: the release's store.
            limits: what queries may take.

        Raises:
            StoreError: the release could not be loaded.
        """
        ours, theirs = socket.socketpair()
        self._prepare(folder, ours)
        with theirs:
            process = subprocess.Popen(  # noqa: S603  our own module, no shell
                [
                    sys.executable, "-m", "clustergraph.query.zygote", str(folder), self._address,
                    "--memory", str(limits.memory), "--in-memory", str(limits.in_memory),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = process
        self.generation = 0
        self._await(folder)

    def _prepare(self, folder: Path, control: socket.socket) -> None:
        self.folder = folder
        self._control = control
        self._directory = tempfile.mkdtemp(prefix="clustergraph-")
        self._address = str(Path(self._directory) / "zygote")
        self._descriptor = -1

    def _await(self, folder: Path) -> None:
        self._control.settimeout(_START)
        try:
            word, _, pid = self._control.recv(64).partition(b" ")
            if word == b"listening":
                self._descriptor = os.pidfd_open(int(pid))
                return
        except OSError:
            pass
        self.close()
        raise StoreError(f"The release in {folder} could not be loaded for queries.")

    def successor(self, folder: Path, deltas: Sequence[Path], *, merged: bool) -> Zygote | None:
        """A zygote of a later release: this one's fork, which applies what was changed.

        The two share the memory of what stayed.

        Args:
            folder: the later release's store.
            deltas: the changes from this release to that one, in their order.
            merged: whether the default graph is the merge of the others.

        Returns:
            None if there can be none: the release is to be read from disk.
        """
        if self.generation >= _GENERATIONS:
            return None
        return self._fork(folder, deltas, merged=merged, generation=self.generation + 1)

    def twin(self) -> Zygote | None:
        """A zygote that holds the same, all memory shared: at hand when this one is killed.

        Returns:
            None if there can be none.
        """
        return self._fork(self.folder, (), merged=False, generation=self.generation)

    def _fork(
        self, folder: Path, deltas: Sequence[Path], *, merged: bool, generation: int
    ) -> Zygote | None:
        heir = object.__new__(Zygote)
        ours, theirs = socket.socketpair()
        heir._prepare(folder, ours)
        heir._process = None
        heir.generation = generation
        fields = {
            "socket": heir._address,
            "store": str(folder),
            "deltas": [str(each) for each in deltas],
            "merged": merged,
        }
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps(fields).encode()], [theirs.fileno()])
            heir._await(folder)
        except (OSError, StoreError):
            heir.close()
            return None
        return heir

    def connect(self) -> socket.socket:
        """A connection to a new worker.

        Raises:
            StoreError: there is none to be had.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_START)
        try:
            connection.connect(self._address)
        except OSError as error:
            connection.close()
            raise StoreError("No query worker could be started.") from error
        return connection

    def is_alive(self) -> bool:
        """Whether the process is there."""
        try:
            signal.pidfd_send_signal(self._descriptor, 0)
        except OSError:
            return False
        return self._process is None or self._process.poll() is None

    def close(self) -> None:
        """End it."""
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            os.close(self._descriptor)
            self._descriptor = -1
        self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)
