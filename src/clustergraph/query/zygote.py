"""The zygote: holds one release in memory and forks a worker for each connection of the pool.

When it forks it has one thread and no RocksDB store open, so that this is safe. Its standard input
is a socket: it ends when that is closed, which the death of the process that started it does; and
it reads there of a later release, for which it forks a successor. A child finds out what is known
of the release, see ``query.reckoning``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from clustergraph import patch
from clustergraph.process import sandbox
from clustergraph.query import worker
from clustergraph.query.reckoning import Reckoning
from clustergraph.store import embedded, flat

_LARGE, _END = b"large\n", b"# the end\n"


def main() -> None:
    """``python -m clustergraph.query.zygote STORE SOCKET``: load, listen, fork."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, help="folder of the release's store")
    parser.add_argument("socket", help="path of the Unix socket to listen on")
    parser.add_argument("--memory", type=int, required=True, help="bytes a worker may take")
    parser.add_argument("--in-memory", type=int, required=True, help="largest store to load, quads")
    options = parser.parse_args()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; our parent decides
    store = _load(options.store, options.in_memory)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as control:
        os.close(sys.stdin.fileno())
        _serve(control, store, None, options)


def _serve(
    control: socket.socket,
    store: ox.Store | None,
    reckoning: Reckoning | None,
    options: argparse.Namespace,
) -> None:
    """Listen until there is nobody any more for whom to listen."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(options.socket)
        listener.listen(64)
        control.sendall(b"listening %d" % os.getpid())
        try:
            if store is not None and reckoning is None:
                reckoning = Reckoning(store, options.memory)
            _accept(listener, control, store, reckoning, options)
        finally:
            Path(options.socket).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                Path(options.socket).parent.rmdir()


def _load(folder: Path, largest: int) -> ox.Store | None:
    """The release in memory, or None if it is too large: then workers open it themselves.

    Children read it from disk, so that no thread of the disk store is in this process. The merge is
    loaded beside the named graphs, by a thread that has ended before anything is forked.
    """
    named = _child(folder, largest, merge=False)
    if named.readline() == _LARGE:
        named.close()
        return None
    merge = _child(folder, largest, merge=True)
    store = ox.Store()
    ended: list[bool] = []
    beside = threading.Thread(target=lambda: ended.append(_fill(store, merge)))
    beside.start()
    whole = _fill(store, named)
    beside.join()
    if not (whole and ended == [True]):
        raise SystemExit(f"{folder} could not be read whole")
    return store


def _child(folder: Path, largest: int, *, merge: bool) -> IO[bytes]:
    """What a child writes that reads a release from disk."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        _dump(folder, writing, largest, merge=merge)
    os.close(writing)
    return os.fdopen(reading, "rb")


def _fill(store: ox.Store, pipe: IO[bytes]) -> bool:
    """Put what comes into a store; gives whether it was whole."""
    with pipe:
        quads = _Watched(pipe)
        store.bulk_load(cast("IO[bytes]", quads), ox.RdfFormat.N_QUADS, lenient=True)
    return quads.tail.endswith(_END)


class _Watched:
    """A pipe of which it is known how it ended."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        found = self._pipe.read(size)
        self.tail = (self.tail + found[-len(_END) :])[-len(_END) :]
        return found


def _dump(folder: Path, descriptor: int, largest: int, *, merge: bool) -> None:
    """Write a store, or the merge alone where it is kept as lines, to a pipe; end this process."""
    try:
        with os.fdopen(descriptor, "wb") as out:
            lines = folder.with_name(folder.name + flat.SUFFIX)
            if merge:
                out.writelines(flat.merge(lines) if lines.is_file() else ())
            elif lines.is_file():
                small = flat.size(lines) <= largest
                out.write(b"small\n" if small else _LARGE)
                out.writelines(flat.texts(lines) if small else ())
            else:
                store = ox.Store.read_only(str(folder))
                small = len(store) <= largest
                out.write(b"small\n" if small else _LARGE)
                if small:
                    store.dump(out, ox.RdfFormat.N_QUADS)
            out.write(_END)
    finally:
        os._exit(0)


def _accept(
    listener: socket.socket,
    control: socket.socket,
    store: ox.Store | None,
    reckoning: Reckoning | None,
    options: argparse.Namespace,
) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(control, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if control in ready:
                message, descriptors, _flags, _address = socket.recv_fds(control, 1 << 20, 1)
                if not message:
                    return
                if os.fork() == 0:
                    listener.close()
                    control.close()
                    _become_successor(message, descriptors[0], store, reckoning, options)
                os.close(descriptors[0])
            if listener in ready:
                connection, _address = listener.accept()
                if reckoning is not None:
                    reckoning.known()  # read here, it is shared by all that are forked
                if os.fork() == 0:
                    listener.close()
                    control.close()
                    _become_worker(connection, store, reckoning, options)
                connection.close()


def _become_successor(
    message: bytes,
    descriptor: int,
    store: ox.Store | None,
    reckoning: Reckoning | None,
    options: argparse.Namespace,
) -> None:
    """Hold a later release in this process, serve it, and end."""
    try:
        fields = json.loads(message)
        options.socket, options.store = fields["socket"], Path(fields["store"])
        if store is not None:
            added: list[ox.Quad] = []
            for path in fields["deltas"]:
                change = patch.read(Path(path))
                embedded.change(store, change.added, change.removed, merged=fields["merged"])
                added += change.added
            reckoning = reckoning.after(store, added) if reckoning else None
        with socket.socket(fileno=descriptor) as control:
            _serve(control, store, reckoning, options)
    finally:
        os._exit(0)


def _become_worker(
    connection: socket.socket,
    store: ox.Store | None,
    reckoning: Reckoning | None,
    options: argparse.Namespace,
) -> None:
    """Serve one connection in this process, and end it."""
    try:
        sandbox.die_with_parent()
        if sandbox.is_supported():
            sandbox.forbid_network_and_programs()
        if store is None:
            store = ox.Store.read_only(str(options.store))
        known = reckoning.known if reckoning is not None else lambda: None
        worker.serve(connection, store, memory=options.memory, known=known)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
