"""Requests that cost the client next to nothing: ready bytes out, the end of the answer found.

For what a server answers in a fraction of a millisecond, where a client in Python would be most of
what is measured.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
_BODILESS = (b"204", b"304")


def get(path: str, **headers: str) -> bytes:
    """A GET as bytes; ``_`` in names of headers stands for ``-``."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{''.join(lines)}\r\n".encode()


def query(path: str, text: str, accept: str) -> bytes:
    """A query by GET, as bytes."""
    return get(f"{path}?{urllib.parse.urlencode({'query': text})}", Accept=accept)


@dataclass
class Connection:
    """A kept connection, with an answer on its way."""

    port: int
    answer: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, float]:
        """Status and seconds until the last byte.

        Raises:
            OSError: there was no whole answer.
        """
        began = time.perf_counter()
        self.send(request)
        while not is_whole(self.answer):
            self.receive()
        return status(self.answer), time.perf_counter() - began

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.answer.clear()
        self.socket.sendall(request)

    def receive(self) -> None:
        """Take what has come.

        Raises:
            ConnectionError: the server closed.
        """
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionResetError("closed before the end of the answer")
        self.answer += part

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def status(answer: bytes | bytearray) -> int:
    """The status of an answer."""
    return int(answer[9:12])


def is_whole(answer: bytes | bytearray) -> bool:
    """Whether an answer has come to its end."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end])
    if head[9:12] in _BODILESS:
        return True
    if length := _LENGTH.search(head):
        return len(answer) >= end + 4 + int(length[1])
    return _CHUNKED.search(head) is not None and answer.endswith(_LAST_CHUNK)


def rate(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> float:
    """Good answers a second over several connections, each asking again once it is answered.

    Raises:
        OSError: a connection broke.
        ValueError: an answer was none of 200 and 304.
    """
    selector, number = selectors.DefaultSelector(), 0
    ours = [Connection(port) for _ in range(connections)]
    try:
        for each in ours:
            selector.register(each.socket, selectors.EVENT_READ, each)
            each.send(next(requests))
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            for key, _events in selector.select(timeout=1):
                each = key.data
                each.receive()
                if is_whole(each.answer):
                    if status(each.answer) not in (200, 304):
                        raise ValueError(f"answered {status(each.answer)}")
                    number += 1
                    each.send(next(requests))
        return number / (time.perf_counter() - began)
    finally:
        selector.close()
        for each in ours:
            each.close()
