"""The pool: gives each query a worker, watches its time, kills it at the limit, keeps spares.

Which query may run, and where it goes on when it needs long, ``lanes`` says. A query that is held
is stopped (SIGSTOP); in the slow lane it runs with lower priority. A worker is used again unless it
kept much memory.

A query that took too much is remembered for a while: a release never changes, so it would again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
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
from clustergraph.process import frames, turns
from clustergraph.query.lanes import FAST, MIDDLE, SLOW, Lanes, Place
from clustergraph.query.limits import Limits
from clustergraph.query.remembered import Remembered, key_of
from clustergraph.query.start import Zygote
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, Whole, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_POLL = 0.03  # seconds between looks at a running query
_PRIORITY = {MIDDLE: 8, SLOW: 19}
_WHOLE = 1 << 20  # bytes up to which an answer that is there already is given as one
_OWN = 8  # workers that are kept for queries of our own
_KEPT = 1 / 8  # share of its memory that a worker may keep after a query, to be used again
_SHAPES = 1000  # whose cost is remembered
_GRACE = 5.0  # seconds in which a request that has this pool at hand may still begin


@dataclass(eq=False)
class _Worker:
    """One worker process and its connection."""

    connection: socket.socket
    pid: int
    frames: frames.Receiver
    size: int = 0
    """Pages of address space that it had at first."""
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

    def is_clean(self, memory: int) -> bool:
        """Whether it gave back what its last query took, of so many bytes that it may take."""
        return (_pages(self.pid) - self.size) * _PAGE <= memory * _KEPT

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
    shape: str = ""
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


def _pages(pid: int) -> int:
    """Pages of address space of a process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0])
    except (OSError, IndexError):
        return 0


