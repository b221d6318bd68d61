"""The writer: a process that publishes writes, confined, one batch at a time.

``python -m clustergraph.writing.writer FD``: the settings come from the environment, the batches
from the socket FD. The answer to a batch is an END frame (JSON: outcomes) or an ERROR frame.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import traceback
from dataclasses import asdict
from typing import Any

from clustergraph import settings as settings_module
from clustergraph.errors import (
    ClusterGraphError,
    StoreError,
    TooLargeError,
    from_fields,
    to_fields,
)
from clustergraph.process import frames, sandbox
from clustergraph.releases import Archive, Done, Manifest, Pipeline, Write
from clustergraph.writing import batches

_BEHIND = 5
"""How far it stands behind those who read, for the processor."""


def main() -> None:
    """Publish batches until the other side closes the connection."""
    sandbox.die_with_parent()
    os.nice(_BEHIND)
    settings = settings_module.load()
    pipeline = Pipeline(Archive(settings.variable), settings)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        if settings.store:
            pipeline.archive.carrier = _Asking(connection)
        if sandbox.is_supported():
            sandbox.forbid_network_and_programs()
        sandbox.limit_memory(settings.write_memory << 20)
        frames.send(connection, frames.READY)
        while True:
            try:
                writes = batches.receive(connection)
            except EOFError:
                return
            kind, answer = _published(pipeline, writes)
            frames.send(connection, kind, json.dumps(answer).encode())
            if not select.select([connection], [], [], 0)[0]:  # nobody waits
                _prepare(pipeline)


def _prepare(pipeline: Pipeline) -> None:
    """Take up what was published, for the next write; without it, that takes longer."""
    with contextlib.suppress(ClusterGraphError, MemoryError, OSError, RuntimeError):
        pipeline.prepare()


class _Asking:
    """The engine, as a process without network reaches it: by whoever started it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def bring(self, number: int) -> bool:
        """See ``Carrier.bring``."""
        return self._asked({"ask": "bring", "number": number})

    def holds(self, manifest: Manifest) -> bool:
        """See ``Carrier.holds``."""
        return self._asked({"ask": "holds", "manifest": asdict(manifest)})

    def _asked(self, question: dict[str, Any]) -> bool:
        frames.send(self._connection, frames.CARRY, json.dumps(question).encode())
        kind, answer = frames.receive(self._connection)
        if kind == frames.ERROR:
            raise from_fields(json.loads(answer))
        return bool(json.loads(answer))


def _published(pipeline: Pipeline, writes: list[Write]) -> tuple[bytes, Any]:
    try:
        outcomes = pipeline.commit(writes, wait=batches.WAIT)
    except ClusterGraphError as error:
        return frames.ERROR, to_fields(error)
    except Exception as error:  # none may end the writer, or take other writes with it
        if len(writes) > 1:
            return frames.END, [_alone(pipeline, each) for each in writes]
        return frames.ERROR, to_fields(_unexpected(error))
    return frames.END, [_outcome(each) for each in outcomes]


def _alone(pipeline: Pipeline, write: Write) -> dict[str, Any]:
    kind, answer = _published(pipeline, [write])
    found: dict[str, Any] = {"error": answer} if kind == frames.ERROR else answer[0]
    return found


def _unexpected(error: Exception) -> ClusterGraphError:
    """An error that nobody foresaw, in one sentence; the log gets its frames."""
    if isinstance(error, MemoryError | RecursionError):
        return TooLargeError(
            "The write needs too much memory, or is nested too deep.", hint="Write less at once."
        )
    if not isinstance(error, OSError | RuntimeError):
        traceback.print_exception(error, file=sys.stderr)
    return StoreError(f"The release could not be written: {error}")


def _outcome(outcome: Done | ClusterGraphError) -> dict[str, Any]:
    if isinstance(outcome, ClusterGraphError):
        return {"error": to_fields(outcome)}
    return {
        "number": outcome.manifest.number,
        "etag": outcome.manifest.etag,
        "added": outcome.added,
        "removed": outcome.removed,
        "new_graph": outcome.new_graph,
    }


if __name__ == "__main__":
    main()
