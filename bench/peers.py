"""The servers that are measured side by side: how each is installed, loaded and started.

Each runs as its users run it, on a port of this machine, over the same statements: the
named graphs, and a default graph that is the merge of them.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Client

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_START = 1800.0
_VERSION = "import importlib.metadata as m; print(m.version('rdflib-endpoint'))"


class MissingError(Exception):
    """A peer cannot be had on this machine."""


@dataclass
class Running:
    """A server that answers queries."""

    name: str
    version: str
    endpoint: str
    process: subprocess.Popen[bytes]
    load: float
    """Seconds that loading took, as far as it is apart from the start."""
    start: float
    """Seconds from the start of the process to the first answer."""

    def memory(self) -> int:
        """Bytes that its processes hold together; what they share counts once."""
        total = 0
        for pid in _descendants(self.process.pid):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) << 10
        return total


@dataclass
class Job:
    """What a peer is given."""

    data: Path
    """N-Quads, all in named graphs."""
    folder: Path
    """Its own, empty."""
    port: int = 0
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def merged(self) -> Path:
        """The same with a default graph that is the merge of the named ones."""
        path = self.data.with_suffix(".merged.nq")
        if not path.exists():
            seen: set[str] = set()
            with self.data.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as out:
                for line in lines:
                    out.write(line)
                    triple = line[: line.rindex(" <")]
                    if triple not in seen:
                        seen.add(triple)
                        out.write(f"{triple} .\n")
        return path


@contextlib.contextmanager
def running(name: str, data: Path, folder: Path) -> Iterator[Running]:
    """Load and start a peer, until the block ends.

    Raises:
        MissingError: it cannot be had on this machine, or does not start.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        job = Job(data, folder, int(probe.getsockname()[1]))
    began = time.monotonic()
    version, command, path = PEERS[name](job)
    loaded = time.monotonic()
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=folder, env=job.environment, start_new_session=True
        )
    try:
        endpoint = f"http://127.0.0.1:{job.port}{path}"
        start = _wait(endpoint, process, log)
        yield Running(name, version, endpoint, process, loaded - began, start)
    finally:
        for pid in reversed(_descendants(process.pid)):
            with contextlib.suppress(OSError):
                os.kill(pid, 15)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> float:
    began = time.monotonic()
    query = "SELECT * { ?s ?p ?o } LIMIT 1"
    while time.monotonic() - began < _START and process.poll() is None:
        client = Client(endpoint, 60)
        with contextlib.suppress(OSError, http.client.HTTPException):
            if b'"s"' in client.ask(query).body:
                return time.monotonic() - began
        client.close()
        time.sleep(0.02)
    raise MissingError(f"does not start: {log.read_text(errors='replace')[-500:]}")


def _descendants(pid: int) -> list[int]:
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


