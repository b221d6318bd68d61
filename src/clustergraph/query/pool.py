"""The pool: gives each query a worker, watches its time, kills it at the limit, keeps spares.

Two lanes keep light queries from waiting for heavy ones. A query starts in the fast lane; when it
has used a quarter of a second of processor time it goes on in the slow lane, with lower priority,
and a spare worker takes its place. Where the slow lane is full, it is given up with a 503. A
client whose query was given up starts in the slow lane for a while.

A reader that is slower than the query holds no place in a lane: its worker waits outside.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph.errors import (
    MemoryLimitError,
    OverloadedError,
    StoreError,
    TimeLimitError,
    from_fields,
)
from clustergraph.process import frames
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_POLL = 0.05  # seconds between looks at a running query
_READER_IS_SLOW = 0.25  # seconds after which a reader that takes nothing holds no place
_GRACE = 5.0  # seconds in which a request that has this pool at hand may still begin
_START = 60.0  # seconds within which a zygote must have loaded its release


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What queries may take; times in seconds, sizes in bytes."""

    time: float = 30.0
    """From the start of a query to its end, without the time that its reader takes."""
    memory: int = 1 << 30
    """Address space of a worker beyond the graph itself."""
    in_memory: int = 12_000_000
    """Largest store that is held in memory, in quads."""
    fast: int = 4
    """Queries that run in the fast lane at once."""
    slow: int = 4
    """Queries that run in the slow lane at once."""
    light: float = 0.25
    """Processor time after which a query is not light."""
    queue: int = 32
    """Queries that wait for a place in the fast lane."""
    wait: float = 5.0
    """Longest wait for a place."""
    waiting_readers: int = 64
    """Workers that wait outside the lanes for slow readers."""
    demotion: float = 30.0
    """How long a client whose query was given up starts in the slow lane."""
    recycle: int = 2000
    """Queries after which a worker is replaced."""


@dataclass(eq=False)
class _Worker:
    """One worker process and its connection."""

    connection: socket.socket
    pid: int
    served: int = 0
    cpu_before: float = 0.0

    def cpu(self) -> float:
        """Processor seconds of the query that it runs."""
        return _cpu(self.pid) - self.cpu_before

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.connection.close()


@dataclass(eq=False)
class _Run:
    """One query in the pool."""

    client: str
    lane: str = ""
    """'fast', 'slow', or '' while it holds no place."""
    yielded: float | None = None
    """Since when its reader has not asked for more."""
    seconds: float = 0.0
    """How long its worker was at work."""
    worker: _Worker | None = None


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


