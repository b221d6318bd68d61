"""HTTP connections to an engine: reused, authenticated, timed; what it refuses, in our words.

A request is sent again only where that can do no harm: a question whose answer did not begin, or
anything that is known never to have reached the engine. No message holds a credential.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import select
import ssl
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from clustergraph import errors
from clustergraph.process import turns
from clustergraph.store.refusals import PARTIAL, readable, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clustergraph.errors import ClusterGraphError

_IDLE = 16  # connections that are kept open for the next question
_AGAIN = 2  # times that a question is sent again
_PAUSE = 0.2  # seconds before that; twice as long each time
_LONGEST_PAUSE = 5.0
_BODY = 8192  # bytes of an engine's message that are read
_CONNECT = 10.0  # seconds within which an engine must accept a connection
_TRY_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Access:
    """How an engine is reached."""

    query: str
    """Address for queries."""
    update: str = ""
    """Address for updates; empty: found out by asking."""
    graphs: str = ""
    """Address of the graph store protocol; empty: found out by asking."""
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    scheme: str = "basic"
    """How user and password are sent: "basic" or "digest"."""
    ca_file: str = ""
    """Certificates that are trusted, beside nothing else; empty: those of the system."""
    verify: bool = True
    """Whether the engine's certificate is checked."""
    seconds: float = 60.0
    """Longest silence of the engine."""

    def shown(self, address: str = "") -> str:
        """An address as messages name it."""
        parts = urlsplit(address or self.query)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    def scrubbed(self, text: str) -> str:
        """A text without what is secret."""
        secrets = [self.password, self.token]
        if self.user and self.password:
            secrets.append(_basic(self.user, self.password))
        for secret in secrets:
            if secret:
                text = text.replace(secret, "...").replace(quote(secret, safe=""), "...")
        return text


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


