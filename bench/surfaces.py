"""What is no query: documents and pages, what was asked before, the bare ASK, long exports."""

from __future__ import annotations

import http.client
import itertools
import statistics
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench import machine, wire
from bench.client import Client, text
from bench.results import OURS, Export, Peer
from bench.running import Running

FORMATS = ("html", "ttl", "jsonld", "rdf", "nt", "nq", "trig")
KINDS = ("cluster", "organisation", "project", "agreement", "event")
_CONNECTIONS = 8
_TABLE = "application/sparql-results+json"
_PAUSE = 0.02
_Request = Callable[[int], bytes]


def _things() -> Iterator[tuple[str, int]]:
    """Things of the graph without end: kinds in turns, each number once for each kind."""
    for number in itertools.count(1):
        for kind in KINDS:
            yield kind, number


def documents(servers: Mapping[str, Running], found: Mapping[str, Peer], rounds: int) -> None:
    """Documents that nobody asked for before, in each format; the peers' DESCRIBE beside.

    Every format is asked of things of its own, so that none is warm by another.
    """
    asked: dict[str, list[tuple[str, _Request]]] = {}
    for name, server in servers.items():
        if name == OURS:
            asked[name] = [(f"document {each}", _document(each, i, rounds))
                           for i, each in enumerate(FORMATS)]  # fmt: skip
        else:
            asked[name] = [("document ttl", _described(server, rounds))]
    _in_turns(servers, found, asked, rounds)


def _document(suffix: str, position: int, rounds: int) -> _Request:
    things = list(itertools.islice(_things(), (rounds + 1) * len(FORMATS)))
    mine = things[position :: len(FORMATS)]
    paths = [f"/doc/{kind}/{number}.{suffix}" for kind, number in mine]
    return lambda number: wire.get(paths[number], Accept="*/*")


def _described(server: Running, rounds: int) -> _Request:
    things = list(itertools.islice(_things(), (rounds + 1) * len(FORMATS)))[1 :: len(FORMATS)]
    queries = [text("document.rq", KIND=kind, N=number) for kind, number in things]
    return lambda number: wire.query(server.program.query, queries[number], "text/turtle")


def asked(servers: Mapping[str, Running], found: Mapping[str, Peer], rounds: int) -> None:
    """The bare ASK, never sent before: what a request costs each server at least."""
    _in_turns(servers, found, {each: [("ask", _asks(servers[each]))] for each in servers}, rounds)


def kept(server: Running, peer: Peer, rounds: int) -> None:
    """What ours answers as before, its cache being on: whole answers, and 304s."""
    requests = [(label, _always(same)) for label, same in _repeated(server).items()]
    _in_turns({OURS: server}, {OURS: peer}, {OURS: requests}, rounds)


def _always(request: bytes) -> _Request:
    return lambda _number: request


def _asks(server: Running, start: int = 0) -> _Request:
    return lambda number: wire.query(
        server.program.query, f"# {start + number}\n" + text("ask.rq", N=number), _TABLE
    )


def _repeated(server: Running) -> dict[str, bytes]:
    """Requests that are answered as before: by name, of pages, documents and queries."""
    query = f"{server.program.query}?{urllib.parse.urlencode({'query': text('ask.rq', N=7)})}"
    paths = {"page": "/doc/cluster/7.html", "document": "/doc/cluster/7.ttl", "query": query}
    client, found = Client(server.endpoint, 60), {}
    for label, path in paths.items():
        accept = _TABLE if label == "query" else "*/*"
        etag = client.get(path, {"Accept": accept}).etag
        found[f"cached {label}"] = wire.get(path, Accept=accept)
        found[f"304 {label}"] = wire.get(path, Accept=accept, If_None_Match=etag)
    client.close()
    return found


def _in_turns(
    servers: Mapping[str, Running], found: Mapping[str, Peer],
    asked: Mapping[str, Sequence[tuple[str, _Request]]], rounds: int,
) -> None:  # fmt: skip
    """Every server in each round; a first round warms up and does not count."""
    with machine.pinned(machine.CLIENT):
        links = {name: wire.Connection(servers[name].program.port) for name in asked}
        for number in range(rounds + 1):
            for name, requests in asked.items():
                for label, request in requests:
                    measured = found[name].doing(label)
                    if measured.failure:
                        continue
                    try:
                        status, seconds = links[name].ask(request(number))
                    except OSError as error:
                        measured.failure = f"{type(error).__name__}: {error}"[:120]
                        links[name] = wire.Connection(servers[name].program.port)
                        continue
                    if status != (304 if label.startswith("304") else 200):
                        measured.failure = f"answered {status}"
                    elif number:
                        measured.seconds.append(seconds)
                    else:
                        measured.cold.append(seconds)
        for each in links.values():
            each.close()


def rates(
    servers: Mapping[str, Running], found: Mapping[str, Peer], seconds: float, *, is_kept: bool
) -> None:
    """Answers a second from some connections, in turns, the median of three times.

    Args:
        servers: by name.
        found: what was measured, by name of server; filled.
        seconds: how long each is asked, together.
        is_kept: whether what is answered as before is asked for (of ours), or new ASKs.
    """
    wanted: dict[tuple[str, str], Iterator[bytes]] = {}
    for name, server in servers.items():
        if is_kept:
            for label, same in _repeated(server).items():
                wanted[name, label] = itertools.repeat(same)
        else:
            wanted[name, "ask"] = map(_asks(server, 1_000_000), itertools.count())
    came: dict[tuple[str, str], list[float]] = {key: [] for key in wanted}
    with machine.pinned(machine.CLIENT):
        for (name, label), requests in [*wanted.items()] * 3:
            port = servers[name].program.port
            try:
                came[name, label].append(wire.rate(port, requests, _CONNECTIONS, seconds / 3))
            except (OSError, ValueError) as error:
                found[name].doing(f"rate of {label}").failure = str(error)[:120]
    for (name, label), rates in came.items():
        if rates:
            found[name].rates[label] = statistics.median(rates)


def exports(server: Running, peer: Peer, triples: int, limit: float) -> None:
    """A tenth of everything, then everything: first byte, last byte, and what memory it takes."""
    client = Client(server.endpoint, limit)
    for label, query in (
        ("a tenth", text("export-part.rq", ROWS=triples // 10)),
        ("everything", text("export-all.rq")),
    ):
        before = server.memory()
        with _Highest(server.memory) as highest:
            try:
                answer = client.ask(query)
            except (OSError, http.client.HTTPException) as error:
                peer.doing(f"export of {label}").failure = f"{type(error).__name__}: {error}"[:120]
                client.close()
                return
        if answer.status != 200:
            peer.doing(f"export of {label}").failure = f"answered {answer.status}"
            return
        growth = max(0, highest.value - before)
        peer.exports[label] = Export(answer.first, answer.seconds, answer.size, growth)
    client.close()


class _Highest:
    """The highest value of something while a block runs, looked at again and again."""

    def __init__(self, look: Callable[[], int]) -> None:
        self._look, self._done = look, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.value = 0

    def _watch(self) -> None:
        while not self._done.is_set():
            began = time.monotonic()
            self.value = max(self.value, self._look())
            self._done.wait(max(_PAUSE, 4 * (time.monotonic() - began)))  # a fifth at most

    def __enter__(self) -> _Highest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
