"""Lanes: who of those that ask may run now, so that light queries never wait for heavy ones.

A query starts in the fast lane. After a few hundredths of a second of processor time it makes room
there and goes on in the middle lane, or is held until there is a place; after a quarter of a
second it goes on in the slow lane, or is given up where that is full. So whatever comes, the fast
lane turns over quickly.

Clients have shares: so many queries at once, and a budget of processor time that fills up again. A
client whose query was given up starts in the slow lane for a while. Clients without a name (those
on this machine, be it a proxy that nobody told us of) have no share of their own.

A query whose reader takes nothing holds no place.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.errors import OverloadedError, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.query.limits import Limits

FAST, MIDDLE, SLOW, NONE = "fast", "middle", "slow", ""
_LOOK = 0.05  # seconds between looks for a place that a slow reader leaves
_READER_IS_SLOW = 0.25  # seconds after which a reader that takes nothing holds no place
_MOST_CLIENTS = 10_000


@dataclass(eq=False)
class Place:
    """One query in the lanes."""

    client: str
    lane: str = NONE
    yielded: float | None = None
    """Since when its reader has not asked for more."""


@dataclass(eq=False)
class _Client:
    """What is remembered of a client."""

    running: int = 0
    demoted_until: float = 0.0
    budget: float = 0.0
    """Processor seconds that it may still use, at ``counted``."""
    counted: float = 0.0


class Lanes:
    """The places of one pool; safe to use from many threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sizes = {FAST: limits.fast, MIDDLE: max(1, limits.fast // 2), SLOW: limits.slow}
        self._changed = threading.Condition()
        self._places: set[Place] = set()
        self._waiting = Counter[str]()
        self._clients: dict[str, _Client] = {}
        self._closed = False
        self.statistics: Counter[str] = Counter()

    def enter(self, client: str) -> Place:
        """Wait for a place.

        Args:
            client: who asks; "" for one without a share of its own.

        Raises:
            TooManyRequestsError: the client has used up its share.
            OverloadedError: no place was free in time.
        """
        place = Place(client)
        with self._changed:
            share = self._share(client)
            if share is not None and self._budget(share) <= 0:
                raise self._throttled(share)
            if share is not None and share.demoted_until > time.monotonic():
                full = self._waiting[SLOW] >= self._limits.queue
                if full or not self._wait(SLOW, lambda: self._has_place(SLOW)):
                    raise self._overloaded("Too many long queries are running.")
                self._start(place, share, SLOW)
                return place
            if self._waiting[FAST] >= self._limits.queue:
                raise self._overloaded("Too many queries are waiting.")

            def free() -> bool:
                own = share is None or share.running < self._limits.per_client
                return own and self._has_place(FAST)

            if not self._wait(FAST, free):
                if share is not None and share.running >= self._limits.per_client:
                    raise self._throttled(share)
                raise self._overloaded("All query workers are busy.")
            self._start(place, share, FAST)
        return place

    def descend(self, place: Place) -> bool:
        """Take a query that needs long to the next lane, at once.

        Returns:
            Whether there is a place; else the query is to be held until ``descend_later``.

        Raises:
            OverloadedError: it is to be given up.
        """
        with self._changed:
            lower = MIDDLE if place.lane == FAST else SLOW
            if self._has_place(lower):
                self._move(place, lower)
                return True
            if lower == SLOW:
                self.statistics["shed"] += 1
                raise self._overloaded("Too many long queries are running.")
            return False

    def descend_later(self, place: Place) -> None:
        """Wait for a place in the middle lane, without one meanwhile.

        Raises:
            OverloadedError: there was none in time.
        """
        with self._changed:
            self._move(place, NONE)
            full = self._waiting[MIDDLE] >= self._limits.queue
            if full or not self._wait(MIDDLE, lambda: self._has_place(MIDDLE)):
                self.statistics["shed"] += 1
                raise self._overloaded("Too many queries that are not light are running.")
            self._move(place, MIDDLE)

    def demote(self, place: Place) -> None:
        """Let the client of a query that was given up start in the slow lane for a while."""
        with self._changed:
            share = self._clients.get(place.client)
            if share is not None:
                share.demoted_until = time.monotonic() + self._limits.demotion

    def leave(self, place: Place, seconds: float) -> str:
        """Give a place back; gives the lane in which it was.

        Args:
            place: of the query that ended.
            seconds: processor time that it used.
        """
        with self._changed:
            lane, place.lane = place.lane, NONE
            if place in self._places:
                self._places.discard(place)
                share = self._clients.get(place.client)
                if share is not None:
                    share.running -= 1
                    share.budget = self._budget(share) - seconds
                    share.counted = time.monotonic()
            self._changed.notify_all()
            return lane

    def active(self) -> int:
        """How many queries are running or held."""
        with self._changed:
            return len(self._places)

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- under the lock ------------------------------------------------------------------------

    def _start(self, place: Place, share: _Client | None, lane: str) -> None:
        place.lane = lane
        self._places.add(place)
        if share is not None:
            share.running += 1

    def _move(self, place: Place, lane: str) -> None:
        place.lane = lane
        self._changed.notify_all()

    def _wait(self, lane: str, free: Callable[[], bool]) -> bool:
        """Wait until ``free()``, at most as long as one may wait; gives whether it is.

        Raises:
            OverloadedError: the pool is being closed.
        """
        deadline = time.monotonic() + self._limits.wait
        self._waiting[lane] += 1
        try:
            while True:
                if self._closed:
                    raise OverloadedError("The service is stopping.")
                if free():
                    return True
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                self._changed.wait(min(remaining, _LOOK))
        finally:
            self._waiting[lane] -= 1

    def _has_place(self, lane: str) -> bool:
        """Whether a lane has a free place; takes one from a query whose reader is slow."""
        holders = [each for each in self._places if each.lane == lane]
        if len(holders) < self._sizes[lane]:
            return True
        now = time.monotonic()
        if sum(not each.lane for each in self._places) >= self._limits.waiting_readers:
            return False
        for each in holders:
            if each.yielded is not None and now - each.yielded > _READER_IS_SLOW:
                each.lane = NONE
                return True
        return False

    def _share(self, client: str) -> _Client | None:
        if not client:
            return None
        if client not in self._clients:
            now = time.monotonic()
            if len(self._clients) >= _MOST_CLIENTS:
                self._clients = {
                    name: each
                    for name, each in self._clients.items()
                    if each.running
                    or each.demoted_until > now
                    or self._budget(each) < self._limits.budget
                }
            self._clients[client] = _Client(budget=self._limits.budget, counted=now)
        return self._clients[client]

    def _budget(self, share: _Client) -> float:
        passed = time.monotonic() - share.counted
        return min(self._limits.budget, share.budget + passed * self._limits.refill)

    def _throttled(self, share: _Client) -> TooManyRequestsError:
        self.statistics["throttled"] += 1
        budget = self._budget(share)
        if budget > 0:
            error = TooManyRequestsError(
                f"{share.running} of your queries are running already.",
                hint="Wait for their answers before you ask more.",
            )
            error.retry_after = 5
            return error
        error = TooManyRequestsError(
            f"Your queries took more than {self._limits.budget:g} seconds of processor time "
            "within a short while.",
            hint="Ask for less at once, or more slowly.",
        )
        error.retry_after = max(1, round(1 - budget / self._limits.refill))
        return error

    def _overloaded(self, message: str) -> OverloadedError:
        self.statistics["refused"] += 1
        return OverloadedError(message, hint="Try again in a few seconds.")
