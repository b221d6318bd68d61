"""The queue of writes: those that wait while one release is made go into the next one together."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clustergraph import settings as settings_module
from clustergraph.errors import (
    ClusterGraphError,
    OverloadedError,
    StoreError,
    TimeLimitError,
    from_fields,
    to_fields,
)
from clustergraph.process import frames
from clustergraph.releases import Manifest
from clustergraph.writing import batches

if TYPE_CHECKING:
    from clustergraph.releases import Write
    from clustergraph.releases.archive import Carrier
    from clustergraph.settings import Settings

_START = 60.0  # seconds within which the writer must be ready
_TOGETHER = 64  # writes in one release at most
_WAITING = 256  # writes that wait at most


@dataclass(frozen=True)
class Written:
    """A write that is in a release, durably."""

    number: int
    """Of the release that holds it."""
    etag: str
    """That release's validator."""
    added: int
    removed: int
    new_graph: bool
    """Whether the graph that it names did not exist before."""


class WriteQueue:
    """Hands writes to the writer process, which is started when it is first needed."""

    def __init__(self, settings: Settings, carrier: Carrier | None = None) -> None:
        """Start nothing yet.

        Args:
            settings: of the project.
            carrier: brings releases to the engine; the writer itself has no network.
        """
        self._settings = settings
        self._carrier = carrier
        self._waiting: list[tuple[Write, Future[Written]]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def submit(self, write: Write) -> Written:
        """Publish a write; returns when it is durable.

        Raises:
            ClusterGraphError: it was refused or could not be done; nothing of it is left.
        """
        future: Future[Written] = Future()
        with self._changed:
            if self._closed or len(self._waiting) >= _WAITING:
                raise OverloadedError("Too many writes are waiting.", hint="Try again soon.")
            self._waiting.append((write, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writes", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return future.result()

    def close(self) -> None:
        """End the writer; writes that wait are refused."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            self._changed.notify_all()
        for _write, future in waiting:
            future.set_exception(OverloadedError("The service is stopping."))
        if self._thread is not None:
            self._thread.join(timeout=self._settings.write_seconds)
        self._end()

    # -- the thread that hands over ------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            self._publish(batch)

    def _publish(self, batch: list[tuple[Write, Future[Written]]]) -> None:
        try:
            outcomes = self._exchange([write for write, _future in batch])
        except _GoneError as error:
            self._end()
            if len(batch) > 1 and not error.reached_disk:
                for each in batch:  # one of them was its end: the others shall not share it
                    self._publish([each])
                return
            outcomes = [error.told] * len(batch)
        except ClusterGraphError as error:
            outcomes = [error] * len(batch)
        except BaseException as error:
            self._end()
            for _write, future in batch:
                future.set_exception(StoreError(f"The write could not be handed over: {error}"))
            return
        for (_write, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Written):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def _exchange(self, writes: list[Write]) -> list[Written | ClusterGraphError]:
        connection = self._connected()
        pointer = self._settings.variable / "current"
        before = pointer.read_bytes() if pointer.exists() else b""
        deadline = time.monotonic() + self._settings.write_seconds
        try:
            connection.settimeout(self._settings.write_seconds)
            batches.send(connection, writes)
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            while (received := frames.receive(connection))[0] == frames.CARRY:
                frames.send(connection, *self._carried(json.loads(received[1])))
                connection.settimeout(max(0.1, deadline - time.monotonic()))
            kind, payload = received
        except TimeoutError as error:
            raise self._gone(
                before,
                TimeLimitError(
                    f"The write took longer than {self._settings.write_seconds} seconds.",
                    hint="Write less at once, or build from files.",
                ),
            ) from error
        except (OSError, EOFError) as error:
            raise self._gone(
                before,
                OverloadedError(
                    "The writer ended before the write was done: it needed too much memory, or "
                    "was stopped.",
                    hint="Write less at once; nothing of this was published.",
                ),
            ) from error
        answer = json.loads(payload)
        if kind == frames.ERROR:
            raise from_fields(answer)
        return [_outcome(each) for each in answer]

    def _carried(self, asked: dict[str, Any]) -> tuple[bytes, bytes]:
        """Do for the writer what it asks of the engine; the answer to it."""
        try:
            if self._carrier is None:
                raise StoreError("There is no engine to which a release could be brought.")
            if asked["ask"] == "bring":
                done = self._carrier.bring(asked["number"])
            else:
                done = self._carrier.holds(Manifest(**asked["manifest"]))
        except ClusterGraphError as error:
            return frames.ERROR, json.dumps(to_fields(error)).encode()
        return frames.END, json.dumps(done).encode()

    def _gone(self, before: bytes, told: ClusterGraphError) -> _GoneError:
        self._end()  # from here on it publishes nothing: what the pointer says is what happened
        pointer = self._settings.variable / "current"
        if pointer.exists() and pointer.read_bytes() != before:
            told = StoreError(
                "The writer ended after it published a release: it may hold this write.",
                hint="Look at /releases before you send it again.",
            )
            return _GoneError(told, reached_disk=True)
        return _GoneError(told, reached_disk=False)

    def _connected(self) -> socket.socket:
        """The connection to a writer that is ready; starts one where there is none.

        Raises:
            StoreError: it could not be started.
        """
        if self._connection is not None:
            return self._connection
        ours, theirs = socket.socketpair()
        environment = os.environ | settings_module.to_environment(self._settings)
        for name in settings_module.secrets():  # it has no use for them
            environment.pop(settings_module.ENVIRONMENT_PREFIX + name.upper(), None)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell
                [sys.executable, "-m", "clustergraph.writing.writer", str(theirs.fileno())],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        ours.settimeout(_START)
        try:
            frames.receive(ours)
        except (OSError, EOFError) as error:
            ours.close()
            raise StoreError("The writer could not be started.") from error
        self._connection = ours
        return ours

    def _end(self) -> None:
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


class _GoneError(Exception):
    """The writer ended, or had to be ended, before it answered."""

    def __init__(self, told: ClusterGraphError, *, reached_disk: bool) -> None:
        super().__init__(told.message)
        self.told = told
        self.reached_disk = reached_disk


def _outcome(fields: dict[str, Any]) -> Written | ClusterGraphError:
    return from_fields(fields["error"]) if "error" in fields else Written(**fields)