class QueryPool:
    """A backend that answers in worker processes; one for each release."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        """Start the zygote and wait until it holds the release.

        Args:
            folder: the release's store.
            limits: what queries may take.

        Raises:
            StoreError: the release could not be loaded.
        """
        self.limits = limits or Limits()
        self.statistics: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._idle: list[_Worker] = []
        self._running: set[_Run] = set()
        self._queued = 0
        self._demoted: dict[str, float] = {}
        self._closed = False
        self._directory = tempfile.mkdtemp(prefix="clustergraph-")
        self._socket = str(Path(self._directory) / "zygote")
        self._zygote = subprocess.Popen(  # noqa: S603  our own module, no shell
            [
                sys.executable, "-m", "clustergraph.query.zygote", str(folder), self._socket,
                "--memory", str(self.limits.memory), "--in-memory", str(self.limits.in_memory),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._await_zygote(folder)
        self._idle += (self._spawn() for _ in range(self.limits.fast))

    def _await_zygote(self, folder: Path) -> None:
        out = self._zygote.stdout
        timer = threading.Timer(_START, self._zygote.kill)
        timer.start()
        try:
            ready = out is not None and out.readline() == b"listening\n"
        finally:
            timer.cancel()
        if not ready:
            self.close()
            raise StoreError(f"The release in {folder} could not be loaded for queries.")

    def _spawn(self) -> _Worker:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_START)
        try:
            connection.connect(self._socket)
            _kind, pid = frames.receive(connection)
        except (OSError, EOFError) as error:
            connection.close()
            raise StoreError("No query worker could be started.") from error
        self.statistics["workers_started"] += 1
        return _Worker(connection, int(pid))

    # -- answering ---------------------------------------------------------------------------

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
            client: who asks; clients share a pool fairly.
            seconds: a time limit below the pool's own.

        Raises:
            TimeLimitError, MemoryLimitError: the query took too much.
            OverloadedError: no place was free in time.
        """
        limit = min(self.limits.time, seconds or self.limits.time)
        run = _Run(client)
        self._enter(run)
        chunks = self._chunks(run, query, fmt, dataset, limit)
        try:
            head = next(chunks)
        except StopIteration:
            return iter(())
        return _prepend(head, chunks)

    def _chunks(
        self, run: _Run, query: Query, fmt: Format, dataset: DatasetClause, limit: float
    ) -> Iterator[bytes]:
        finished = False
        try:
            worker = run.worker = self._take()
            worker.cpu_before = _cpu(worker.pid)
            request = {
                "text": query.text,
                "form": query.form.value,
                "format": fmt.media_type,
                "default": dataset.default_graphs,
                "named": dataset.named_graphs,
            }
            frames.send(worker.connection, frames.REQUEST, json.dumps(request).encode())
            while True:
                kind, payload = self._receive(run, worker, limit)
                if kind == frames.END:
                    finished = True
                    return
                if kind == frames.ERROR:
                    finished = True
                    raise from_fields(json.loads(payload))
                run.yielded = time.monotonic()
                yield payload
                run.yielded = None
        except (BrokenPipeError, ConnectionResetError, EOFError) as error:
            self.statistics["workers_died"] += 1
            self._demote(run)
            raise MemoryLimitError(
                "The query needed more memory than a query may take.",
                hint="Ask for less at once: add a LIMIT, bind more terms, avoid sorting "
                "combinations of everything with everything.",
            ) from error
        finally:
            self._leave(run, finished=finished)

    def _receive(self, run: _Run, worker: _Worker, limit: float) -> tuple[bytes, bytes]:
        """The next frame; moves the query to the slow lane or gives it up when it is time."""
        while True:
            started = time.monotonic()
            remaining = limit - run.seconds
            if remaining <= 0:
                self.statistics["killed_time"] += 1
                self._demote(run)
                raise TimeLimitError(
                    f"The query took longer than {limit:g} seconds.",
                    hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
                )
            worker.connection.settimeout(min(_POLL, remaining))
            try:
                if _peek(worker.connection):
                    worker.connection.settimeout(_START)
                    return frames.receive(worker.connection)
            finally:
                run.seconds += time.monotonic() - started
            if run.lane == "fast" and worker.cpu() > self.limits.light:
                self._slow_down(run, worker)

    # -- places ------------------------------------------------------------------------------

    def _enter(self, run: _Run) -> None:
        """Wait for a place in the fast lane, or take one in the slow lane if demoted."""
        deadline = time.monotonic() + self.limits.wait
        with self._changed:
            if self._closed:
                raise OverloadedError("The service is stopping.")
            if self._demoted.get(run.client, 0.0) > time.monotonic():
                self._enter_slow(run)
                return
            if self._queued >= self.limits.queue:
                raise self._overloaded("Too many queries are waiting.")
            self._queued += 1
            try:
                while not self._has_place("fast", self.limits.fast):
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise self._overloaded("All query workers are busy.")
                    self._changed.wait(min(remaining, _POLL))
            finally:
                self._queued -= 1
            run.lane = "fast"
            self._running.add(run)

    def _enter_slow(self, run: _Run) -> None:
        if not self._has_place("slow", self.limits.slow):
            raise self._overloaded("Too many long queries are running.")
        run.lane = "slow"
        self._running.add(run)

    def _has_place(self, lane: str, size: int) -> bool:
        """Whether a lane has a free place; takes one from a query whose reader is slow."""
        holders = [each for each in self._running if each.lane == lane]
        if len(holders) < size:
            return True
        now = time.monotonic()
        outside = sum(not each.lane for each in self._running)
        for each in holders:
            since = each.yielded
            if (
                since is not None
                and now - since > _READER_IS_SLOW
                and outside < self.limits.waiting_readers
            ):
                each.lane = ""
                return True
        return False

    def _slow_down(self, run: _Run, worker: _Worker) -> None:
        """Move a query that is not light to the slow lane, or give it up where that is full."""
        with self._changed:
            if not self._has_place("slow", self.limits.slow):
                self.statistics["shed"] += 1
                self._demote(run)
                raise self._overloaded("Too many long queries are running.")
            run.lane = "slow"
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, worker.pid, 15)

    def _overloaded(self, message: str) -> OverloadedError:
        self.statistics["refused"] += 1
        return OverloadedError(message, hint="Try again in a few seconds.")

    def _demote(self, run: _Run) -> None:
        now = time.monotonic()
        with self._changed:
            self._demoted = {who: end for who, end in self._demoted.items() if end > now}
            if run.client:
                self._demoted[run.client] = now + self.limits.demotion

    # -- workers -----------------------------------------------------------------------------

    def _take(self) -> _Worker:
        with self._changed:
            if self._idle:
                return self._idle.pop()
        return self._spawn()

    def _leave(self, run: _Run, *, finished: bool) -> None:
        """Give the place and the worker back; a worker that is not idle is killed."""
        worker = run.worker
        with self._changed:
            lane, run.lane = run.lane, ""
            self._running.discard(run)
            reusable = (
                finished
                and worker is not None
                and lane == "fast"
                and not self._closed
                and len(self._idle) < self.limits.fast
                and worker.served < self.limits.recycle
            )
            if reusable and worker is not None:
                worker.served += 1
                self._idle.append(worker)
            self._changed.notify_all()
        if worker is not None and not reusable:
            worker.kill()
            if not self._closed:
                threading.Thread(target=self._refill, name="refill", daemon=True).start()

    def _refill(self) -> None:
        """Keep a spare ready, so that nobody waits for a worker to start."""
        with self._changed:
            if self._closed or len(self._idle) >= self.limits.fast:
                return
        with contextlib.suppress(StoreError):  # the next query tells it
            worker = self._spawn()
            with self._changed:
                if not self._closed:
                    self._idle.append(worker)
                    return
            worker.kill()

    def active(self) -> int:
        """How many queries are running."""
        with self._changed:
            return len(self._running)

    def retire(self) -> None:
        """Soon take no new queries, let those that run finish within their limits, then close."""

        def finish() -> None:
            time.sleep(_GRACE)
            deadline = time.monotonic() + 2 * self.limits.time
            while self.active() and time.monotonic() < deadline:
                time.sleep(_READER_IS_SLOW)
            self.close()

        threading.Thread(target=finish, name="retire", daemon=True).start()

    def close(self) -> None:
        """End all workers and the zygote."""
        with self._changed:
            self._closed = True
            workers = [*self._idle, *(each.worker for each in self._running if each.worker)]
            self._idle.clear()
            self._changed.notify_all()
        for worker in workers:
            worker.kill()
        for stream in (self._zygote.stdin, self._zygote.stdout):
            if stream is not None:
                stream.close()
        self._zygote.kill()
        self._zygote.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _peek(connection: socket.socket) -> bool:
    """Whether something has come; EOFError if the other side has gone."""
    try:
        if not connection.recv(1, socket.MSG_PEEK):
            raise EOFError
    except TimeoutError:
        return False
    return True


def _prepend(head: bytes, rest: Iterator[bytes]) -> Answer:
    yield head
    yield from rest
