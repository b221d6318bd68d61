"""Batches of writes on their way to the writer.

A batch is a REQUEST frame (JSON: the writes without their payloads) and a DATA frame for each
payload.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from clustergraph.process import frames
from clustergraph.releases import Write
from clustergraph.tokens import Grant

if TYPE_CHECKING:
    import socket

WAIT = 10.0
"""How long a batch waits for another process that writes, in seconds."""


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
            "grant": Grant(**{**grant, "graphs": tuple(grant["graphs"])}),
        }
    )
