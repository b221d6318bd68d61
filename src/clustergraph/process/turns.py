"""Turns: requests are worked on one after the other, since they contend for one interpreter.

Threads that all want the interpreter spend most of their time handing it on. So one has the turn,
and the others sleep until theirs comes. Who waits for another process ends its turn first.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_here = threading.local()
_LONGEST = 32  # requests of one kind that wait for their turn
_PATIENCE = 0.1  # seconds after which one that has the turn holds up the next one no longer


class Turns:
    """Who is at work, and who comes next.

    The kinds of requests take turns; those of one kind in the order in which they came. So a short
    query does not wait for all the pages that are before it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Turn]] = {}
        self._holder: Turn | None = None
        self._since = 0.0

    def begin(self, turn: Turn) -> bool:
        """Wait until it is one's turn, at most a moment for each that is before.

        Returns:
            False, at once, if too many wait already.
        """
        with self._lock:
            if self._holder is None:
                self._give(turn)
                return True
            waiting = self._waiting.setdefault(turn.kind, deque())
            if len(waiting) >= _LONGEST:
                return False
            waiting.append(turn)
        while not turn.begun.wait(_PATIENCE):
            with self._lock:
                late = time.monotonic() - self._since > _PATIENCE
                if late and waiting and waiting[0] is turn:
                    self._give(waiting.popleft())
        return True

    def end(self, turn: Turn) -> None:
        """Let the next one begin; doing it again does nothing."""
        with self._lock:
            if self._holder is turn:
                self._holder = None
                for kind, waiting in self._waiting.items():
                    if waiting:
                        self._waiting[kind] = self._waiting.pop(kind)  # comes last the next time
                        self._give(waiting.popleft())
                        return

    def _give(self, turn: Turn) -> None:
        self._holder, self._since = turn, time.monotonic()
        turn.begun.set()


class Turn:
    """The turns of one request."""

    def __init__(self, turns: Turns, kind: str) -> None:
        self.kind = kind
        self.begun = threading.Event()
        self._turns = turns

    def begin(self) -> bool:
        """Wait until it may work; False if too many wait already. If it may, this does nothing."""
        return self.begun.is_set() or self._turns.begin(self)

    def end(self) -> bool:
        """Let the next one begin; whether it had the turn."""
        had = self.begun.is_set()
        self._turns.end(self)
        self.begun.clear()
        return had


def take(turn: Turn) -> None:
    """Make a turn that of this thread, which ``begin``, ``end`` and ``waiting`` are about."""
    _here.turn = turn


def begin() -> None:
    """Wait until this thread may work (again), since nothing is to be waited for any more.

    Where too many wait it works without a turn: it has come too far to be refused.
    """
    turn: Turn | None = getattr(_here, "turn", None)
    if turn is not None:
        turn.begin()


def end() -> None:
    """End the turn of this thread, since it is about to wait for another process."""
    turn: Turn | None = getattr(_here, "turn", None)
    if turn is not None:
        turn.end()


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Let others work while this thread waits for another process; then go on, if it had a turn."""
    turn: Turn | None = getattr(_here, "turn", None)
    had = turn is not None and turn.end()
    try:
        yield
    finally:
        if turn is not None and had:
            turn.begin()
