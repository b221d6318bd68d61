"""The pool: gives each query a worker, watches its time, kills it at the limit, keeps spares.

Which query may run, and where it goes on when it needs long, ``lanes`` says. A query that is held
is stopped (SIGSTOP); in the slow lane it runs with lower priority, and its worker is not used
again.

A query that took too much is remembered for a while: a release never changes, so it would again.
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
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import rdf
from clustergraph.errors import (
    AnswerLimitError,
    LimitError,
    MemoryLimitError,
    OverloadedError,
    StoreError,
    TimeLimitError,
    from_fields,
)
from clustergraph.process import frames
from clustergraph.query.lanes import FAST, MIDDLE, SLOW, Lanes, Place
from clustergraph.query.limits import Limits
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_POLL = 0.03  # seconds between looks at a running query
_PRIORITY = {MIDDLE: 8, SLOW: 19}
_OWN = 8  # workers that are kept for queries of our own
_REMEMBERED = 1000  # queries that took too much
_GRACE = 5.0  # seconds in which a request that has this pool at hand may still begin
_START = 60.0  # seconds within which a zygote must have loaded its release


@dataclass(eq=False)
class _Worker:
    """One worker process and its connection."""

    connection: socket.socket
    pid: int
    served: int = 0
    cpu_before: float = 0.0
    """Processor seconds that it had used when its last query ended."""

    def cpu(self) -> float:
        """Processor seconds of the query that it runs."""
        return _cpu(self.pid) - self.cpu_before

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def slow_down(self, lane: str) -> None:
        """Let it run behind those of faster lanes."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _PRIORITY[lane])
            os.sched_setscheduler(self.pid, os.SCHED_BATCH, os.sched_param(0))

    def has_usual_priority(self) -> bool:
        """Whether it runs as one that is new; tries to make it so."""
        try:
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0))
            os.sched_setscheduler(self.pid, os.SCHED_OTHER, os.sched_param(0))
        except OSError:  # only the administrator may raise it again
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.connection.close()


