"""Queries that took too much: refused at once for a while, since they would again.

A release never changes; what its queries take hardly does.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.errors import MemoryLimitError

if TYPE_CHECKING:
    from clustergraph.errors import LimitError
    from clustergraph.sparql import Query
    from clustergraph.store.backend import DatasetClause

_MOST = 1000


def key_of(query: Query, dataset: DatasetClause) -> str:
    """What tells a query over a dataset from others."""
    return f"{query.key or query.text}{dataset!r}"


@dataclass(frozen=True)
class _TooMuch:
    """What was said of a query then, and until when it holds."""

    error: LimitError
    limit: float
    until: float


class Remembered:
    """Those of one release; safe to use from many threads."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, _TooMuch] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str, error: LimitError, limit: float, seconds: float) -> None:
        """Remember a query that took too much.

        Args:
            key: of the query and its dataset.
            error: what its client was told.
            limit: seconds that it was allowed.
            seconds: how long to remember it.
        """
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = _TooMuch(error, limit, time.monotonic() + seconds)
            while len(self._found) > _MOST:
                self._found.popitem(last=False)

    def find(self, key: str, limit: float) -> LimitError | None:
        """What to tell who asks such a query again; None if it may be tried.

        Args:
            key: of the query and its dataset.
            limit: seconds that it is allowed now.
        """
        with self._lock:
            found = self._found.get(key)
            if found is None:
                return None
            if found.until < time.monotonic():
                del self._found[key]
                return None
        if isinstance(found.error, MemoryLimitError) or limit <= found.limit:
            return type(found.error)(found.error.message, hint=found.error.hint)
        return None
