"""The worker: a confined process that holds the names of one release and answers questions.

``python -m clustergraph.reconciliation.worker STORE DESCRIPTOR MEMORY PREFIXES`` loads, then takes
a frame of JSON for each question from the socket and answers with one; it ends with the socket.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

import pyoxigraph as ox

from clustergraph.process import frames, sandbox
from clustergraph.reconciliation import answers
from clustergraph.reconciliation.things import Things

_BEHIND = 5  # pages come first
SECONDS = 3.0
"""Seconds that one question may take; it is given up then, and the next one answered."""


def main() -> int:
    """Load, confine, answer."""
    folder, descriptor, memory, prefixes = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; our parent decides
    signal.signal(signal.SIGALRM, _late)
    os.nice(_BEHIND)
    with socket.socket(fileno=int(descriptor)) as connection:
        try:
            things = Things(ox.Store.read_only(folder), json.loads(prefixes))
        except (OSError, RuntimeError) as error:
            sys.stderr.write(f"The names in {folder} cannot be read: {error}\n")
            return 1
        if sandbox.is_supported():
            sandbox.forbid_network_and_programs()
        sandbox.limit_memory(int(memory))
        try:
            frames.send(connection, frames.READY)
            while True:
                _kind, payload = frames.receive(connection)
                _answer(connection, things, payload)
        except (EOFError, OSError):  # whoever asked has gone
            return 0


class _LateError(Exception):
    """A question takes too long."""


def _late(*_: object) -> None:
    raise _LateError


def _answer(connection: socket.socket, things: Things, payload: bytes) -> None:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = answers.answer(things, json.loads(payload))
        content = json.dumps(found, ensure_ascii=False).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except _LateError:
        frames.send(connection, frames.ERROR, answers.LATE)
        return
    except Exception as error:  # whatever it is, the next question can be answered
        signal.setitimer(signal.ITIMER_REAL, 0)
        frames.send(connection, frames.ERROR, repr(error)[:500].encode())
        return
    frames.send(connection, frames.DATA, content)


if __name__ == "__main__":
    sys.exit(main())
