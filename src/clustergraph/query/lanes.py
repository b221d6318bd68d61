"""Lanes: who of those that ask may run now, so that light queries never wait for heavy ones.

A query starts in the fast lane. After a few hundredths of a second of processor time it makes room
there and goes on in the middle lane, or is held until there is a place; after a quarter of a
second it goes on in the slow lane, or is given up where that is full. So whatever comes, the fast
lane turns over quickly.

Clients have shares: so many queries at once, and a budget of processor time that fills up again. A
client whose query was given up starts in the slow lane for a while. Clients without a name (those
on this machine, be it a proxy that nobody told us of) have no share of their own.

A query of which it is known that others of its shape needed long starts in the middle lane: it
would only take processor time from light ones before it is taken there.

A query whose reader takes nothing holds no place.

Those that wait are woken one by one, in the order in which they came, when there is a place for
them: were all woken at each change, they would spend the processor on looking.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clustergraph.errors import OverloadedError, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.query.limits import Limits

FAST, MIDDLE, SLOW, NONE = "fast", "middle", "slow", ""
_LOOK = 0.25  # seconds between looks for a place that a slow reader leaves
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
class _Waiter:
    """One query that waits for a place."""

    fits: Callable[[], bool]
    """Whether it may have a place in the lane that is free."""
    take: Callable[[], None]
    """Gives it the place."""
    served: bool = False
    woken: threading.Event = field(default_factory=threading.Event)


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
        self._lock = threading.Lock()
        self._places: set[Place] = set()
        self._waiting: dict[str, list[_Waiter]] = {FAST: [], MIDDLE: [], SLOW: []}
        self._clients: dict[str, _Client] = {}
        self._closed = False
        self.statistics: Counter[str] = Counter()

    def enter(self, client: str, expected: float = 0.0) -> Place:
        """Wait for a place.

        Args:
            client: who asks; "" for one without a share of its own.
            expected: processor time that the query will need, as far as one knows.

        Raises:
            TooManyRequestsError: the client has used up its share.
            OverloadedError: no place was free in time.
        """
        place = Place(client)
        with self._lock:
            share = self._share(client)
            if share is not None and self._budget(share) <= 0:
                raise self._throttled(share)
            demoted = share is not None and share.demoted_until > time.monotonic()

        def fits() -> bool:
            return demoted or share is None or share.running < self._limits.per_client

        lane = SLOW if demoted else MIDDLE if expected > self._limits.quick else FAST
        if not self._wait(lane, fits, lambda: self._start(place, share, lane)):
            with self._lock:
                if lane != FAST:
                    raise self._overloaded("Too many long queries are running.")
                if not fits() and share is not None:
                    raise self._throttled(share)
                raise self._overloaded("All query workers are busy.")
        return place

    def descend(self, place: Place) -> bool:
        """Take a query that needs long to the next lane, at once.

        Returns:
            Whether there is a place; else the query is to be held until ``descend_later``.

        Raises:
            OverloadedError: it is to be given up.
        """
        with self._lock:
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
        with self._lock:
            self._move(place, NONE)

        def take() -> None:
            place.lane = MIDDLE

        if not self._wait(MIDDLE, lambda: True, take):
            with self._lock:
                self.statistics["shed"] += 1
                raise self._overloaded("Too many queries that are not light are running.")

    def demote(self, place: Place) -> None:
        """Let the client of a query that was given up start in the slow lane for a while."""
        with self._lock:
            share = self._clients.get(place.client)
            if share is not None:
                share.demoted_until = time.monotonic() + self._limits.demotion

    def leave(self, place: Place, seconds: float) -> str:
        """Give a place back; gives the lane in which it was.

        Args:
            place: of the query that ended.
            seconds: processor time that it used.
        """
        with self._lock:
            lane, place.lane = place.lane, NONE
            if place in self._places:
                self._places.discard(place)
                share = self._clients.get(place.client)
                if share is not None:
                    share.running -= 1
                    share.budget = self._budget(share) - seconds
                    share.counted = time.monotonic()
            self._serve()
            return lane

    def active(self) -> int:
        """How many queries are running or held."""
        with self._lock:
            return len(self._places)

    def close(self) -> None:
        """Let nobody in any more."""
        with self._lock:
            self._closed = True
            for waiting in self._waiting.values():
                for each in waiting:
                    each.woken.set()

    def _wait(self, lane: str, fits: Callable[[], bool], take: Callable[[], None]) -> bool:
        """Wait for a place, at most as long as one may wait; gives whether it was taken.

        Raises:
            OverloadedError: the pool is being closed.
        """
        waiting = self._waiting[lane]
        with self._lock:
            if not (waiting or self._closed) and self._has_place(lane) and fits():
                take()
                return True
            waiter = _Waiter(fits, take)
            deadline = time.monotonic() + self._limits.wait
            if len(waiting) >= self._limits.queue // (1 if lane == FAST else 2):
                return False
            waiting.append(waiter)
        try:
            while True:
                with self._lock:
                    if self._closed:
                        raise OverloadedError("The service is stopping.")
                    self._serve()
                    remaining = deadline - time.monotonic()
                    if waiter.served or remaining <= 0:
                        return waiter.served
                waiter.woken.wait(min(remaining, _LOOK))
        finally:
            with self._lock:
                if waiter in waiting:
                    waiting.remove(waiter)

    # -- under the lock ------------------------------------------------------------------------

    def _start(self, place: Place, share: _Client | None, lane: str) -> None:
        place.lane = lane
        self._places.add(place)
        if share is not None:
            share.running += 1

    def _move(self, place: Place, lane: str) -> None:
        place.lane = lane
        self._serve()

    def _serve(self) -> None:
        """Give the places that are free to those that wait, the first ones first."""
        for lane, waiting in self._waiting.items():
            for each in list(waiting):
                if not self._has_place(lane):
                    break
                if each.fits():
                    waiting.remove(each)
                    each.take()
                    each.served = True
                    each.woken.set()

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
