"""Real engines, each started on a free port with a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_START = 180.0
_SMALL, _LARGE = 10_000, 170_000  # buffers of 8 KiB


@dataclass
class Server:
    """An engine that runs."""

    name: str
    query: str
    process: subprocess.Popen[bytes]
    settings: dict[str, object] = field(default_factory=dict)
    """The settings, beside the address, with which a project uses it."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_there(name: str) -> bool:
    """Whether an engine is installed on this machine."""
    return (name == "virtuoso" and shutil.which("virtuoso-t") is not None) or (
        name == "oxigraph" and _oxigraph_program().is_file()
    )


@contextlib.contextmanager
def running(name: str, folder: Path, *, large: bool = False) -> Iterator[Server]:
    """An engine, until the block ends.

    Args:
        name: "oxigraph" or "virtuoso".
        folder: its own.
        large: with as much memory as a graph of some millions wants.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = (
        _oxigraph(folder) if name == "oxigraph" else _virtuoso(folder, _LARGE if large else _SMALL)
    )
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def _oxigraph_program() -> Path:
    return Path(sys.executable).parent / "oxigraph"


def _oxigraph(folder: Path) -> Server:
    port = free_port()
    process = _started(
        [str(_oxigraph_program()), "serve", "--location", str(folder / "store"),
         "--bind", f"127.0.0.1:{port}"], folder,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}/query"
    _wait(address, process, folder)
    return Server("oxigraph", address, process)


def _virtuoso(folder: Path, buffers: int) -> Server:
    port, sql = free_port(), free_port()
    text = (_HERE / "virtuoso.ini").read_text(encoding="utf-8")
    values = {"FOLDER": folder, "HTTP": port, "SQL": sql, "BUFFERS": buffers}
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    (folder / "virtuoso.ini").write_text(text, encoding="utf-8")
    program = shutil.which("virtuoso-t") or "virtuoso-t"
    process = _started(
        [program, "+foreground", "+configfile", str(folder / "virtuoso.ini")], folder
    )
    address = f"http://127.0.0.1:{port}/sparql"
    _wait(address, process, folder)
    settings = {
        "store_update": f"http://127.0.0.1:{port}/sparql-auth",
        "store_graphs": f"http://127.0.0.1:{port}/sparql-graph-crud-auth",
        "store_user": "dba",
        "store_password": "dba",
        "store_auth": "digest",
    }
    return Server("virtuoso", address, process, settings)


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "server.log").open("wb") as out:
        return subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)


def _wait(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            request = urllib.request.Request(
                f"{address}?query=ASK%20%7B%7D",
                headers={"Accept": "application/sparql-results+json"},
            )
            with urllib.request.urlopen(request, timeout=5):
                return
        time.sleep(0.05)
    process.kill()
    log = (folder / "server.log").read_text(errors="replace")[-500:]
    raise RuntimeError(f"{address} does not start: {log}")
