"""Asking another site politely: bounded, patient, and never led into a private network."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from clustergraph.errors import (
    GoneError,
    NotFoundError,
    OverloadedError,
    StoreError,
    TooLargeError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPT = (
    "application/trig, application/n-quads;q=0.9, application/ld+json;q=0.8, "
    "text/turtle;q=0.7, application/n-triples;q=0.6"
)
_AGENT = "clustergraph-mirror"
_SECONDS = 60
_LARGEST = 64 << 20
_REDIRECTS = 5
_TRIES = 5
_LONGEST_WAIT = 300.0
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which a client must try again (LDES 1.0, HTTP requests and responses)."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Fetched:
    """What a site answered."""

    url: str
    """Where it was found, after redirects."""
    status: int
    """200, or 304: it is as the ETag says."""
    content_type: str = ""
    encoding: str = ""
    etag: str = ""
    immutable: bool = False
    body: bytes = b""


class Client:
    """Asks for pages, one at a time; links may lead it to other sites."""

    def __init__(
        self,
        origin: str,
        *,
        seconds: float = _SECONDS,
        largest: int = _LARGEST,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask nothing yet.

        Args:
            origin: where it begins: only if that is a private address may others be.
            seconds: how long a site may be silent, and a fifth of how long an answer may take.
            largest: bytes that an answer may have.
            sleep: waits before another try.

        Raises:
            UsageError: the origin is no address of the Web.
            StoreError: it cannot be found.
        """
        self._seconds, self._largest, self._sleep = seconds, largest, sleep
        self._private = any(map(_is_private, self._addresses(origin, private=True)))

    def get(self, url: str, *, etag: str = "") -> Fetched:
        """An RDF document; 304 if it is as an ETag says.

        Raises:
            GoneError: it was taken away (410).
            NotFoundError: it is not there, or not for us: any other 4xx.
            StoreError: the site does not answer, or leads in circles.
            OverloadedError: it asks again and again to come later.
            TooLargeError: the answer is larger than is read.
            UsageError: it leads to an address that is not asked.
        """
        found: Fetched | float = 0.0
        for attempt in range(_TRIES):
            try:
                found = self._followed(urldefrag(url).url, etag)
            except (OSError, http.client.HTTPException) as error:
                if attempt == _TRIES - 1:
                    raise StoreError(f"{url} does not answer: {error}") from error
                found = 0.0
            if isinstance(found, Fetched):
                return found
            if attempt < _TRIES - 1:
                self._sleep(min(found or 2.0**attempt, _LONGEST_WAIT))
        raise OverloadedError(f"{url} asks to come later.", hint="Try again in a while.")

    def _followed(self, url: str, etag: str) -> Fetched | float:
        """The answer behind redirects; or the seconds after which to ask again, 0 if untold."""
        for _ in range(_REDIRECTS + 1):
            answer, close = self._asked(url, etag)
            with contextlib.closing(close):
                if answer.status in _MOVED and answer.getheader("Location"):
                    url = urldefrag(urljoin(url, answer.getheader("Location"))).url
                    continue
                if answer.status in _LATER:
                    return _seconds(answer.getheader("Retry-After"))
                return self._fetched(url, answer, known=bool(etag))
        raise StoreError(f"{url} leads on and on.")

    def _asked(
        self, url: str, etag: str
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        parts = urlsplit(url)
        address = self._addresses(url, private=self._private)[0]
        kind = _Secure if parts.scheme == "https" else _Plain
        connection = kind(str(parts.hostname), parts.port, timeout=self._seconds)
        connection.address = address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip", "User-Agent": _AGENT}
        if etag:
            headers["If-None-Match"] = etag
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse(), connection
        except BaseException:
            connection.close()
            raise

    def _addresses(self, url: str, *, private: bool) -> list[str]:
        """The addresses of a site; connections go to the one that was looked at."""
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise UsageError(f"{url[:200]} is no address: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"{url[:200]!r} is no address that is read: http and https are.")
        try:
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise StoreError(f"{parts.hostname} cannot be found: {error}") from error
        addresses = [str(each[4][0]) for each in found]
        if not private and any(map(_is_private, addresses)):
            raise UsageError(f"{url[:200]} leads into a private network; it is not asked.")
        return addresses

    def _fetched(self, url: str, answer: http.client.HTTPResponse, *, known: bool) -> Fetched:
        if answer.status == 410:
            raise GoneError(f"{url} was taken away.")
        if answer.status != 200 and not (known and answer.status == 304):
            raise NotFoundError(f"{url} answers {answer.status} {answer.reason}.")
        body = bytearray()
        deadline = time.monotonic() + 5 * self._seconds
        while answer.status == 200 and (chunk := answer.read1(_CHUNK)):
            body += chunk
            if len(body) > self._largest:
                raise TooLargeError(f"{url} has more than {self._largest >> 20} MiB.")
            if time.monotonic() > deadline:
                raise TimeoutError("its answer takes too long")
        if answer.status == 200 and answer.length:
            raise http.client.IncompleteRead(bytes(body), answer.length)
        control = {
            each.strip().lower() for each in answer.getheader("Cache-Control", "").split(",")
        }
        return Fetched(
            url,
            answer.status,
            answer.getheader("Content-Type", ""),
            answer.getheader("Content-Encoding", ""),
            answer.getheader("ETag", ""),
            "immutable" in control,
            bytes(body),
        )


class _Plain(http.client.HTTPConnection):
    """A connection to an address that was looked at, whatever the name says by then."""

    address = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _Secure(http.client.HTTPSConnection):
    """The same with TLS: the certificate must be that of the name."""

    address = ""

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def _is_private(address: str) -> bool:
    """Whether an address is none of the public Internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return not (mapped or found).is_global


def _seconds(header: str | None) -> float:
    """The seconds that a Retry-After header asks for (RFC 9110 section 10.2.3)."""
    text = (header or "").strip()
    if text.isdigit():
        return float(text)
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0
