"""The front's side: keeps one worker for the current release, and never waits long for it.

A worker answers one question after the other; the queries of a batch are handed to it one by one,
so that a suggestion need not wait for a whole batch. One that does not answer in time is killed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from clustergraph.errors import OverloadedError, StoreError, TimeLimitError
from clustergraph.process import frames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOADING = 120.0
"""Seconds that reading the names of a release may take."""
_PATIENCE = 20.0
"""Seconds that a request waits until its release is read, or for those before it."""
_ANSWER = 5.0
"""Seconds that one question may take."""
_WAITING = 16
"""Questions that may wait for those before them."""
_MEMORY = 512 << 20
"""Bytes that questions may take beside the names."""
_BUSY, _LATER = "Too many are matching now.", "Try again in a few seconds."


class Matcher:
    """Answers questions about the names of the current release."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        """Start nothing yet: the worker starts with the first question.

        Args:
            prefixes: by which identifiers may be shortened.
        """
        self._prefixes = json.dumps(dict(prefixes))
        self._worker: _Worker | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)

    def ask(self, number: int, folder: Path, question: Mapping[str, Any]) -> Any:
        """The answer to one question; see ``answers.answer``.

        Args:
            number: of the release.
            folder: of its public store.
            question: as JSON can carry it.

        Raises:
            TimeLimitError: it took too long.
            OverloadedError: others are before it, or the names are still being read.
            StoreError: the release cannot be read, or the question cannot be answered.
        """
        if not self._places.acquire(blocking=False):
            raise OverloadedError(_BUSY, hint=_LATER)
        try:
            return self._current(number, folder).ask(question)
        finally:
            self._places.release()

    def _current(self, number: int, folder: Path) -> _Worker:
        with self._lock:
            held = self._worker
            if held is None or held.number != number or held.has_ended:
                former, held = held, _Worker(number, folder, self._prefixes)
                self._worker = held
                if former is not None:
                    former.close()
            return held

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
            self._worker = None


class _Worker:
    """One process, for one release."""

    def __init__(self, number: int, folder: Path, prefixes: str) -> None:
        self.number = number
        self.has_ended = False
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

    def ask(self, question: Mapping[str, Any]) -> Any:
        """See ``Matcher.ask``."""
        if not self._turn.acquire(timeout=_PATIENCE):
            raise OverloadedError(_BUSY, hint=_LATER)
        try:
            self._await_ready()
            self._connection.settimeout(_ANSWER)
            frames.send(self._connection, frames.REQUEST, json.dumps(question).encode())
            kind, payload = frames.receive(self._connection)
        except TimeoutError as error:
            self._end()
            raise TimeLimitError("The question took too long.") from error
        except (EOFError, OSError) as error:
            self._end()
            raise StoreError("The names of the graph cannot be read now.") from error
        finally:
            self._turn.release()
        if kind == frames.ERROR:
            sys.stderr.write(f"A question to match was not answered: {payload.decode()}\n")
            raise StoreError("The question cannot be answered.")
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
