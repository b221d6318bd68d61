"""The servers that are measured side by side: how each is installed, loaded and started.

Each runs as its users run it, on a port of this machine, over the same statements: the
named graphs, and a default graph that is the merge of them. Jena is not among them: its archives
are on none of the package indexes that the bench installs from.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.running import MissingError, Program, Running, free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_COMUNICA = "@comunica/query-sparql-file"
_VERSION = "import importlib.metadata as m; print(m.version('rdflib-endpoint'))"


@dataclass(frozen=True)
class Job:
    """What a peer is given."""

    data: Path
    """N-Quads, all in named graphs."""
    folder: Path
    """Its own, empty."""

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


def loaded(name: str, data: Path, folder: Path) -> Running:
    """A peer with its data loaded, not started yet.

    Raises:
        MissingError: it cannot be had on this machine, or cannot load.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = Job(data, folder)
    if name != "clustergraph":
        _ = job.merged  # made once, and not on the account of the first that needs it
    PROGRAMS[name]()
    began = time.monotonic()
    with machine.pinned(machine.SERVERS):
        program = PEERS[name](job)
    load = math.nan if program.loads_at_start else time.monotonic() - began
    return Running(name, program, load)


def environment(name: str) -> Path:
    """The folder of the programs of a set of requirements, installed at the first call.

    Args:
        name: of ``bench/requirements-{name}.txt``.

    Raises:
        MissingError: they cannot be installed.
    """
    folder = HERE / f".venv-{name}"
    if not (folder / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
        requirements = str(HERE / f"requirements-{name}.txt")
        run([*pip, "--disable-pip-version-check", "-r", requirements], HERE)
        (folder / ".installed").touch()
    return folder / "bin"


def run(
    command: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    limit: float | None = None,
) -> str:
    """What a program prints, which must succeed.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        variables: of its environment, beside ours.
        limit: seconds that it may take.

    Raises:
        MissingError: it fails.
        TimeoutError: it took longer.
    """
    words, settings = [str(each) for each in command], dict(os.environ) | dict(variables or {})
    try:
        done = subprocess.run(
            words, cwd=folder, env=settings, check=False, capture_output=True, text=True,
            timeout=limit,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{Path(command[0]).name}: more than {limit:g} s") from error
    if done.returncode:
        raise MissingError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout


# -- ours ------------------------------------------------------------------------------------------

OURS = "clustergraph"
SETTINGS = {
    "PYTHONPATH": str(ROOT / "src"),
    "CG_BASE": "https://w3id.org/clustergraph/",
    "CG_CACHE": "0",
    # All clients of the bench have one address: what is there to share between strangers is off.
    "CG_PER_CLIENT": "64",
    "CG_CLIENT_BUDGET": "1000000",
}


def project(data: Path, folder: Path) -> list[str | Path]:
    """A project of the data alone, without shapes; the command that works on it."""
    python = [sys.executable, "-m", "clustergraph"]
    run([*python, "init", "--bare", folder], HERE, SETTINGS)
    settings = folder / "clustergraph.toml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace('default-graph = "separate"', 'default-graph = "merge"')
    settings.write_text(text, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    os.link(data, folder / "data/graph.nq")
    return [*python, "--project", folder]


def serving(command: list[str | Path], folder: Path, **variables: str) -> Program:
    """How the built project that a command works on is served."""
    version = run([*command[:3], "--version"], HERE, SETTINGS).split()[-1]
    port = free_port()
    return Program(
        version, [*map(str, command), "serve", "--port", str(port)], folder, port, "/sparql",
        "/update", SETTINGS | variables,
    )  # fmt: skip


def _clustergraph(job: Job) -> Program:
    command = project(job.data, job.folder / "project")
    run([*command, "build"], job.folder, SETTINGS)
    return serving(command, job.folder)


# -- the others ------------------------------------------------------------------------------------


def _oxigraph(job: Job) -> Program:
    program, location = environment("oxigraph") / "oxigraph", job.folder / "store"
    run([program, "load", "--location", location, "--file", job.merged], job.folder)
    run([program, "optimize", "--location", location], job.folder)
    version, port = run([program, "--version"], job.folder).split()[-1], free_port()
    command = [str(program), "serve", "--location", str(location), "--bind", f"127.0.0.1:{port}"]
    return Program(version, command, job.folder, port, "/query", "/update")


def _rdflib(job: Job) -> Program:
    python = environment("rdflib") / "python"
    version, port = run([python, "-c", _VERSION], job.folder).strip(), free_port()
    command = [str(python), str(HERE / "rdflib_server.py"), str(job.data), str(port)]
    return Program(version, command, job.folder, port, "/", loads_at_start=True, is_forking=True)


def _has_virtuoso() -> None:
    if shutil.which("virtuoso-t") is None:
        raise MissingError("is not installed (Debian: apt-get install virtuoso-opensource)")


def _virtuoso(job: Job) -> Program:
    program, sql, port = shutil.which("virtuoso-t") or "", free_port(), free_port()
    template = (HERE / "virtuoso.ini").read_text(encoding="utf-8")
    text = template.replace("@FOLDER@", str(job.folder)).replace("@HTTP@", str(port))
    (job.folder / "virtuoso.ini").write_text(text.replace("@SQL@", str(sql)), encoding="utf-8")
    os.link(job.data, job.folder / "data.nq")
    command = [program, "+foreground", "+configfile", str(job.folder / "virtuoso.ini")]
    client = shutil.which("isql-vt") or shutil.which("isql-v") or "isql"
    isql = [client, f"localhost:{sql}", "dba", "dba"]
    with (job.folder / "load.log").open("wb") as out:
        server = subprocess.Popen(command, cwd=job.folder, stdout=out, stderr=out)
    try:
        began = time.monotonic()
        while subprocess.run(
            [*isql, "exec=status();"], capture_output=True, check=False
        ).returncode:
            if time.monotonic() - began > 120 or server.poll() is not None:
                raise MissingError("does not start")
            time.sleep(0.2)
        for statement in (
            f"ld_dir('{job.folder}', 'data.nq', 'urn:x-none');",
            "rdf_loader_run();",
            'GRANT EXECUTE ON DB.DBA.SPARQL_SELECT_KNOWN_GRAPHS TO "SPARQL";',
            "checkpoint;",
        ):
            run([*isql, f"exec={statement}"], job.folder)
        subprocess.run([*isql, "exec=shutdown;"], capture_output=True, check=False)
        server.wait(timeout=120)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = (version.stdout + version.stderr).split("Version", 1)[-1].split()
    return Program(words[0] if words else "", command, job.folder, port, "/sparql")


def _install_comunica() -> Path:
    npm, folder = shutil.which("npm"), HERE / ".comunica"
    if npm is None:
        raise MissingError("needs Node and npm")
    if not (folder / ".installed").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(HERE / "requirements-comunica.json", folder / "package.json")
        run([npm, "install", "--silent", "--no-audit", "--no-fund"], folder)
        (folder / ".installed").touch()
    return folder / "node_modules" / _COMUNICA


def _comunica(job: Job) -> Program:
    package, port = _install_comunica(), free_port()
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    command = [
        str(package.parents[1] / ".bin/comunica-sparql-file-http"), str(job.merged),
        "-p", str(port), "-t", "600", "-w", "1",
    ]  # fmt: skip
    return Program(
        version, command, job.folder, port, "/sparql",
        environment={"NODE_OPTIONS": "--max-old-space-size=8192"}, loads_at_start=True,
    )  # fmt: skip


PROGRAMS: dict[str, Callable[[], object]] = {
    OURS: lambda: None,
    "oxigraph": lambda: environment("oxigraph"),
    "virtuoso": _has_virtuoso,
    "rdflib-endpoint": lambda: environment("rdflib"),
    "comunica": _install_comunica,
}
"""What installs each; that is no part of the time that loading takes."""
PEERS: dict[str, Callable[[Job], Program]] = {
    OURS: _clustergraph,
    "oxigraph": _oxigraph,
    "virtuoso": _virtuoso,
    "rdflib-endpoint": _rdflib,
    "comunica": _comunica,
}
"""What loads each, and tells how it is started."""