def environment(name: str) -> Path:
    """The folder of the programs of a set of requirements, installed at the first call.

    Args:
        name: of ``bench/requirements-{name}.txt``.
    """
    folder = HERE / f".venv-{name}"
    if not (folder / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
        requirements = str(HERE / f"requirements-{name}.txt")
        done = subprocess.run(
            [*pip, "--disable-pip-version-check", "-r", requirements],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise MissingError(f"cannot be installed: {done.stderr.strip()[-300:]}")
        (folder / ".installed").touch()
    return folder / "bin"


def _run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(
        [str(each) for each in command], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise MissingError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout


def _clustergraph(job: Job) -> tuple[str, list[str], str]:
    python = sys.executable
    project = job.folder / "project"
    job.environment |= {
        "PYTHONPATH": str(ROOT / "src"), "CG_BASE": "https://w3id.org/clustergraph/",
        "CG_CACHE": "0",
    }  # fmt: skip
    _run([python, "-m", "clustergraph", "init", "--bare", project], job.folder)
    text = (project / "clustergraph.toml").read_text(encoding="utf-8")
    text = text.replace('default-graph = "separate"', 'default-graph = "merge"')
    (project / "clustergraph.toml").write_text(text, encoding="utf-8")
    (project / "data").mkdir(exist_ok=True)
    os.link(job.data, project / "data/graph.nq")
    command = [python, "-m", "clustergraph", "--project", str(project)]
    subprocess.run([*command, "build"], env=job.environment, check=True, capture_output=True)
    version = _run([python, "-m", "clustergraph", "--version"], ROOT / "src").split()[-1]
    return version, [*command, "serve", "--port", str(job.port)], "/sparql"


def _oxigraph(job: Job) -> tuple[str, list[str], str]:
    program = str(environment("oxigraph") / "oxigraph")
    location = job.folder / "store"
    _run([program, "load", "--location", location, "--file", job.merged], job.folder)
    _run([program, "optimize", "--location", location], job.folder)
    version = _run([program, "--version"], job.folder).split()[-1]
    return (
        version,
        [
            program,
            "serve-read-only",
            "--location",
            str(location),
            "--bind",
            f"127.0.0.1:{job.port}",
        ],
        "/query",
    )


def _rdflib(job: Job) -> tuple[str, list[str], str]:
    folder = environment("rdflib")
    version = _run(
        [folder / "python", "-c", _VERSION],
        job.folder,
    ).strip()  # fmt: skip
    command = [str(folder / "python"), str(HERE / "rdflib_server.py"), str(job.data), str(job.port)]
    return version, command, "/"


def _virtuoso(job: Job) -> tuple[str, list[str], str]:
    program = shutil.which("virtuoso-t")
    if program is None:
        raise MissingError("is not installed (Debian: apt-get install virtuoso-opensource)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        sql = int(probe.getsockname()[1])
    template = (HERE / "virtuoso.ini").read_text(encoding="utf-8")
    text = template.replace("@FOLDER@", str(job.folder)).replace("@HTTP@", str(job.port))
    (job.folder / "virtuoso.ini").write_text(text.replace("@SQL@", str(sql)), encoding="utf-8")
    os.link(job.data, job.folder / "data.nq")
    command = [program, "+foreground", "+configfile", str(job.folder / "virtuoso.ini")]
    client = shutil.which("isql-vt") or shutil.which("isql-v") or "isql"
    with (job.folder / "load.log").open("wb") as out:
        server = subprocess.Popen(command, cwd=job.folder, stdout=out, stderr=out)
    isql = [client, f"localhost:{sql}", "dba", "dba"]
    try:
        began = time.monotonic()
        while subprocess.run(
            [*isql, "exec=status();"], capture_output=True, check=False
        ).returncode:
            if time.monotonic() - began > 60 or server.poll() is not None:
                raise MissingError("does not start")
            time.sleep(0.2)
        for statement in (
            f"ld_dir('{job.folder}', 'data.nq', 'urn:x-none');",
            "rdf_loader_run();",
            'GRANT EXECUTE ON DB.DBA.SPARQL_SELECT_KNOWN_GRAPHS TO "SPARQL";',
            "checkpoint;",
        ):
            subprocess.run([*isql, f"exec={statement}"], capture_output=True, check=False)
        subprocess.run([*isql, "exec=shutdown;"], capture_output=True, check=False)
        server.wait(timeout=120)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = (version.stdout + version.stderr).split("Version", 1)[-1].split()
    return words[0] if words else "", command, "/sparql"


def _comunica(job: Job) -> tuple[str, list[str], str]:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("needs Node and npm")
    folder = HERE / ".comunica"
    package = folder / "node_modules/@comunica/query-sparql-file"
    if not package.exists():
        folder.mkdir(exist_ok=True)
        _run(
            [npm, "install", "--silent", "--prefix", folder, "@comunica/query-sparql-file@5"],
            folder,
        )
    version = (package / "package.json").read_text(encoding="utf-8").split('"version": "', 1)[1]
    program = str(folder / "node_modules/.bin/comunica-sparql-file-http")
    job.environment["NODE_OPTIONS"] = "--max-old-space-size=8192"
    command = [program, str(job.merged), "-p", str(job.port), "-t", "600", "-w", "1"]
    return version.split('"', 1)[0], command, "/sparql"


PEERS: dict[str, Callable[[Job], tuple[str, list[str], str]]] = {
    "clustergraph": _clustergraph,
    "oxigraph": _oxigraph,
    "virtuoso": _virtuoso,
    "rdflib-endpoint": _rdflib,
    "comunica": _comunica,
}
