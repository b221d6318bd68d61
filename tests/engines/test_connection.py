"""How an engine is reached: who we are, what is sent again, what is told of refusals."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import flask
import pytest

from clustergraph import rdf, settings, sparql, store
from clustergraph.errors import (
    EngineError,
    MemoryLimitError,
    OverloadedError,
    QueryError,
    SettingsError,
    StoreError,
    TimeLimitError,
)
from clustergraph.store.connection import Access
from clustergraph.store.refusals import refusal
from clustergraph.store.remote import RemoteStore
from clustergraph.web import errors as web_errors

_YES = b'{"head":{},"boolean":true}'
_ASK = "ASK { ?s ?p ?o }"
_SECRET = "open sesame"  # noqa: S105  of a test


@dataclass
class Proxy:
    """A server that answers as it is told, and remembers what came."""

    address: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    behave: Callable[[int, Any], bool] = lambda _number, _handler: False
    """Called with the number of the request; whether it has answered."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A server that behaves as a test wants."""
    made = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            made.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.requests.append((self.path, dict(self.headers), body))
            if not made.behave(len(made.requests), self):
                reply(self, 200, _YES)

        do_GET = do_PUT = do_DELETE = do_POST

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.address = f"http://127.0.0.1:{server.server_address[1]}/sparql"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine that no authority knows, and its key."""
    program = shutil.which("openssl")
    assert program, "openssl is missing; on Debian: apt-get install openssl"
    folder = tmp_path_factory.mktemp("certificate")
    key, made = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
         "-out", made, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[str]:
    """The address of a server that says yes, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply(self, 200, _YES)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/sparql"
    server.shutdown()
    server.server_close()


def test_a_certificate_of_an_authority_that_is_named(
    secure: str, certificate: tuple[Path, Path]
) -> None:
    """``store.ca-file``; the connection is used again."""
    remote = RemoteStore(Access(query=secure, ca_file=str(certificate[0])))
    with contextlib.closing(remote):
        assert store.ask(remote, _ASK)
        assert store.ask(remote, _ASK)


def test_a_certificate_that_nobody_vouches_for(secure: str) -> None:
    """Nothing is sent; the message names the setting."""
    remote = RemoteStore(Access(query=secure))
    with contextlib.closing(remote), pytest.raises(StoreError) as caught:
        store.ask(remote, _ASK)
    assert "not trusted" in caught.value.message
    assert "store.ca-file" in caught.value.hint


def test_a_certificate_for_somebody_else(secure: str, certificate: tuple[Path, Path]) -> None:
    """A name that the certificate does not hold is refused, though its authority is known."""
    address = secure.replace("127.0.0.1", "localhost")
    remote = RemoteStore(Access(query=address, ca_file=str(certificate[0])))
    with contextlib.closing(remote), pytest.raises(StoreError, match="not trusted"):
        store.ask(remote, _ASK)


def test_certificates_need_not_be_checked(secure: str) -> None:
    """``store.verify = false``."""
    remote = RemoteStore(Access(query=secure, verify=False))
    with contextlib.closing(remote):
        assert store.ask(remote, _ASK)


def test_a_file_of_certificates_that_is_none(secure: str, tmp_path: Path) -> None:
    """It is named."""
    path = tmp_path / "none.pem"
    path.write_text("nothing")
    for named in (path, tmp_path / "missing.pem"):
        remote = RemoteStore(Access(query=secure, ca_file=str(named)))
        with contextlib.closing(remote), pytest.raises(SettingsError, match="ca-file"):
            store.ask(remote, _ASK)


