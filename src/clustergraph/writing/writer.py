"""The writer: a process that publishes writes, confined, one batch at a time.

``python -m clustergraph.writing.writer FD``: the settings come from the environment, the batches
from the socket FD. A batch is a REQUEST frame (JSON: the writes without their payloads), a DATA
frame for each payload; its answer an END frame (JSON: outcomes) or an ERROR frame.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict, replace
from typing import Any

from clustergraph import settings as settings_module
from clustergraph.errors import ClusterGraphError, StoreError, to_fields
from clustergraph.process import frames, sandbox
from clustergraph.releases import Archive, Done, Pipeline, Write
from clustergraph.tokens import Grant

WAIT = 10.0
"""How long a batch waits for another process that writes, in seconds."""


def main() -> None:
    """Publish batches until the other side closes the connection."""
    sandbox.die_with_parent()
    settings = settings_module.load()
    pipeline = Pipeline(Archive(settings.variable), settings)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        if sandbox.is_supported():
            sandbox.forbid_network_and_programs()
        sandbox.limit_memory(settings.write_memory << 20)
        frames.send(connection, frames.READY)
        while True:
            try:
                writes = receive(connection)
            except EOFError:
                return
            kind, answer = _published(pipeline, writes)
            frames.send(connection, kind, json.dumps(answer).encode())


def send(connection: socket.socket, writes: list[Write]) -> None:
    """Send a batch to the writer."""
    heads = [asdict(replace(each, payload=b"")) | {"payload": ""} for each in writes]
    frames.send(connection, frames.REQUEST, json.dumps(heads).encode())
    for each in writes:
        frames.send(connection, frames.DATA, each.payload)


def receive(connection: socket.socket) -> list[Write]:
    """Receive a batch.

    Raises:
        EOFError: there are no more.
    """
    _kind, payload = frames.receive(connection)
    heads: list[dict[str, Any]] = json.loads(payload)
    return [_write(head, frames.receive(connection)[1]) for head in heads]


def _write(head: dict[str, Any], payload: bytes) -> Write:
    grant = head.pop("grant")
    lists = {name: tuple(value) for name, value in head.items() if isinstance(value, list)}
    return Write(
        **{
            **head,
            **lists,
            "payload": payload,
            "grant": Grant(tuple(grant["graphs"]), grant["sees_restricted"]),
        }
    )


def _published(pipeline: Pipeline, writes: list[Write]) -> tuple[bytes, Any]:
    try:
        outcomes = pipeline.commit(writes, wait=WAIT)
    except ClusterGraphError as error:
        return frames.ERROR, to_fields(error)
    except (OSError, RuntimeError) as error:
        return frames.ERROR, to_fields(StoreError(f"The release could not be written: {error}"))
    return frames.END, [_outcome(each) for each in outcomes]


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
