"""A server under measurement: started, asked until it answers, weighed, stopped, started again."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine
from bench.client import Client, text

_START = 1800.0
_GRACE = 30.0
_DRAIN, _LOOK = 15.0, 0.4
_IDLE = 0.02
"""The share of a core below which a server has nothing to do."""


class MissingError(Exception):
    """A peer cannot be had on this machine."""


@dataclass
class Program:
    """How a server is started, its data being loaded already."""

    version: str
    command: list[str]
    folder: Path
    port: int
    query: str
    """Path of its SPARQL endpoint."""
    update: str = ""
    """Path at which it takes updates; empty: it takes none."""
    environment: dict[str, str] = field(default_factory=dict)
    loads_at_start: bool = False
    """Whether it reads the data at each start."""
    is_forking: bool = False
    """Whether it forks its server anew, the data at hand, when that is killed."""


class Running:
    """A server that answers queries."""

    def __init__(self, name: str, program: Program, load: float = 0.0) -> None:
        self.name = name
        self.program = program
        self.load = load
        """Seconds that loading took; NaN where the start includes it."""
        self.start = 0.0
        """Seconds from the start of the process to the first answer."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it takes queries."""
        return f"http://127.0.0.1:{self.program.port}{self.program.query}"

    def launch(self) -> None:
        """Start it on the cores of servers, and wait for its first answer.

        Raises:
            MissingError: it ended, or gave no answer in half an hour.
        """
        log = self.program.folder / "server.log"
        began = time.monotonic()
        with log.open("wb") as out, machine.pinned(machine.SERVERS):
            self._process = subprocess.Popen(
                self.program.command, stdout=out, stderr=out, cwd=self.program.folder,
                env=dict(os.environ) | self.program.environment, start_new_session=True,
            )  # fmt: skip
        self._wait(log)
        self.start = time.monotonic() - began

    def _wait(self, log: Path) -> None:
        began = time.monotonic()
        assert self._process is not None  # noqa: S101  for the type checker
        while time.monotonic() - began < _START and self._process.poll() is None:
            client = Client(self.endpoint, 600)
            with contextlib.suppress(OSError, http.client.HTTPException):
                if b'"s"' in client.ask(text("first.rq")).body:
                    return
            client.close()
            time.sleep(0.02)
        self.stop()
        raise MissingError(f"does not start: {log.read_text(errors='replace')[-500:]}")

    def stop(self) -> None:
        """End it and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        family = descendants(process.pid)
        process.terminate()
        try:
            process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in family:  # what it left behind; its session is its own
            with contextlib.suppress(OSError):
                if os.getsid(pid) == process.pid:
                    os.kill(pid, 9)

    def relieve(self) -> None:
        """Make it forget a question on which it works still, though nobody waits for the answer.

        Raises:
            MissingError: it does not start again.
        """
        if self.program.is_forking and self._process is not None:
            for pid in descendants(self._process.pid)[1:]:
                with contextlib.suppress(OSError):
                    os.kill(pid, 9)
            self._wait(self.program.folder / "server.log")
            return
        if self.program.loads_at_start and self._is_idle_soon():
            return
        start = self.start
        self.stop()
        self.launch()
        self.start = start  # the files are in memory now: not what the start took

    def _is_idle_soon(self) -> bool:
        """Whether it comes to its end by itself, sooner than it would have started again."""
        end = time.monotonic() + _DRAIN
        while self._process is not None and time.monotonic() < end:
            before = _processor_time(self._process.pid)
            time.sleep(_LOOK)
            if _processor_time(self._process.pid) - before < _IDLE * _LOOK:
                return True
        return False

    def memory(self) -> int:
        """Bytes that its processes hold together; what they share counts once."""
        if self._process is None:
            return 0
        return sum(map(_share, descendants(self._process.pid)))


@contextlib.contextmanager
def launched(server: Running) -> Iterator[Running]:
    """Start a server until the block ends.

    Raises:
        MissingError: it does not start.
    """
    server.launch()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _share(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


def _processor_time(pid: int) -> float:
    """Seconds that a process and all below it have worked."""
    ticks = 0
    for each in descendants(pid):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """A process and all below it, parents first."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            parents.setdefault(int(fields[1]), []).append(int(path.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found
