"""Bodies that are still on their way: capped, by client and together, until they are there."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from clustergraph.web.arriving import Arriving


def asked(body: bytes, address: str) -> WSGIEnvironment:
    """A request that a client sends a body with."""
    builder = EnvironBuilder("/sparql", method="POST", input_stream=io.BytesIO(body))
    environ = builder.get_environ()
    return environ | {"REMOTE_ADDR": address, "CONTENT_LENGTH": str(len(body))}


class App:
    """Reads so many bytes of a body, then waits until it may go on."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.reading = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with what was read."""
        content = environ["wsgi.input"].read(self.size)
        self.reading.release()
        assert self.go_on.wait(30)
        start_response("200 OK", [])
        return [content]


@pytest.fixture
def clients() -> Iterator[list[threading.Thread]]:
    """Threads of clients, awaited at the end."""
    threads: list[threading.Thread] = []
    yield threads
    for each in threads:
        each.join(30)


def begin(
    clients: list[threading.Thread], arriving: Arriving, app: App, addresses: Iterable[str]
) -> list[str]:
    """Let clients begin to send; gives their statuses, when there are some."""
    statuses: list[str] = []

    def send(address: str) -> None:
        statuses.append(run_wsgi_app(arriving, asked(b"0123456789", address))[1])

    for address in addresses:
        clients.append(threading.Thread(target=send, args=(address,)))
        clients[-1].start()
        assert app.reading.acquire(timeout=30)
    return statuses


def test_one_client_and_all_together_are_capped(clients: list[threading.Thread]) -> None:
    """While the bodies are read; those who send none pass; then there is room again."""
    app = App(5)
    arriving = Arriving(app, 8)
    statuses = begin(clients, arriving, app, ["192.0.2.1"] * 2)
    _body, status, headers = run_wsgi_app(arriving, asked(b"01234", "192.0.2.1"))
    assert status.startswith("503")
    assert headers["Retry-After"]
    others = begin(clients, arriving, app, [f"192.0.2.{n}" for n in range(2, 8)])
    assert run_wsgi_app(arriving, asked(b"01234", "192.0.2.9"))[1].startswith("503")
    app.go_on.set()
    assert run_wsgi_app(arriving, asked(b"", "192.0.2.9"))[1] == "200 OK"
    for each in clients:
        each.join(30)
    assert set(statuses + others) == {"200 OK"}
    for _ in range(20):  # none is left counted, read to its end or not
        assert run_wsgi_app(arriving, asked(b"0123456789", "192.0.2.1"))[1] == "200 OK"


def test_a_body_that_is_there_counts_no_longer(clients: list[threading.Thread]) -> None:
    """However long its answer takes."""
    app = App(10)
    arriving = Arriving(app, 1)
    statuses = begin(clients, arriving, app, [f"192.0.2.{n}" for n in range(5)])
    app.go_on.set()
    for each in clients:
        each.join(30)
    assert statuses == ["200 OK"] * 5


def test_this_machine_may_be_a_proxy(clients: list[threading.Thread]) -> None:
    """So it has no share, but for that of all."""
    app = App(5)
    arriving = Arriving(app, 8)
    begin(clients, arriving, app, ["127.0.0.1"] * 8)
    assert run_wsgi_app(arriving, asked(b"01234", "192.0.2.9"))[1].startswith("503")
    app.go_on.set()
