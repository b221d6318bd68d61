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
CARRY = b"C"
"""What a writer without network asks of whoever started it (JSON); answered by END or ERROR."""
_HEAD = struct.Struct(">cI")


def send(connection: socket.socket, kind: bytes, payload: bytes = b"") -> None:
    """Send one frame."""
    connection.sendall(frame(kind, payload))


def frame(kind: bytes, payload: bytes) -> bytes:
    """One frame as bytes."""
    return _HEAD.pack(kind, len(payload)) + payload


class Receiver:
    """Frames of a connection that carries on where a timeout interrupted it.

    It takes what is there at once: each look at a socket costs a thread the interpreter.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = bytearray()

    def is_ready(self) -> bool:
        """Whether the next frame is there, as far as one knows without looking at the socket."""
        waiting = self._waiting
        if len(waiting) < _HEAD.size:
            return False
        _kind, length = _HEAD.unpack_from(waiting)
        return len(waiting) >= _HEAD.size + int(length)

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame: its kind and its payload.

        Raises:
            EOFError: the other side has gone.
            TimeoutError: it was not there within the socket's timeout; ask again.
        """
        waiting = self._waiting
        while True:
            if len(waiting) >= _HEAD.size:
                kind, length = _HEAD.unpack_from(waiting)
                end = _HEAD.size + length
                if len(waiting) >= end:
                    payload = bytes(waiting[_HEAD.size : end])
                    del waiting[:end]
                    return kind, payload
            chunk = self._connection.recv(1 << 17)
            if not chunk:
                raise EOFError
            waiting += chunk


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
