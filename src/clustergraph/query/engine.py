"""Queries of strangers to an engine: they take turns, have shares, and are ended at their limit.

The lanes are those of the workers of our own (see ``lanes``); but what runs elsewhere cannot be
held back, only ended. Its time at the engine counts as its work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from clustergraph import rdf
from clustergraph.errors import AnswerLimitError, OverloadedError, TimeLimitError
from clustergraph.query.lanes import FAST, MIDDLE, Lanes
from clustergraph.query.limits import Limits
from clustergraph.query.remembered import Remembered, key_of
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, rows

if TYPE_CHECKING:
    from clustergraph.query.lanes import Place
    from clustergraph.rdf import Format
    from clustergraph.sparql import Query
    from clustergraph.store.engine import Published

_LOOK = 0.04  # seconds between looks at the queries that run
_IDLE = 5.0  # seconds after which nobody looks any more
_REMEMBERED = 60.0  # seconds for which a query that took too long is refused
_GRACE = 2.0  # seconds beyond the limit that the engine has to end a query itself


class EngineQueries:
    """A backend for queries of strangers to one release on an engine."""

    def __init__(self, published: Published, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.lanes = Lanes(self.limits)
        self.statistics = self.lanes.statistics
        self._published = published
        self._remembered = Remembered()
        self._changed = threading.Condition()
        self._runs: set[_Run] = set()
        self._watcher: threading.Thread | None = None

    def answer(
        self,
        query: Query,
        fmt: Format,
        dataset: DatasetClause = STORED_DATASET,
        *,
        client: str = "",
        seconds: float | None = None,
    ) -> Answer:
        """See ``Backend.answer``.

        Args:
            query: what is asked.
            fmt: how the answer is written.
            dataset: what the protocol's parameters say.
            client: who asks; "" for one that has no share.
            seconds: a time limit other than the one of all.

        Raises:
            TimeLimitError: it took too long.
            TooManyRequestsError: the client asks more than its share.
            OverloadedError: no place was free in time, or the engine is busy.
        """
        limit = self.limits.time if seconds is None else seconds
        key = key_of(query, dataset)
        again = self._remembered.find(key, limit)
        if again is not None:
            self.statistics["remembered"] += 1
            raise again
        run = _Run(self, self.lanes.enter(client), key, limit)
        self._begun(run)
        try:
            chunks = self._published.answer(
                query,
                fmt,
                dataset,
                seconds=limit,
                parameters=self._published.capabilities.limited(limit + _GRACE),
            )
        except BaseException as error:
            run.end(error)
            raise
        run.looked()
        return run.passed(chunks)

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(b"".join(self.answer(query, rdf.JSON)))

    def _begun(self, run: _Run) -> None:
        with self._changed:
            self._runs.add(run)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="lanes", daemon=True)
                self._watcher.start()
            self._changed.notify()

    def remember(self, key: str, error: TimeLimitError, limit: float) -> None:
        """Refuse a query that took too long at once, for a while.

        A short one: it may have waited for others at the engine, of whom nothing is known here.
        """
        self._remembered.add(key, error, limit, min(_REMEMBERED, self.limits.remembered))

    def ended(self, run: _Run) -> None:
        """A run is over."""
        with self._changed:
            self._runs.discard(run)

    def _watch(self) -> None:
        """Move queries that need long to the lanes where they belong, as long as there are any."""
        while True:
            with self._changed:
                if not self._runs and not self._changed.wait(_IDLE):
                    self._watcher = None
                    return
                runs = list(self._runs)
            for run in runs:
                run.look()
            time.sleep(_LOOK)

    def active(self) -> int:
        """How many queries are running."""
        return self.lanes.active()

    def retire(self) -> None:
        """Nothing is held that belongs to one release alone."""

    def close(self) -> None:
        """Let nobody in any more."""
        self.lanes.close()


class _Run:
    """One query while it runs."""

    def __init__(self, queries: EngineQueries, place: Place, key: str, limit: float) -> None:
        self._queries = queries
        self._place = place
        self._key = key
        self._limit = limit
        self._seconds = 0.0
        self._since: float | None = time.monotonic()
        self._ended = False
        self._lock = threading.Lock()

    def looked(self) -> None:
        """Something came: the time since counts."""
        if self._since is not None:
            self._seconds += time.monotonic() - self._since
            self._since = None

    def passed(self, chunks: Answer) -> Answer:
        """The chunks, within the limits."""
        sent = 0
        error: BaseException | None = None
        try:
            while True:
                self._since = time.monotonic()
                try:
                    chunk = next(chunks)
                except StopIteration:
                    return
                finally:
                    self.looked()
                sent += len(chunk)
                if sent > self._queries.limits.answer:
                    raise AnswerLimitError(
                        f"The answer is longer than {self._queries.limits.answer >> 20} MiB.",
                        hint="Ask for parts of it: LIMIT and OFFSET with ORDER BY, or one graph.",
                    )
                self._place.yielded = time.monotonic()
                yield chunk
                self._place.yielded = None
        except BaseException as caught:
            error = caught
            raise
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
            self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Give the place back."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self.looked()
        self._queries.ended(self)
        if isinstance(error, TimeLimitError):
            self._queries.statistics["killed_time"] += 1
            self._queries.lanes.demote(self._place)
            self._queries.remember(self._key, error, self._limit)
        self._queries.lanes.leave(self._place, self._seconds)

    def look(self) -> None:
        """Make room for others; what runs elsewhere goes on, whether there is a place or not."""
        limits = self._queries.limits
        allowed = {FAST: limits.quick, MIDDLE: limits.light}
        with self._lock, contextlib.suppress(OverloadedError):
            since = self._since
            seconds = self._seconds + (time.monotonic() - since if since is not None else 0)
            if not self._ended and seconds > allowed.get(self._place.lane, seconds):
                self._queries.lanes.descend(self._place)
