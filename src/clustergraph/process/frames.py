"""The protocol between the pool and its workers: frames over a Unix socket.

A request is one frame of JSON. The answer is ``READY`` once after connecting, then for each request
any number of ``DATA``, closed by ``END`` (with the processor seconds that the worker has used so
far) or by ``ERROR`` (JSON).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

READY, DATA, END, ERROR, REQUEST = b"R", b"D", b"E", b"X", b"Q"
_HEAD = struct.Struct(">cI")


def send(connection: socket.socket, kind: bytes, payload: bytes = b"") -> None:
    """Send one frame."""
    connection.sendall(_HEAD.pack(kind, len(payload)) + payload)


def receive(connection: socket.socket) -> tuple[bytes, bytes]:
    """Receive one frame: its kind and its payload.

    Raises:
        EOFError: the other side has gone.
        TimeoutError: nothing came within the socket's timeout.
    """
    kind, length = _HEAD.unpack(_exactly(connection, _HEAD.size))
    return kind, _exactly(connection, length)


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        chunk = connection.recv(min(size - len(content), 1 << 20))
        if not chunk:
            raise EOFError
        content += chunk
    return bytes(content)
