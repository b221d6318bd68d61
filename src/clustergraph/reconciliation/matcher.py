"""The front's side: keeps one worker for the current release, and never waits long for it.

A worker answers one question after the other; the queries of a batch are handed to it one by one,
so that a suggestion need not wait for a whole batch. One that does not answer in time is killed.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from clustergraph.errors import OverloadedError, StoreError, TimeLimitError, UsageError
from clustergraph.process import frames
from clustergraph.reconciliation.answers import LATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOADING = 120.0
"""Seconds that reading the names of a release may take."""
_PATIENCE = 20.0
"""Seconds that a request waits until its release is read, or for those before it."""
_ANSWER = 5.0
"""Seconds after which a worker that says nothing is killed."""
_MOMENT = 2.0
"""Seconds that a question waits for a place; and for new names, before those of the last release
answer."""
_WAITING, _SHARE = 16, 6
"""Questions that may wait for those before them; those of one client."""
_MEMORY = 512 << 20
"""Bytes that questions may take beside the names."""
_LONG = "The question takes too long."
_BUSY, _LATER = "Too many are matching now.", "Try again in a few seconds."


class Matcher:
    """Answers questions about the names of the current release.

    When there is a new one, the worker of the release before goes on until the names are read, as
    long as that release is kept: what is forgotten is forgotten here too.
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        """Start nothing yet: the worker starts with the first question.

        Args:
            prefixes: by which identifiers may be shortened.
        """
        self._prefixes = json.dumps(dict(prefixes))
        self._worker: _Worker | None = None
        self._next: _Worker | None = None
        self._lock = threading.Lock()
        self._turns = threading.Condition()
        self._waiting: Counter[str] = Counter()

    def ask(
        self, number: int, folder: Path, question: Mapping[str, Any], *, client: str = ""
    ) -> tuple[int, Any]:
        """The answer to one question; see ``answers.answer``.

        Args:
            number: of the release.
            folder: of its public store.
            question: as JSON can carry it.
            client: who asks; "" for one without a share.

        Returns:
            The number of the release that answered, and the answer.

        Raises:
            TimeLimitError: it took too long.
            OverloadedError: others are before it, or the names are still being read.
            StoreError: the release cannot be read.
            UsageError: the question cannot be answered.
        """
        with self._turns:
            if not self._turns.wait_for(lambda: self._has_place(client), _MOMENT):
                raise OverloadedError(_BUSY, hint=_LATER)
            self._waiting[client] += 1
        try:
            worker = self._current(number, folder)
            return worker.number, worker.ask(question)
        finally:
            with self._turns:
                self._waiting[client] -= 1
                if not self._waiting[client]:
                    del self._waiting[client]
                self._turns.notify_all()

    def _has_place(self, client: str) -> bool:
        """Whether another question may wait, for this client and at all."""
        is_full = self._waiting.total() >= _WAITING
        return not is_full and (not client or self._waiting[client] < _SHARE)

    def _current(self, number: int, folder: Path) -> _Worker:
        gone: list[_Worker] = []
        with self._lock:
            held, following = self._worker, self._next
            if held is not None and held.is_usable and held.number >= number:
                return held
            if following is None or following.has_ended or following.number < number:
                gone += [following] if following is not None else []
                following = self._next = _Worker(number, folder, self._prefixes)
        is_ready = following.is_ready(_MOMENT)
        with self._lock:
            held = self._worker
            if not is_ready and held is not None and held.is_usable:
                chosen = held
            else:
                chosen = following
                if self._next is following:
                    self._worker, self._next = following, None
                    gone += [held] if held is not None else []
        for each in gone:
            each.close()
        return chosen

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            held = (self._worker, self._next)
            self._worker = self._next = None
        for each in held:
            if each is not None:
                each.close()


class _Worker:
    """One process, for one release."""

    def __init__(self, number: int, folder: Path, prefixes: str) -> None:
        self.number = number
        self.has_ended = False
        self._folder = folder
        self._turn = threading.Lock()
        self._is_ready = False
        self._started = time.monotonic()
        self._connection, theirs = socket.socketpair()
        module = "clustergraph.reconciliation.worker"
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell
                [sys.executable, "-m", module, str(folder), str(theirs.fileno()), str(_MEMORY),
                 prefixes],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def is_usable(self) -> bool:
        """Whether it lives, and its release is kept."""
        return not self.has_ended and self._folder.exists()

    def is_ready(self, seconds: float) -> bool:
        """Whether the names are read, or cannot be; waits a moment for it."""
        if self._is_ready or self.has_ended:
            return True
        waiting = select.poll()
        try:
            waiting.register(self._connection, select.POLLIN | select.POLLHUP)
        except ValueError:  # closed meanwhile
            return True
        return bool(waiting.poll(seconds * 1000)) or self._is_ready

    def ask(self, question: Mapping[str, Any]) -> Any:
        """The answer to a question.

        Raises:
            TimeLimitError, OverloadedError, StoreError, UsageError: see ``Matcher.ask``.
        """
        if not self._turn.acquire(timeout=_PATIENCE):
            raise OverloadedError(_BUSY, hint=_LATER)
        try:
            self._await_ready()
            self._connection.settimeout(_ANSWER)
            frames.send(self._connection, frames.REQUEST, json.dumps(question).encode())
            kind, payload = frames.receive(self._connection)
        except TimeoutError as error:
            self._end()
            raise TimeLimitError(_LONG) from error
        except (EOFError, OSError) as error:
            self._end()
            raise StoreError("The names of the graph cannot be read now.") from error
        finally:
            self._turn.release()
        if payload == LATE:
            raise TimeLimitError(_LONG)
        if kind == frames.ERROR:
            sys.stderr.write(f"A question to match was not answered: {payload.decode()}\n")
            raise UsageError("This cannot be answered.")
        return json.loads(payload)

    def _await_ready(self) -> None:
        """Wait until the names are read.

        Raises:
            OverloadedError: they are not yet.
            EOFError, OSError: they cannot be.
        """
        if self._is_ready:
            return
        self._connection.settimeout(_PATIENCE)
        try:
            frames.receive(self._connection)
        except TimeoutError as error:
            if time.monotonic() - self._started > _LOADING:
                raise OSError("not loaded") from error
            raise OverloadedError("The names of the graph are being read.", hint=_LATER) from error
        self._is_ready = True

    def _end(self) -> None:
        self.has_ended = True
        with contextlib.suppress(OSError):
            self._process.kill()
        self._connection.close()
        self._process.wait()

    def close(self) -> None:
        """End the process, when the question that it works on is answered."""
        with self._turn:
            if not self.has_ended:
                self._end()
