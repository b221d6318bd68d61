"""A project of some size, and a server over it, as its users run it."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from clustergraph import scaffold

BASE = "http://127.0.0.1:8080/"
_START = 120.0
_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"


def project(folder: Path, things: int) -> Path:
    """A project without shapes that holds organisations and what links them; ten triples each.

    Args:
        folder: where it is written.
        things: how many organisations.
    """
    scaffold.init(folder, bare=True)
    chance = random.Random(things)
    lines = []
    for number in range(things):
        subject = f"<{BASE}id/organisation/{number}>"
        lines += [
            f"{subject} {_TYPE} <http://x/Organisation> .",
            f'{subject} {_LABEL} "Organisation {number}"@en .',
            f'{subject} {_LABEL} "Cluster {number}"@fr .',
            f'{subject} <http://x/founded> "{chance.randint(1950, 2020)}" .',
            f'{subject} <http://x/size> "{chance.randint(1, 5000)}" .',
            f"{subject} <http://x/place> <{BASE}id/place/{chance.randint(1, 300)}> .",
        ]
        lines += [
            f"{subject} <http://x/partner> <{BASE}id/organisation/{chance.randrange(things)}> ."
            for _ in range(4)
        ]
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data/organisations.nt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@dataclass
class Server:
    """A server that runs."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def status(self, path: str = "/health") -> int:
        """What a plain request is answered with; 0 if not at all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def wait(self) -> float:
        """Wait until it answers queries; gives the seconds that took."""
        started = time.monotonic()
        while self.status("/sparql?query=ASK%7B%7D") != 200:
            if self.process.poll() is not None or time.monotonic() - started > _START:
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return time.monotonic() - started

    def descendants(self) -> list[int]:
        """All processes that it started, itself first."""
        parents: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
                if fields[0] != "Z":
                    parents.setdefault(int(fields[1]), []).append(int(path.name))
        found, waiting = [], [self.process.pid]
        while waiting:
            found.append(waiting.pop())
            waiting += parents.get(found[-1], [])
        return found

    def memory(self) -> int:
        """Bytes that its processes hold together; what they share counts once."""
        total = 0
        for pid in self.descendants():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) << 10
        return total

    def token(self) -> str:
        """What a header says of one who may write everything."""
        made = subprocess.run(
            [sys.executable, "-m", "clustergraph", "--project", str(self.folder), "token",
             "create", "load", "--write", "*"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return f"Bearer {made.stdout.split()[0]}"

    def files(self) -> int:
        """Files that its processes have open."""
        total = 0
        for pid in self.descendants():
            with contextlib.suppress(OSError):
                total += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return total


def build(folder: Path, **settings: object) -> None:
    """Build the first release of a project, so that what follows starts from it.

    Args:
        folder: of the project.
        settings: as for ``served``.
    """
    subprocess.run(
        [sys.executable, "-m", "clustergraph", "--project", str(folder), "build"],
        check=True, capture_output=True, env=_environment(settings),
    )  # fmt: skip


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of a program under such settings."""
    return os.environ | {f"CG_{name.upper()}": str(each) for name, each in settings.items()}


@contextlib.contextmanager
def served(folder: Path, **settings: object) -> Iterator[Server]:
    """Build and serve a project until the block ends.

    Args:
        folder: of the project.
        settings: as in clustergraph.toml, by the names of their environment variables.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "clustergraph", "--project", str(folder), "serve",
             "--port", str(port)],
            env=_environment(settings), stdout=out, stderr=out,
        )  # fmt: skip
        try:
            server = Server(folder, port, process, log)
            server.wait()
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)
