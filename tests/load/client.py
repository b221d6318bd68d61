"""A small HTTP client for many requests at once, and what is measured of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

NONE = -1
"""Stands for the status of a request that got no answer."""


@dataclass(frozen=True)
class Answer:
    """What came back; times in seconds since the request was to be sent."""

    status: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Measured:
    """Answers of one kind."""

    answers: list[Answer] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        """Count an answer; its body is let go."""
        self.answers.append(Answer(answer.status, answer.seconds, answer.headers))

    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(each.status for each in self.answers)

    def seconds(self, share: float, *statuses: int) -> float:
        """The time within which a share of the answers came.

        Args:
            share: between 0 and 1; 1 is the longest time.
            statuses: that count; all if none is given.
        """
        times = sorted(a.seconds for a in self.answers if not statuses or a.status in statuses)
        return times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")

    def share(self, *statuses: int) -> float:
        """The share of answers that have one of these statuses."""
        return sum(a.status in statuses for a in self.answers) / max(1, len(self.answers))


class Connection:
    """One connection, kept open while the server lets it."""

    def __init__(self, port: int, *, client: str = "") -> None:
        """Connect at the first request.

        Args:
            port: of the server on this machine.
            client: sent as X-Forwarded-For.
        """
        self._port = port
        self._client = client
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def ask(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        since: float | None = None,
        patience: float = 60.0,
    ) -> Answer:
        """One request: GET, or POST if there is a body.

        Args:
            path: and query string.
            headers: beside those that are needed.
            body: of a POST.
            since: when it was to be sent, if that was earlier (``time.perf_counter``).
            patience: seconds after which it is given up.
        """
        started = time.perf_counter() if since is None else since
        for attempt in range(2):
            reused = self._streams is not None
            try:
                async with asyncio.timeout(patience):
                    status, found, content = await self._exchange(path, headers or {}, body)
                return Answer(status, time.perf_counter() - started, found, content)
            except (OSError, EOFError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                await self.close()
                if not reused or attempt:  # a kept connection may have been closed meanwhile
                    break
        return Answer(NONE, time.perf_counter() - started)

    async def _exchange(
        self, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        sent = {"Host": f"127.0.0.1:{self._port}", "Accept": "*/*", **headers}
        if self._client:
            sent["X-Forwarded-For"] = self._client
        if body is not None:
            sent["Content-Length"] = str(len(body))
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        found = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        content = b""
        if status not in {204, 304}:
            content = await self._body(reader, found)
        if found.get("connection") == "close":
            await self.close()
        return status, found, content

    async def _body(self, reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return await reader.read()
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(pieces)

    async def close(self) -> None:
        """Let the connection go."""
        streams, self._streams = self._streams, None
        if streams is not None:
            await closed(streams[1])


async def closed(*writers: asyncio.StreamWriter) -> None:
    """Close connections, whatever state they are in."""
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def form(text: str | bytes) -> bytes:
    """A query as the body of a form."""
    content = text.encode() if isinstance(text, str) else text
    return b"query=" + urllib.parse.quote_from_bytes(content, safe="").encode()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