@dataclass(eq=False)
class _Run:
    """One query in the pool."""

    place: Place
    key: str
    """Of the query and its dataset."""
    limit: float
    seconds: float = 0.0
    """How long its worker was at work."""
    sent: int = 0
    """Bytes of its answer."""
    cpu: float = 0.0
    """Processor time that it had used when it was last looked at."""
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
        self.lanes = Lanes(self.limits)
        self.statistics = self.lanes.statistics
        self._changed = threading.Lock()
        self._idle: list[_Worker] = []
        self._own: list[_Worker] = []
        self._running: set[_Run] = set()
        self._too_much: OrderedDict[str, _TooMuch] = OrderedDict()
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
            client: who asks; clients share a pool fairly. "" for one that has no share.
            seconds: a time limit other than the pool's own.

        Raises:
            TimeLimitError, MemoryLimitError: the query took too much.
            TooManyRequestsError: the client asks more than its share.
            OverloadedError: no place was free in time.
        """
        limit = self.limits.time if seconds is None else seconds
        key = f"{query.key or query.text}{dataset!r}"
        self._check_remembered(key, limit)
        run = _Run(self.lanes.enter(client), key, limit)
        with self._changed:
            self._running.add(run)
        chunks = self._chunks(run, query, fmt, dataset)
        try:
            head = next(chunks)
        except StopIteration:
            return iter(())
        return _prepend(head, chunks)

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(b"".join(self.answer(query, rdf.JSON)))

    def direct(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> bytes:
        """The whole answer to a query of our own: light, and outside the lanes.

        Raises:
            QueryError: the query is wrong.
            StoreError: it could not be answered.
        """
        for _ in range(2):  # a worker may have been killed while it was idle
            with self._changed:
                worker = self._own.pop() if self._own else None
            worker = worker or self._spawn()
            worker.connection.settimeout(self.limits.time)
            try:
                frames.send(worker.connection, frames.REQUEST, _request(query, fmt, dataset))
                pieces = []
                while (received := frames.receive(worker.connection))[0] == frames.DATA:
                    pieces.append(received[1])
            except (OSError, EOFError):
                worker.kill()
                continue
            worker.served += 1
            with self._changed:
                keep = len(self._own) < _OWN and worker.served < self.limits.recycle
                if keep and not self._closed:
                    self._own.append(worker)
                    worker = None
            if worker is not None:
                worker.kill()
            if received[0] == frames.ERROR:
                raise from_fields(json.loads(received[1]))
            return b"".join(pieces)
        raise StoreError("A query of the program itself could not be answered.")

    def _chunks(
        self, run: _Run, query: Query, fmt: Format, dataset: DatasetClause
    ) -> Iterator[bytes]:
        finished = False
        try:
            worker = run.worker = self._take()
            if run.place.lane == SLOW:
                worker.slow_down(SLOW)
            frames.send(worker.connection, frames.REQUEST, _request(query, fmt, dataset))
            while True:
                kind, payload = self._receive(run, worker)
                if kind == frames.END:
                    finished = True
                    used = float(payload)
                    run.cpu, worker.cpu_before = used - worker.cpu_before, used
                    return
                if kind == frames.ERROR:
                    run.cpu = worker.cpu()
                    worker.cpu_before += run.cpu
                    finished = True
                    raise from_fields(json.loads(payload))
                run.sent += len(payload)
                if run.sent > self.limits.answer:
                    raise AnswerLimitError(
                        f"The answer is longer than {self.limits.answer >> 20} MiB.",
                        hint="Ask for parts of it: LIMIT and OFFSET with ORDER BY, or one graph.",
                    )
                run.place.yielded = time.monotonic()
                yield payload
                run.place.yielded = None
        except (BrokenPipeError, ConnectionResetError, EOFError) as error:
            self.statistics["workers_died"] += 1
            raise self._given_up(
                run,
                MemoryLimitError(
                    "The query needed more memory than a query may take.",
                    hint="Ask for less at once: add a LIMIT, bind more terms, avoid sorting "
                    "combinations of everything with everything.",
                ),
            ) from error
        finally:
            self._leave(run, finished=finished)

    def _receive(self, run: _Run, worker: _Worker) -> tuple[bytes, bytes]:
        """The next frame; moves the query to other lanes or gives it up when it is time."""
        while True:
            started = time.monotonic()
            remaining = run.limit - run.seconds
            if remaining <= 0:
                self.statistics["killed_time"] += 1
                raise self._given_up(
                    run,
                    TimeLimitError(
                        f"The query took longer than {run.limit:g} seconds.",
                        hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
                    ),
                )
            worker.connection.settimeout(min(_POLL, remaining))
            try:
                if _peek(worker.connection):
                    worker.connection.settimeout(_START)
                    return frames.receive(worker.connection)
            finally:
                run.seconds += time.monotonic() - started
            self._watch(run, worker)

    def _watch(self, run: _Run, worker: _Worker) -> None:
        """Move a query that needs long to the lane where it belongs.

        Raises:
            OverloadedError: there is no place for it.
        """
        run.cpu = worker.cpu()
        lane = run.place.lane
        allowed = {FAST: self.limits.quick, MIDDLE: self.limits.light}.get(lane)
        if allowed is None or run.cpu <= allowed:
            return
        try:
            if not self.lanes.descend(run.place):
                worker.signal(signal.SIGSTOP)
                self.lanes.descend_later(run.place)
                worker.signal(signal.SIGCONT)
        except OverloadedError:
            self.lanes.demote(run.place)
            raise
        worker.slow_down(run.place.lane)

    # -- what took too much ------------------------------------------------------------------

    def _given_up(self, run: _Run, error: LimitError) -> LimitError:
        """Remember a query that took too much, if it did so on its own account.

        A worker may be killed from outside, a query wait for others.
        """
        own = self.limits.light if isinstance(error, MemoryLimitError) else run.limit / 2
        if isinstance(error, TimeLimitError) or run.cpu >= own:
            self.lanes.demote(run.place)
        if run.cpu >= own:
            with self._changed:
                until = time.monotonic() + self.limits.remembered
                self._too_much.pop(run.key, None)
                self._too_much[run.key] = _TooMuch(error, run.limit, until)
                while len(self._too_much) > _REMEMBERED:
                    self._too_much.popitem(last=False)
        return error

    def _check_remembered(self, key: str, limit: float) -> None:
        """Refuse a query that took too much a while ago.

        Raises:
            TimeLimitError, MemoryLimitError: as then.
        """
        with self._changed:
            found = self._too_much.get(key)
            if found is None:
                return
            if found.until < time.monotonic():
                del self._too_much[key]
                return
        if isinstance(found.error, MemoryLimitError) or limit <= found.limit:
            self.statistics["remembered"] += 1
            raise type(found.error)(found.error.message, hint=found.error.hint)

    # -- workers -----------------------------------------------------------------------------

    def _take(self) -> _Worker:
        with self._changed:
            if self._idle:
                return self._idle.pop()
        return self._spawn()

    def _leave(self, run: _Run, *, finished: bool) -> None:
        """Give the place and the worker back; a worker that is not idle is killed."""
        worker = run.worker
        if worker is not None and not finished:
            run.cpu = worker.cpu()
        lane = self.lanes.leave(run.place, run.cpu)
        if worker is not None and lane == MIDDLE and not worker.has_usual_priority():
            lane = SLOW
        with self._changed:
            self._running.discard(run)
            reusable = (
                finished
                and worker is not None
                and lane in {FAST, MIDDLE}
                and not self._closed
                and len(self._idle) < self.limits.fast
                and worker.served < self.limits.recycle
            )
            if reusable and worker is not None:
                worker.served += 1
                self._idle.append(worker)
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
        return self.lanes.active()

    def retire(self) -> None:
        """Soon take no new queries, let those that run finish within their limits, then close."""

        def finish() -> None:
            time.sleep(_GRACE)
            deadline = time.monotonic() + 2 * self.limits.time
            while self.active() and time.monotonic() < deadline:
                time.sleep(_POLL)
            self.close()

        threading.Thread(target=finish, name="retire", daemon=True).start()

    def close(self) -> None:
        """End all workers and the zygote."""
        with self._changed:
            self._closed = True
            workers = [
                *self._idle,
                *self._own,
                *(each.worker for each in self._running if each.worker),
            ]
            self._idle.clear()
            self._own.clear()
        self.lanes.close()
        for worker in workers:
            worker.kill()
        for stream in (self._zygote.stdin, self._zygote.stdout):
            if stream is not None:
                stream.close()
        self._zygote.kill()
        self._zygote.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


@dataclass(frozen=True)
class _TooMuch:
    """A query that took too much: what was said then, and until when it holds."""

    error: LimitError
    limit: float
    until: float


def _request(query: Query, fmt: Format, dataset: DatasetClause) -> bytes:
    """A query as a worker takes it."""
    fields = {
        "text": query.text,
        "form": query.form.value,
        "star": query.star,
        "format": fmt.media_type,
        "default": dataset.default_graphs,
        "named": dataset.named_graphs,
    }
    return json.dumps(fields).encode()


class OwnQueries:
    """A pool as a backend for queries of our own."""

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """See ``Backend.answer``."""
        return iter([self._pool.direct(query, fmt, dataset)])

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        return rows(self._pool.direct(query, rdf.JSON))

    def close(self) -> None:
        """The pool is closed by whoever opened it."""


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
