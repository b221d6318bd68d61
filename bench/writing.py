"""Builds and guarded writes, with the inference of the ontology and ``bench/clusters.ttl``."""

from __future__ import annotations

import http.client
import itertools
import re
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench import machine, peers
from bench.client import Client, text
from bench.results import OURS, Measured, Peer
from bench.running import MissingError, Running, launched

SIZES = (1, 1000)
_SUBJECT = "<https://w3id.org/clustergraph/id/cluster/{}>"
_ALTERNATIVE = "<http://www.w3.org/2004/02/skos/core#altLabel>"
_TOKEN = re.compile(r"\bcg_\S+")


def built(data: Path, folder: Path, peer: Peer, limit: float) -> Running | None:
    """Build the graph twice, on one core: with inference, then with shapes also.

    The second is what is written to; none where it took too long.
    """
    server = None
    for label, is_checked in (("build", False), ("build, validated", True)):
        place = folder / label.replace(", ", "-")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        command = peers.project(data, place)
        shutil.copytree(peers.ROOT / "ontology/rules", place / "ontology/rules")
        shutil.copy(peers.ROOT / "ontology/clustergraph.ttl", place / "ontology")
        if is_checked:
            (place / "shapes").mkdir(exist_ok=True)
            shutil.copy(peers.HERE / "clusters.ttl", place / "shapes")
        measured = peer.doing(label)
        began = time.monotonic()
        try:
            with machine.pinned(machine.ONE):
                peers.run([*command, "build"], folder, peers.SETTINGS, limit=limit)
        except MissingError as error:
            measured.failure = str(error)[:200]
            return None
        except TimeoutError:
            measured.limit = limit
            return None
        measured.seconds.append(time.monotonic() - began)
        if is_checked:
            server = Running(OURS, peers.serving(command, place))
    return server


def token(server: Running) -> str:
    """A token with which all may be written."""
    command = server.program.command[: server.program.command.index("serve")]
    told = peers.run([*command, "token", "create", "bench", "--admin"], server.program.folder,
                     peers.SETTINGS)  # fmt: skip
    found = _TOKEN.search(told)
    if found is None:
        raise MissingError(f"gives no token: {told[:100]}")
    return found[0]


def write(servers: Mapping[str, Running], found: Mapping[str, Peer], rounds: int) -> None:
    """Updates of one triple and of a thousand, in turns; ours are guarded, those of peers are not.

    While ours writes, a reader asks on: its answers are counted, and the slowest hundredth told.

    Raises:
        MissingError: a server does not start.
    """
    for name, server in servers.items():
        headers = {}
        if name == OURS:
            headers["Authorization"] = f"Bearer {token(server)}"
        with launched(server), machine.pinned(machine.CLIENT):
            found[name].doing("reads beside no write").seconds += thinned(_reads(server, 2.0))
            _writes(server, found[name], rounds, headers)


def _writes(server: Running, peer: Peer, rounds: int, headers: dict[str, str]) -> None:
    client = Client(server.endpoint, 120)
    with _Reader(server) as reader:
        for number, size in itertools.product(range(rounds + 1), SIZES):
            measured = peer.doing(f"write {size:,}")
            if measured.failure:
                continue
            try:
                answer = client.update(server.program.update, _update(number, size), headers)
            except (OSError, http.client.HTTPException) as error:
                measured.failure = f"{type(error).__name__}: {error}"[:120]
                continue
            if answer.status not in (200, 204):
                measured.failure = f"answered {answer.status} {answer.body[:100]!r}"
            else:
                (measured.seconds if number else measured.cold).append(answer.seconds)
    reads = peer.doing("reads beside writes")
    reads.seconds += thinned(reader.times)
    if reader.failures:
        reads.failure = f"{reader.failures} of {reader.failures + len(reader.times)} not answered"
    client.close()


def _update(number: int, size: int) -> str:
    triples = "\n".join(
        f'{_SUBJECT.format(each)} {_ALTERNATIVE} "Name {number} of {size}"@en .'
        for each in _spread(size)
    )
    return text("insert.ru", TRIPLES=triples)


def _spread(size: int) -> Iterator[int]:
    """Numbers of clusters: there are more than twenty at any size, so names go round."""
    return iter(range(size))


def _reads(server: Running, seconds: float) -> list[float]:
    with _Reader(server) as reader:
        time.sleep(seconds)
    return reader.times


class _Reader:
    """Asks a light query again and again, a hundred times a second at most, while a block runs."""

    def __init__(self, server: Running) -> None:
        self._server, self._done = server, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.times: list[float] = []
        self.failures = 0

    def _run(self) -> None:
        client = Client(self._server.endpoint, 60)
        for number in itertools.count():
            if self._done.is_set():
                break
            try:
                answer = client.ask(f"# {id(self)}.{number}\n" + text("ask.rq", N=number % 20))
                good = answer.status == 200
            except (OSError, http.client.HTTPException):
                good = False
                client.close()
            if good:
                self.times.append(answer.seconds)
            else:
                self.failures += 1
            self._done.wait(0.01)
        client.close()

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def thinned(times: list[float]) -> list[float]:
    """At most 200 of them, evenly over their order: they have the same percentiles."""
    ordered, most = sorted(times), 200
    if len(ordered) <= most:
        return ordered
    return [ordered[round(each * (len(ordered) - 1) / (most - 1))] for each in range(most)]


def slowest(measured: Measured) -> float:
    """The 99th percentile of what was measured, in seconds; NaN of nothing."""
    if len(measured.seconds) < 2:
        return float("nan")
    return statistics.quantiles(measured.seconds, n=100, method="inclusive")[98]