class QueryPool:
    """A backend that answers in worker processes; one for each release."""

    def __init__(
        self, folder: Path, limits: Limits | None = None, *, zygote: Zygote | None = None
    ) -> None:
        """Start the zygote and wait until it holds the release.

        Args:
            folder: the release's store.
            limits: what queries may take.
            zygote: one that holds the release already; the pool ends it.

        Raises:
            StoreError: the release could not be loaded.
        """
        self.limits = limits or Limits()
        self.lanes = Lanes(self.limits)
        self.statistics = self.lanes.statistics
        self._changed = threading.Lock()
        self._idle: list[_Worker] = []
        self._slowed: list[_Worker] = []
        """Idle ones that cannot be made quick again: for queries that begin in a slower lane."""
        self._own: list[_Worker] = []
        self._running: set[_Run] = set()
        self._remembered = Remembered()
        self._costs: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Processor seconds of the last two queries of a shape."""
        self._closed = False
        self._restarting = threading.Lock()
        self._zygote = zygote or Zygote(folder, self.limits)
        self._spare = self._zygote.twin()
        self._idle += (self._spawn() for _ in range(self.limits.fast))

    def successor(self, folder: Path, deltas: Sequence[Path], *, merged: bool) -> QueryPool | None:
        """A pool of a later release, quickly: it shares with this one what stayed.

        Args:
            folder: the later release's store.
            deltas: the changes from this release to that one, in their order.
            merged: whether the default graph is the merge of the others.

        Returns:
            None if there can be none: the release is to be read from disk.
        """
        with self._restarting:
            zygote = self._zygote.successor(folder, deltas, merged=merged)
        return QueryPool(folder, self.limits, zygote=zygote) if zygote is not None else None

    def _spawn(self) -> _Worker:
        try:
            worker = self._connected()
        except (OSError, EOFError, StoreError):
            self._restart()
            try:
                worker = self._connected()
            except (OSError, EOFError) as error:
                raise StoreError("No query worker could be started.") from error
        self.statistics["workers_started"] += 1
        return worker

    def _connected(self) -> _Worker:
        connection = self._zygote.connect()
        try:
            received = frames.Receiver(connection)
            _kind, pid = received.receive()
            return _Worker(connection, int(pid), received, _pages(int(pid)))
        except BaseException:
            connection.close()
            raise

    def _restart(self) -> None:
        """Start the zygote again, if it was killed.

        Raises:
            StoreError: it cannot be started.
        """
        with self._restarting:
            if self._closed or self._zygote.is_alive():
                return
            self.statistics["zygotes_restarted"] += 1
            self._zygote.close()
            spare, self._spare = self._spare, None
            if spare is not None and not spare.is_alive():
                spare.close()
                spare = None
            self._zygote = spare or Zygote(self._zygote.folder, self.limits)
            self._spare = self._zygote.twin()

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
        key = key_of(query, dataset)
        again = self._remembered.find(key, limit)
        if again is not None:
            self.statistics["remembered"] += 1
            raise again
        place = self.lanes.enter(client, min(self._costs.get(query.shape, (0.0,))))
        run = _Run(place, key, limit, query.shape)
        with self._changed:
            self._running.add(run)
        chunks = self._chunks(run, query, fmt, dataset)
        found: list[bytes] = []
        while not found or (run.worker and run.worker.frames.is_ready() and run.sent < _WHOLE):
            chunk = next(chunks, None)
            if chunk is None:
                return Whole(b"".join(found))
            found.append(chunk)
        return _prepend(b"".join(found), chunks)

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
                while (received := worker.frames.receive())[0] == frames.DATA:
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
            worker, (kind, payload) = self._begun(run, _request(query, fmt, dataset))
            while True:
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
                kind, payload = self._receive(run, worker)
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

    def _begun(self, run: _Run, request: bytes) -> tuple[_Worker, tuple[bytes, bytes]]:
        """A worker that is at work on a query, and the first frame of its answer.

        One that dies at once was killed from outside, or had been dead: then a new one is tried.
        """
        worker = run.worker = self._take(run.place.lane)
        is_new = False
        while True:
            if run.place.lane != FAST:
                worker.slow_down(run.place.lane)
            try:
                worker.connection.settimeout(run.limit)  # not that of the last look: it may be long
                frames.send(worker.connection, frames.REQUEST, request)
                return worker, self._receive(run, worker)
            except TimeoutError as error:
                raise OverloadedError(
                    "No worker took up the query in time.", hint="Try again in a few seconds."
                ) from error
            except (BrokenPipeError, ConnectionResetError, EOFError):
                if is_new or run.cpu > self.limits.quick:
                    raise
                self.statistics["workers_died"] += 1
                worker.kill()
                worker, is_new = self._spawn(), True
                run.worker = worker

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
                return worker.frames.receive()
            except TimeoutError:
                pass  # time to look at it
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
            self._remembered.add(run.key, error, run.limit, self.limits.remembered)
        return error

    def _remember_cost(self, run: _Run) -> None:
        """Remember what a query took, for those of its shape."""
        if run.shape:
            last = self._costs.pop(run.shape, (0.0, 0.0))[1]
            self._costs[run.shape] = (last, run.cpu)
            while len(self._costs) > _SHAPES:
                self._costs.popitem(last=False)

    # -- workers -----------------------------------------------------------------------------

    def _take(self, lane: str) -> _Worker:
        """A worker for a query; one that has been at work, if there is any.

        The engine counts who uses a part of the graph, beside that part: the first query of a
        worker that comes by copies the page. So one that is new is slower by far.
        """
        with self._changed:
            if lane != FAST and self._slowed:
                return self._slowed.pop()
            if self._idle:
                return self._idle.pop()
        return self._spawn()

    def _leave(self, run: _Run, *, finished: bool) -> None:
        """Give the place and the worker back; a worker that is not idle is killed."""
        worker = run.worker
        if worker is not None and not finished:
            run.cpu = worker.cpu()
        lane = self.lanes.leave(run.place, run.cpu)
        kept: list[_Worker] | None = None
        if (
            finished
            and worker is not None
            and worker.served < self.limits.recycle
            and (lane in {FAST, MIDDLE} or worker.is_clean(self.limits.memory))
        ):
            quick = lane == FAST or worker.has_usual_priority()
            kept = self._idle if quick else self._slowed
        with self._changed:
            self._remember_cost(run)
            self._running.discard(run)
            reusable = kept is not None and not self._closed and len(kept) < self.limits.fast
            if reusable and worker is not None and kept is not None:
                worker.served += 1
                kept.append(worker)
        if worker is not None and not reusable:
            worker.kill()
        if worker is not None and not (reusable and kept is self._idle) and not self._closed:
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
                *self._slowed,
                *self._own,
                *(each.worker for each in self._running if each.worker),
            ]
            self._idle.clear()
            self._slowed.clear()
            self._own.clear()
        self.lanes.close()
        for worker in workers:
            worker.kill()
        with self._restarting:
            self._zygote.close()
            if self._spare is not None:
                self._spare.close()


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
        with turns.waiting():
            return iter([self._pool.direct(query, fmt, dataset)])

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        with turns.waiting():
            found = self._pool.direct(query, rdf.JSON)
        return rows(found)

    def close(self) -> None:
        """The pool is closed by whoever opened it."""


def _prepend(head: bytes, rest: Iterator[bytes]) -> Answer:
    yield head
    yield from rest
