"""Bearer tokens: what each allows; made, listed, revoked; only salted hashes are stored.

A token reads ``cg_ID_SECRET``; the secret has 256 random bits, so that a fast hash is enough.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from clustergraph.errors import CorruptedError, NoSpaceError, NotFoundError, UnauthorisedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = "cg"
EVERYTHING = "*"


@dataclass(frozen=True)
class Grant:
    """What the bearer of a token may do."""

    graphs: tuple[str, ...] = ()
    """Graphs that may be written: IRIs, beginnings of IRIs that end with ``*``, or ``*``.

    Restricted ones among them only if they may be seen too: a write would tell what they hold.
    """
    sees_restricted: bool = False
    administers: bool = False
    query_seconds: int = 0
    """How long its queries may run, if longer than those of others."""

    def may_write(self, graph: str) -> bool:
        """Whether a graph may be written; "" is the default graph."""
        return any(
            allowed == graph or (allowed.endswith("*") and graph.startswith(allowed[:-1]))
            for allowed in self.graphs
        )


NOBODY = Grant()
"""What everybody may do: read what is public."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as it is stored: without its secret."""

    id: str
    name: str
    """Whose it is; told in the history of what is written with it."""
    salt: str
    hash: str
    created: str
    expires: str = ""
    """RFC 3339; empty: never."""
    revoked: str = ""
    write: tuple[str, ...] = ()
    read: bool = False
    admin: bool = False
    query_seconds: int = 0

    @property
    def grant(self) -> Grant:
        """What it allows."""
        if self.admin:
            return Grant((EVERYTHING,), True, True, self.query_seconds)
        return Grant(self.write, self.read, query_seconds=self.query_seconds)

    def state(self, now: str) -> str:
        """``live``, ``expired`` or ``revoked``."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "live"


class Tokens:
    """The tokens of a project, in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int, int], dict[str, Token]] = ((0, 0, 0), {})

    def all(self) -> list[Token]:
        """All tokens, the oldest first.

        Raises:
            CorruptedError: the file is damaged.
        """
        return sorted(self._load().values(), key=lambda each: (each.created, each.id))

    def configured(self) -> bool:
        """Whether there is a token that was not revoked: else nothing can be written over HTTP."""
        return any(not token.revoked for token in self._load().values())

    def create(
        self,
        name: str,
        *,
        write: tuple[str, ...] = (),
        read: bool = False,
        admin: bool = False,
        days: int | None = None,
        query_seconds: int = 0,
    ) -> tuple[Token, str]:
        """Make a token; gives it, and the text that its bearer needs and nobody can show again.

        Raises:
            NoSpaceError: the file cannot be written.
        """
        now = datetime.datetime.now(datetime.UTC)
        identifier, secret, salt = (
            secrets.token_hex(4), secrets.token_urlsafe(32), secrets.token_hex(16)
        )  # fmt: skip
        end = now + datetime.timedelta(days=days) if days else None
        token = Token(
            id=identifier,
            name=name,
            salt=salt,
            hash=_hash(salt, secret),
            created=now.isoformat(timespec="seconds"),
            expires=end.isoformat(timespec="seconds") if end else "",
            write=write,
            read=read,
            admin=admin,
            query_seconds=query_seconds,
        )
        with self._writing() as tokens:
            tokens[identifier] = token
        return token, f"{_PREFIX}_{identifier}_{secret}"

    def revoke(self, identifier: str) -> Token:
        """Make a token worthless.

        Raises:
            NotFoundError: there is none of that id.
            NoSpaceError: the file cannot be written.
        """
        with self._writing() as tokens:
            token = tokens.get(identifier)
            if token is None:
                raise NotFoundError(
                    f"There is no token {identifier!r}.", hint="List them: clustergraph token list"
                )
            revoked = Token(**{**asdict(token), "write": token.write, "revoked": _now()})
            tokens[identifier] = revoked
        return revoked

    def verify(self, text: str) -> Token:
        """The token that a text is.

        Raises:
            UnauthorisedError: it is none, or one that is not valid any more.
        """
        _prefix, _, rest = text.partition("_")
        identifier, _, secret = rest.partition("_")
        token = self._load().get(identifier)
        salt, expected = (token.salt, token.hash) if token else ("", "0" * 64)
        fits = hmac.compare_digest(_hash(salt, secret), expected)  # as long for an unknown id
        if token is None or not fits:
            raise UnauthorisedError("The token is not known here.")
        state = token.state(_now())
        if state != "live":
            raise UnauthorisedError(f"The token is {state}.", hint="Ask for a new one.")
        return token

    # -- the file ------------------------------------------------------------------------------

    def _load(self) -> dict[str, Token]:
        """The tokens by id; read again when the file has changed."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return {}
        key = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._read[0] != key:
            try:
                entries = json.loads(self._path.read_text(encoding="utf-8"))
                found = {
                    each["id"]: Token(**{**each, "write": tuple(each["write"])}) for each in entries
                }
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise CorruptedError(
                    f"{self._path} cannot be read: {error}",
                    hint="Remove it, and make new tokens: clustergraph token create",
                ) from error
            self._read = (key, found)
        return self._read[1]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[dict[str, Token]]:
        """The tokens, to be changed; written whole or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                tokens = dict(self._load())
                yield tokens
                content = json.dumps([asdict(each) for each in tokens.values()], indent=2)
                waiting = self._path.with_suffix(".new")
                waiting.unlink(missing_ok=True)
                descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                    out.write(content + "\n")
                    out.flush()
                    os.fsync(out.fileno())
                waiting.rename(self._path)
        except OSError as error:
            raise NoSpaceError(f"{self._path} cannot be written: {error.strerror}") from error


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
