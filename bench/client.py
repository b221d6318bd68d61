"""What asks the servers: one connection kept open, times in seconds, answers made comparable."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pyoxigraph as ox

_NUMERIC = tuple(
    f"http://www.w3.org/2001/XMLSchema#{each}"
    for each in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger")
)
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
_KEPT = 256 << 20
_TEXTS = Path(__file__).resolve().parent / "texts"
_TABLE, _GRAPH = "application/sparql-results+json", "application/n-triples"


def text(name: str, **values: object) -> str:
    """A text of ``bench/texts``; ``$NAME`` in it stands for a value."""
    found = (_TEXTS / name).read_text(encoding="utf-8")
    for each, value in values.items():
        found = found.replace(f"${each}", str(value))
    return found


@dataclass(frozen=True)
class Answer:
    """What came of one request."""

    status: int
    body: bytes
    seconds: float
    """Until the last byte."""
    first: float
    """Until the first byte of the body."""
    size: int
    """Bytes of the body; of a very long one the beginning alone is kept."""
    etag: str


class Client:
    """One connection to an endpoint."""

    def __init__(self, endpoint: str, timeout: float) -> None:
        parts = urllib.parse.urlsplit(endpoint)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=timeout
        )

    def ask(self, query: str, accept: str = "") -> Answer:
        """Send a query by POST as a form, which all servers take.

        Raises:
            OSError, http.client.HTTPException: there was no answer.
        """
        accept = accept or (_GRAPH if is_graph(query) else _TABLE)
        body = urllib.parse.urlencode({"query": query}).encode()
        return self._send("POST", self._path, body, {
            "Accept": accept, "Content-Type": "application/x-www-form-urlencoded",
        })  # fmt: skip

    def update(self, path: str, update: str, headers: dict[str, str]) -> Answer:
        """Send an update.

        Raises:
            OSError, http.client.HTTPException: there was no answer.
        """
        headers = {"Content-Type": "application/sparql-update"} | headers
        return self._send("POST", path, update.encode(), headers)

    def get(self, path: str, headers: dict[str, str]) -> Answer:
        """Get a page.

        Raises:
            OSError, http.client.HTTPException: there was no answer.
        """
        return self._send("GET", path, None, headers)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        except ConnectionError:  # closed by a server that was not asked for long
            self._connection.close()
            began = time.perf_counter()
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        start = response.read(1)
        first = time.perf_counter() - began
        size, parts = 1, [start]
        while part := response.read(1 << 20):
            size += len(part)
            if size <= _KEPT:
                parts.append(part)
        etag = response.headers.get("ETag", "")
        seconds = time.perf_counter() - began
        return Answer(response.status, b"".join(parts), seconds, first, size, etag)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def is_graph(query: str) -> bool:
    """Whether a query gives a graph, not a table."""
    return "CONSTRUCT" in query or "DESCRIBE" in query


def canonical(query: str, body: bytes) -> tuple[object, ...]:
    """An answer in a form in which equal ones are equal, whoever wrote them.

    Without order: servers break ties of ``ORDER BY`` by different collations.

    Raises:
        ValueError, SyntaxError: it is no answer.
    """
    if is_graph(query):
        body = body.replace(b'+00:00"^^<' + _DATE_TIME.encode(), b'Z"^^<' + _DATE_TIME.encode())
        triples = ox.parse(body, format=ox.RdfFormat.TURTLE)
        return tuple(sorted({str(each.triple) for each in triples}))
    rows = json.loads(body)["results"]["bindings"]
    if "LIMIT 10000" in query:  # some rows of many: whichever they are
        return (len(rows),)
    return tuple(sorted(tuple(sorted((k, _term(v)) for k, v in row.items())) for row in rows))


def _term(term: dict[str, str]) -> str:
    value, kind = term["value"], term.get("datatype", "")
    if kind in _NUMERIC:
        try:
            value = str(Decimal(value).normalize())
        except InvalidOperation:
            return value
    if kind == _DATE_TIME:  # rdflib writes the other name of the same time zone
        value = value.replace("+00:00", "Z")
    return f"{term['type'].replace('typed-', '')} {value} {term.get('xml:lang', '')}"


def crowd(
    endpoint: str,
    clients: int,
    seconds: float,
    queries: Callable[[int], Iterator[str]],
    limit: float,
) -> tuple[float, Sequence[float], int]:
    """Several clients that each ask again as soon as they are answered.

    Args:
        endpoint: whom they ask.
        clients: how many they are.
        seconds: how long.
        queries: those of one client, without end.
        limit: seconds that an answer may take.

    Returns:
        Good answers a second, the time of each, how many were not good.
    """
    times: list[float] = []
    failures: list[int] = []
    end = time.monotonic() + seconds

    def run(number: int) -> None:
        client = Client(endpoint, limit)
        for query in queries(number):
            if time.monotonic() > end:
                break
            try:
                answer = client.ask(query)
            except (OSError, http.client.HTTPException):
                failures.append(0)
                client.close()
                continue
            if answer.status == 200:
                times.append(answer.seconds)
            else:
                failures.append(answer.status)
        client.close()

    threads = [threading.Thread(target=run, args=(each,)) for each in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.monotonic() - began), times, len(failures)
