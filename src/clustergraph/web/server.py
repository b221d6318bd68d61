"""Serving: granian in front of the application, in one worker process."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from clustergraph import settings as settings_module
from clustergraph.errors import ClusterGraphError, UsageError
from clustergraph.process import sandbox
from clustergraph.service import ClusterGraph

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from clustergraph.settings import Settings

_CONNECTIONS = 4096
"""Connections that are open at once; others wait to be accepted."""
_DUMPS = 60.0
"""Seconds between two looks whether there is a release to be written as dumps."""
_TURN = 0.0005
"""Seconds that a thread may keep the interpreter while others wait: a query that passes from
socket to socket must not wait at each of them until a page is drawn."""
_GARBAGE = (20_000, 20, 20)
"""When garbage is looked for: a page makes thousands of objects, and hardly a cycle."""
_SPARE_THREADS = 48
"""Threads beyond the caps: for those that wait a moment, and to say that the server is busy."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve the current release until a signal ends it.

    Args:
        settings: of the project.
        announce: called with the address once the server answers there.

    Raises:
        UsageError: the address is in use or not ours.
    """
    _check_free(settings.host, settings.port)
    os.environ |= settings_module.to_environment(settings)
    # A forked worker would inherit the engine without its threads, and wait for them for ever.
    multiprocessing.set_start_method("spawn", force=True)
    threads = settings.in_flight + settings.queries_in_flight + settings.downloads_in_flight
    threads += _SPARE_THREADS
    server = Granian(
        "clustergraph.web.server:application",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
        websockets=False,
        backpressure=_CONNECTIONS,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    threading.Thread(target=_when_ready, args=(address, announce), daemon=True).start()
    server.serve()


def application() -> WSGIApplication:
    """The application of a worker process, by the settings in its environment."""
    if multiprocessing.parent_process() is not None:  # else it may be a shell, which we outlive
        sandbox.die_with_parent()
    sys.setswitchinterval(_TURN)
    settings = settings_module.load()
    graph = ClusterGraph(settings, public=True)
    threading.Thread(target=_opened, args=(graph,), name="open").start()
    from clustergraph.web.front import front  # noqa: PLC0415  meanwhile
    from clustergraph.web.prepared import keep_prepared  # noqa: PLC0415

    graph.release()
    threading.Thread(target=_write_dumps, args=(graph,), name="dumps", daemon=True).start()
    threading.Thread(target=keep_prepared, args=(graph,), name="prepare", daemon=True).start()
    made = front(graph, log=sys.stderr if settings.log else None)
    gc.collect()
    gc.freeze()  # what lives as long as the process is not looked at again and again
    gc.set_threshold(*_GARBAGE)
    return made


def _opened(graph: ClusterGraph) -> None:
    """Open the current release; who asks for it next is told why it cannot be."""
    with contextlib.suppress(ClusterGraphError):
        graph.release()


def _write_dumps(graph: ClusterGraph) -> None:
    """See to it, as long as the process lives, that the current release is there as files."""
    while True:
        time.sleep(_DUMPS)  # who asks before, is served before
        with contextlib.suppress(ClusterGraphError, OSError):  # tried again
            graph.dumps.wish()


def _check_free(host: str, port: int) -> None:
    """Granian shares a port with whoever shares it too; we want it for ourselves.

    Raises:
        UsageError: it is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be listened on: {error.strerror}.",
                hint="Choose another port, for example: --port 8081 (or make serve PORT=8081)",
            ) from error


def _when_ready(address: str, announce: Callable[[str], None]) -> None:
    """Announce the address when it answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310  ours
                announce(address)
                return
        except (urllib.error.URLError, OSError):
            threading.Event().wait(0.1)
