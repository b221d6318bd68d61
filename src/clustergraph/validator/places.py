"""Places for what may be done only so many times at once, shared between clients."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clustergraph.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Places:
    """A number of places, of which one client gets half at most."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._share = max(1, size // 2)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Hold a place.

        Args:
            client: who asks; "" for one without a share.

        Raises:
            OverloadedError: there is none now, for this client or at all.
        """
        with self._lock:
            is_full = self._taken.total() >= self._size
            if is_full or (client and self._taken[client] >= self._share):
                raise OverloadedError(
                    "Too many documents are being validated"
                    + ("." if is_full else " for your address."),
                    hint="Try again in a few seconds.",
                )
            self._taken[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[client] -= 1
                if not self._taken[client]:
                    del self._taken[client]