def reply(handler: Any, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request."""
    handler.send_response(status)
    handler.send_header("Content-Type", headers.pop("type", "application/sparql-results+json"))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextlib.contextmanager
def reached(proxy: Proxy, **options: Any) -> Iterator[RemoteStore]:
    """A store behind the proxy, until the block ends."""
    remote = RemoteStore(Access(query=proxy.address, **options))
    yield remote
    remote.close()


def test_connections_are_used_again(proxy: Proxy) -> None:
    """Connections are used again."""
    with reached(proxy) as remote:
        assert all(store.ask(remote, _ASK) for _ in range(5))
    assert proxy.connections == 1


def test_basic_and_bearer(proxy: Proxy) -> None:
    """Basic and bearer."""
    with reached(proxy, user="me", password=_SECRET) as remote:
        store.ask(remote, _ASK)
    expected = base64.b64encode(f"me:{_SECRET}".encode()).decode()
    assert proxy.requests[-1][1]["Authorization"] == f"Basic {expected}"
    with reached(proxy, token=_SECRET) as remote:
        store.ask(remote, _ASK)
    assert proxy.requests[-1][1]["Authorization"] == f"Bearer {_SECRET}"


def test_digest(proxy: Proxy) -> None:
    """Digest."""

    def behave(_number: int, handler: Any) -> bool:
        given = handler.headers.get("Authorization", "")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given.removeprefix("Digest ")))
        if not fields:
            challenge = 'Digest realm="here", nonce="once", qop="auth", algorithm=MD5'
            reply(handler, 401, WWW_Authenticate=challenge)
            return True
        first = _md5(f"me:here:{_SECRET}")
        second = _md5(f"{handler.command}:{fields['uri']}")
        proof = _md5(f"{first}:once:{fields['nc']}:{fields['cnonce']}:auth:{second}")
        assert fields["response"] == proof
        return False

    proxy.behave = behave
    with reached(proxy, user="me", password=_SECRET, scheme="digest") as remote:
        assert store.ask(remote, _ASK)
        assert store.ask(remote, _ASK)
        remote.update("INSERT DATA {}")
    assert len(proxy.requests) == 4  # the first one twice


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324  as RFC 7616 has it


def test_no_message_holds_a_secret(proxy: Proxy) -> None:
    """No message holds a secret."""

    def behave(_number: int, handler: Any) -> bool:
        reply(handler, 403, f"no entry with {_SECRET} for you".encode(), type="text/plain")
        return True

    proxy.behave = behave
    with reached(proxy, user="me", password=_SECRET) as remote:
        with pytest.raises(StoreError) as caught:
            store.ask(remote, _ASK)
        assert _SECRET not in str(caught.value)
        assert "CG_STORE_PASSWORD" in str(caught.value)
        assert _SECRET not in repr(remote.access)


def test_questions_are_sent_again_and_updates_are_not(proxy: Proxy) -> None:
    """Questions are sent again and updates are not."""

    def behave(number: int, handler: Any) -> bool:
        if number in {1, 3}:
            handler.connection.close()
            handler.close_connection = True
            return True
        return False

    proxy.behave = behave
    with reached(proxy) as remote:
        assert store.ask(remote, _ASK)
        assert len(proxy.requests) == 2
        with pytest.raises(StoreError, match="no answer"):
            remote.update("INSERT DATA {}")
        assert len(proxy.requests) == 3


def test_a_busy_engine_is_asked_again_but_not_written_to_again(proxy: Proxy) -> None:
    """A busy engine is asked again but not written to again."""

    def behave(number: int, handler: Any) -> bool:
        if number in {1, 3}:
            reply(handler, 503, b"busy", Retry_After="0", type="text/plain")
            return True
        return False

    proxy.behave = behave
    with reached(proxy) as remote:
        assert store.ask(remote, _ASK)
        with pytest.raises(OverloadedError):
            remote.update("INSERT DATA {}")
    assert len(proxy.requests) == 3


def test_an_engine_that_is_silent_is_given_up(proxy: Proxy) -> None:
    """An engine that is silent is given up."""

    def behave(_number: int, _handler: Any) -> bool:
        time.sleep(3)
        return False

    proxy.behave = behave
    with reached(proxy) as remote, pytest.raises(TimeLimitError):
        list(remote.answer(sparql.parse(_ASK), rdf.JSON, seconds=0.3))
    assert len(proxy.requests) == 1


def test_an_answer_that_breaks_off_is_no_answer(proxy: Proxy) -> None:
    """An answer that breaks off is no answer."""

    def behave(_number: int, handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"s\n1\n")
        handler.close_connection = True
        return True

    proxy.behave = behave
    with reached(proxy) as remote, pytest.raises(StoreError, match="broke off"):
        list(remote.answer(sparql.parse("SELECT ?s { ?s ?p ?o }"), rdf.CSV))


def test_a_page_is_no_answer(proxy: Proxy) -> None:
    """A page is no answer."""

    def behave(_number: int, handler: Any) -> bool:
        reply(handler, 200, b"<html>", type="text/html")
        return True

    proxy.behave = behave
    with reached(proxy) as remote, pytest.raises(StoreError, match="text/html"):
        list(remote.answer(sparql.parse(_ASK), rdf.JSON))


def test_a_graph_is_streamed_to_and_from_the_graph_store(proxy: Proxy) -> None:
    """A graph is streamed to and from the graph store."""

    def behave(_number: int, handler: Any) -> bool:
        if handler.command == "PUT":
            assert handler.headers["Transfer-Encoding"] == "chunked"
            while (size := int(handler.rfile.readline(), 16)) > 0:
                handler.rfile.read(size)
                handler.rfile.readline()
            handler.rfile.readline()
        reply(handler, 200, b"<a:s> <a:p> <a:o> .\n", type="application/n-triples")
        return True

    proxy.behave = behave
    with reached(proxy, graphs=f"{proxy.address}-graphs") as remote:
        remote.put("http://g.example/a b".replace(" ", "%20"), lambda: [b"<a:s> ", b"<a:p> 1 ."])
        assert proxy.requests[-1][0].endswith("-graphs?graph=http%3A%2F%2Fg.example%2Fa%2520b")
        assert b"".join(remote.get("http://g.example/")).startswith(b"<a:s>")
        remote.delete("http://g.example/")


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Lexical error at line 1", QueryError),
        (500, "Virtuoso 37000 Error SP030: SPARQL compiler: syntax error", QueryError),
        (500, "Virtuoso S1T00 Error SR171: Transaction timed out", TimeLimitError),
        (503, "Query timed out", TimeLimitError),
        (504, "", TimeLimitError),
        (429, "slow down", OverloadedError),
        (500, "java.lang.OutOfMemoryError: Java heap space", MemoryLimitError),
        (401, "", EngineError),
        (404, "", EngineError),
        (302, "", EngineError),
        (500, "whatever", EngineError),
    ],
)
def test_what_a_refusal_means(status: int, message: str, kind: type[Exception]) -> None:
    """What a refusal means."""
    assert type(refusal("http://e.example/", status, message)) is kind


def test_settings_of_an_engine(tmp_path: Path) -> None:
    """Settings of an engine."""
    path = tmp_path / "clustergraph.toml"
    path.write_text('store = "http://e.example/sparql"\n[project]\nbase = "http://b.example/"\n')
    read = settings.load(tmp_path, environment={"CG_STORE_PASSWORD": _SECRET})
    assert read.store == "http://e.example/sparql"
    assert read.store_password == _SECRET
    assert _SECRET not in repr(read)
    path.write_text('[store]\nquery = "http://e.example/q"\nauth = "digest"\n')
    read = settings.load(tmp_path, environment={})
    assert (read.store, read.store_auth) == ("http://e.example/q", "digest")
    path.write_text('store = "http://me:word@e.example/q"\n')
    with pytest.raises(SettingsError, match="password") as caught:
        settings.load(tmp_path, environment={})
    assert "word@" not in str(caught.value)
    path.write_text('store = "ftp://e.example/q"\n')
    with pytest.raises(SettingsError, match="http"):
        settings.load(tmp_path, environment={})


def test_strangers_are_not_told_where_an_engine_is() -> None:
    """The log is; they are told that it is away, and when to come again."""
    app = flask.Flask(__name__)
    web_errors.register(app)

    @app.route("/")
    def away() -> str:
        store.ask(RemoteStore("http://127.0.0.1:1/secret/sparql"), _ASK)
        return ""

    answer = app.test_client().get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "engine" in answer.get_data(as_text=True)
    assert "127.0.0.1" not in answer.get_data(as_text=True)
    assert "secret" not in answer.get_data(as_text=True)
