"""kill -9 at random moments: of single commands, and of a server while clients write to it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults import injection, scenarios

from clustergraph import settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.scenarios import Operation

_START = 60.0


def kill_once(operation: Operation, base: Path, scratch: Path, moment: float) -> injection.Outcome:
    """Kill an operation a moment after its start, and look at what is left."""
    scenarios.copy(base, scratch)
    operation.prepare(scratch)
    before = scenarios.state(scratch)
    process = subprocess.Popen(
        operation.command(scratch), env=operation.environ(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    violations: list[str] = []
    acknowledged = process.returncode == 0
    after = injection.judge(
        operation, scratch, before, acknowledged=acknowledged, violations=violations
    )
    killed = process.returncode == -signal.SIGKILL
    return injection.Outcome(killed, acknowledged, after, tuple(violations))


@dataclass
class Served:
    """A server that clients write to, and what it acknowledged."""

    folder: Path
    token: str
    acknowledged: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    restarts: int = 0

    def run(self, rounds: int, *, clients: int, seed: int) -> None:
        """Start, let clients write, kill at a random moment; again and again.

        Args:
            rounds: how often the server is killed.
            clients: that write at once.
            seed: of the moments.
        """
        moments = random.Random(seed)  # noqa: S311  no secret
        for number in range(rounds):
            with self._serving() as (process, url):
                over = threading.Event()
                threads = [
                    threading.Thread(target=self._write, args=(url, f"{number}-{each}", over))
                    for each in range(clients)
                ]
                for thread in threads:
                    thread.start()
                time.sleep(moments.uniform(0.3, 2.5))
                if number % 2:
                    _kill_writer(process.pid)
                    time.sleep(0.5)
                os.killpg(process.pid, signal.SIGKILL)
                over.set()
                for thread in threads:
                    thread.join()
            self._check()

    @contextlib.contextmanager
    def _serving(self):  # type: ignore[no-untyped-def]  # a fixture of this class alone
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable, "-m", "clustergraph", "--project", str(self.folder), "serve",
            "--port", str(port),
        ]  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                deadline = time.monotonic() + _START
                while not _answers(url):
                    if time.monotonic() > deadline or process.poll() is not None:
                        self.violations.append("the server did not start again")
                        break
                    time.sleep(0.05)
                self.restarts += 1
                yield process, url
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _write(self, url: str, name: str, over: threading.Event) -> None:
        graph = scenarios.opened(self.folder)
        number = 0
        while not over.is_set():
            number += 1
            thing = f"id/x/{name}-{number}"
            body = urllib.parse.urlencode({"update": scenarios.insert(graph, thing, thing)})
            request = urllib.request.Request(  # noqa: S310  our own server
                f"{url}/update",
                data=body.encode(),
                headers={"Authorization": f"Bearer {self.token}"},
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                    if response.status == 200:
                        self.acknowledged.add(graph.settings.iri(thing))
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)

    def _check(self) -> None:
        """Everything acknowledged is there, and everything there is whole."""
        graph = scenarios.opened(self.folder)
        there = {row["s"].value for row in graph.select("SELECT ?s { ?s ?p ?o }")}
        lost = self.acknowledged - there
        self.violations += (f"acknowledged, but lost: {each}" for each in sorted(lost))
        self.violations += scenarios.problems(self.folder)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=2):  # noqa: S310  our own server
            return True
    except (urllib.error.URLError, OSError):
        return False


def _kill_writer(parent: int) -> None:
    """Kill the writer process of a server, wherever it is below it."""
    done = subprocess.run(
        ["pgrep", "-s", str(parent), "-f", "clustergraph.writing.writer"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for pid in done.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def served(folder: Path) -> Served:
    """A project with a token, ready to be served and killed."""
    scenarios.start(folder)
    graph = scenarios.opened(folder)
    _token, text = graph.tokens.create("test", admin=True)
    settings.load(folder, environment={})
    return Served(folder, text)