class Reply:
    """What an engine answers: read piece by piece. To close it early ends the request."""

    def __init__(
        self, pool: Connections, connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse, *, shown: str,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._connection: http.client.HTTPConnection | None = connection
        self._response = response
        self._shown = shown
        self.status = response.status

    def header(self, name: str) -> str:
        """A header, or ""."""
        return self._response.headers.get(name, "")

    @property
    def media_type(self) -> str:
        """Of the body, without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def read(self, size: int, seconds: float | None = None) -> bytes:
        """Some more bytes, as they come; b"" at the end.

        Args:
            size: at most so many.
            seconds: how long to wait for them, where not as long as usual.

        Raises:
            TimeLimitError: none came in time.
            StoreError: the connection broke before the end.
        """
        connection = self._connection
        if connection is None:
            return b""
        if seconds is not None and connection.sock is not None:
            connection.sock.settimeout(max(0.001, seconds))
        try:
            with turns.waiting():
                chunk = self._response.read1(size)
            if chunk:
                return chunk
            left = self._response.length
            if left:  # fewer bytes than the engine had announced
                raise http.client.IncompleteRead(b"", left)
        except TimeoutError as error:
            self.close()
            raise errors.TimeLimitError(
                f"{self._shown} did not go on answering in time.",
                hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise errors.EngineError(f"{self._shown} broke off its answer.") from error
        self._connection = None
        self._response.close()  # else the connection takes no further request
        if self._response.will_close:
            connection.close()
        else:
            self._pool.give_back(connection)
        return b""

    def content(self, limit: int = 1 << 30) -> bytes:
        """All of it, or its first ``limit`` bytes."""
        pieces: list[bytes] = []
        size = 0
        while size < limit and (chunk := self.read(min(1 << 16, limit - size))):
            pieces.append(chunk)
            size += len(chunk)
        self.close()
        return b"".join(pieces)

    def close(self) -> None:
        """End the request, if it is not at its end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._response.close()
            connection.close()


class Connections:
    """The connections to one engine; safe to use from many threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._idle: dict[tuple[str, str], list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()
        self._challenge: dict[str, str] | None = None
        self._digest: _Digest | None = None
        self._tls: ssl.SSLContext | None = None

    def send(
        self,
        request: urllib.request.Request,
        *,
        safe: bool,
        body: Callable[[], Iterable[bytes]] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """Send a request; gives its answer as soon as it begins.

        Args:
            request: method, address, headers, and the body if it is short.
            safe: whether it may be sent twice: it changes nothing.
            body: gives the pieces of a body that is streamed; called again to send it again.
            seconds: how long to wait for the beginning of the answer.

        Raises:
            ClusterGraphError: it was refused, or could not be sent; see ``refusal``.
        """
        tries = 0
        authorised = False
        while True:
            try:
                with turns.waiting():
                    reply = self._sent(request, safe=safe, body=body, seconds=seconds)
            except _UnsentError as error:
                if tries >= _AGAIN:
                    raise errors.EngineError(
                        f"{self.access.shown(request.full_url)} cannot be reached: {error}.",
                        hint="Is the engine running, and the address right?",
                    ) from error
                tries += 1
                time.sleep(_PAUSE * 2**tries)
                continue
            except _BrokenError as error:
                if not safe or tries >= _AGAIN:
                    raise errors.EngineError(
                        f"{self.access.shown(request.full_url)} gave no answer: {error}."
                    ) from error
                tries += 1
                time.sleep(_PAUSE * 2**tries)
                continue
            if reply.status < 300:
                return reply
            if reply.status == 401 and not authorised and self._learn(reply):
                authorised = True
                reply.content(_BODY)
                continue
            if safe and reply.status in _TRY_AGAIN and tries < _AGAIN:
                pause = _seconds_of(reply.header("Retry-After"), _PAUSE * 2 ** (tries + 1))
                if pause <= _LONGEST_PAUSE:
                    reply.close()
                    tries += 1
                    time.sleep(pause)
                    continue
            raise self._refused(request, reply)

    def _refused(self, request: urllib.request.Request, reply: Reply) -> ClusterGraphError:
        try:
            text = reply.content(_BODY).decode("utf-8", "replace")
        except errors.ClusterGraphError:
            text = ""
        after = _seconds_of(reply.header("Retry-After"), 0)
        if reply.header("X-SQL-State") in PARTIAL:
            text = "timeout"  # what was sent so far stands in the place of a message
        message = readable(self.access.scrubbed(text))
        return refusal(self.access.shown(request.full_url), reply.status, message, after)

    def _sent(
        self,
        request: urllib.request.Request,
        *,
        safe: bool,
        body: Callable[[], Iterable[bytes]] | None,
        seconds: float | None,
    ) -> Reply:
        shown = self.access.shown(request.full_url)
        connection = self._taken(request, fresh=not safe)
        wait = self.access.seconds if seconds is None else seconds
        headers = {name: value for name, value in request.header_items() if name != "Host"}
        headers |= self._authorisation(request)
        data: object = request.data if body is None else body()
        if connection.sock is not None:
            connection.sock.settimeout(wait)
        try:
            connection.request(
                request.get_method(), request.selector, body=data,  # type: ignore[arg-type]  # bytes, or pieces
                headers=headers, encode_chunked=body is not None,
            )  # fmt: skip
            response = connection.getresponse()
        except TimeoutError as error:
            connection.close()
            raise errors.TimeLimitError(
                f"The engine did not answer within {wait:g} seconds.",
                hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            early = _early(connection)
            if early is None:
                connection.close()
                raise _BrokenError(_reason(error)) from error
            response = early
        except BaseException:
            connection.close()
            raise
        return Reply(self, connection, response, shown=shown)

    # -- connections ---------------------------------------------------------------------------

    def _taken(self, request: urllib.request.Request, *, fresh: bool) -> http.client.HTTPConnection:
        """A connection that is open; a new one where the request must not meet a dead one."""
        parts = urlsplit(request.full_url)
        key = parts.scheme, parts.netloc
        while not fresh:
            with self._lock:
                idle = self._idle.get(key)
                held = idle.pop() if idle else None
            if held is None:
                break
            if held.sock is not None and not select.select([held.sock], [], [], 0)[0]:
                return held
            held.close()  # something came that nobody asked for: its end
        timeout = min(_CONNECT, self.access.seconds)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout, context=self._context()
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=timeout
            )
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise errors.EngineError(
                f"The certificate of {self.access.shown(request.full_url)} is not trusted: "
                f"{error.verify_message}.",
                hint="Name the file of its authority: store.ca-file (CG_STORE_CA_FILE).",
            ) from error
        except OSError as error:
            raise _UnsentError(_reason(error)) from error
        return connection

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end."""
        scheme = "https" if isinstance(connection, http.client.HTTPSConnection) else "http"
        default = 443 if scheme == "https" else 80
        host = f"[{connection.host}]" if ":" in connection.host else connection.host
        names = [f"{host}:{connection.port}"] + ([host] if connection.port == default else [])
        with self._lock:
            for name in names:
                idle = self._idle.setdefault((scheme, name), [])
                if len(idle) < _IDLE:
                    idle.append(connection)
                    return
        connection.close()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            try:
                context = ssl.create_default_context(cafile=self.access.ca_file or None)
            except (OSError, ssl.SSLError) as error:
                raise errors.SettingsError(
                    f"store.ca-file: {self.access.ca_file} cannot be read: {_reason(error)}."
                ) from error
            if not self.access.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._tls = context
        return self._tls

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for each in idle.values():
            for connection in each:
                connection.close()

    # -- who we are ----------------------------------------------------------------------------

    def _authorisation(self, request: urllib.request.Request) -> Mapping[str, str]:
        access = self.access
        if access.token:
            return {"Authorization": f"Bearer {access.token}"}
        if not access.user:
            return {}
        if access.scheme != "digest":
            return {"Authorization": f"Basic {_basic(access.user, access.password)}"}
        with self._lock:
            if self._challenge is None:
                return {}
            if self._digest is None:
                self._digest = _Digest(access.user, access.password)
            answer = self._digest.get_authorization(request, self._challenge)
        return {"Authorization": f"Digest {answer}"} if answer else {}

    def _learn(self, reply: Reply) -> bool:
        """Whether the engine says how it wants the digest: then the request is sent once more."""
        if self.access.scheme != "digest" or not self.access.user:
            return False
        scheme, _, rest = reply.header("WWW-Authenticate").partition(" ")
        if scheme.lower() != "digest":
            return False
        fields = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
        with self._lock:
            self._challenge = fields
        return True


class _Digest(urllib.request.AbstractDigestAuthHandler):
    """The standard library's digest, for one user."""

    def __init__(self, user: str, password: str) -> None:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        super().__init__(passwords)
        self._pair = user, password
        passwords.find_user_password = lambda *_: self._pair  # type: ignore[method-assign]  # the one


class _UnsentError(Exception):
    """No connection could be made: nothing has reached the engine."""


class _BrokenError(Exception):
    """The connection broke before an answer: nobody knows what has reached the engine."""


def _early(connection: http.client.HTTPConnection) -> http.client.HTTPResponse | None:
    """The answer of an engine that answered before it had read the whole body."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        if connection.sock is not None:
            connection.sock.settimeout(1)
            response = connection.response_class(connection.sock, method="POST")
            response.begin()
            response.will_close = True
            return response
    return None


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")


def _seconds_of(text: str, default: float) -> float:
    return float(text) if text.isascii() and text.isdigit() else default
