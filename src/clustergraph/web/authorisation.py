"""Who asks: bearer tokens (RFC 6750), and a brake on those who guess."""

from __future__ import annotations

import functools
import ipaddress
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from clustergraph.errors import TooManyRequestsError, UnauthorisedError, UsageError
from clustergraph.tokens import NOBODY, Grant
from clustergraph.web.asked import current

if TYPE_CHECKING:
    from clustergraph.tokens import Token
    from clustergraph.web.asked import Asked

_GUESSES = 20
"""Wrong tokens that a client may send in a minute."""
_MINUTE = 60.0
_CLIENTS = 10_000


class Guesses:
    """Wrong tokens by client, in the last minute."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, client: str) -> None:
        """Refuse a client that guesses.

        Raises:
            TooManyRequestsError: it sent too many wrong tokens.
        """
        with self._lock:
            since = time.monotonic() - _MINUTE
            if sum(each > since for each in self._times.get(client, ())) >= _GUESSES:
                raise TooManyRequestsError("Too many wrong tokens came from your address.")

    def note(self, client: str) -> None:
        """Remember a wrong token."""
        with self._lock:
            times = self._times.pop(client, [])
            self._times[client] = [*times, time.monotonic()][-_GUESSES:]
            while len(self._times) > _CLIENTS:
                self._times.popitem(last=False)


def token() -> Token | None:
    """The token of this request; None if it carries none.

    Raises:
        UnauthorisedError: it is not valid.
        UsageError: it stands in the address, where logs and caches would keep it.
        TooManyRequestsError: this client sent too many wrong ones.
    """
    asked = current()
    if "access_token" in asked.arguments:
        raise UsageError(
            "A token in the address is not taken.",
            hint="Send it in the header: Authorization: Bearer TOKEN",
        )
    if not asked.is_verified:
        asked.token = _verified(asked) if asked.is_personal else None
        asked.is_verified = True
    return asked.token


def _verified(asked: Asked) -> Token:
    client = asked.environ.get("REMOTE_ADDR", "")
    scheme, _, text = (asked.header("Authorization") or "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise UnauthorisedError("Only bearer tokens are known here.")
        return asked.graph.tokens.verify(text.strip())
    except UnauthorisedError:
        asked.guesses.check(client)  # a right token is taken from there all the same
        asked.guesses.note(client)
        raise


def grant() -> Grant:
    """What this request may do.

    Raises:
        UnauthorisedError, UsageError, TooManyRequestsError: see ``token``.
    """
    found = token()
    return found.grant if found else NOBODY


def bearer() -> Token:
    """The token of a request that needs one.

    Raises:
        UnauthorisedError: it carries none, or one that is not valid.
    """
    found = token()
    if found is None:
        raise UnauthorisedError(
            "This needs a token.", hint="Send it in the header: Authorization: Bearer TOKEN"
        )
    return found


def client() -> str:
    """Who asks, for shares: a token's bearer, or an address; "" for one on this machine.

    Those may be everybody, behind a proxy that the settings do not name.
    """
    found = token()
    if found is not None:
        return f"token {found.id}"
    return share(current().environ.get("REMOTE_ADDR", ""))


@functools.lru_cache(maxsize=4096)
def share(remote: str) -> str:
    """What the clients at an address have together; "" for this machine: they have no share.

    Args:
        remote: the address.
    """
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_loopback:
        return ""
    if mapped.version == 6:  # whoever has one address of it has all
        return str(ipaddress.ip_network((mapped, 64), strict=False))
    return str(mapped)


def query_seconds() -> float:
    """How long a query of this request may run."""
    return max(current().graph.settings.query_seconds, grant().query_seconds)
