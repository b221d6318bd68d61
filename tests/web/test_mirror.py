"""The mirror: after any sequence of changes it equals the origin; bounded, polite, resumable."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from tests.web.conftest import Site, served
from werkzeug.serving import make_server

from clustergraph import mirror, scaffold, settings
from clustergraph.cli.main import main
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    OverloadedError,
    SourceError,
    StoreError,
    TooLargeError,
    UsageError,
)
from clustergraph.mirror.fetch import Client
from clustergraph.mirror.stream import Page
from clustergraph.releases import Archive, Manifest
from clustergraph.service import ClusterGraph
from clustergraph.web.app import create_app

BASE = "http://127.0.0.1:8080/"


def listening(app: Any) -> Iterator[str]:
    """An application on a port of its own; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A plain store with small pages that is served; and its address."""
    scaffold.init(tmp_path / "origin", bare=True)
    for site in served(tmp_path / "origin", feed_page=3):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        for address in listening(site.client.application):
            yield site, address


def run(url: str, folder: Path) -> mirror.Synchronised:
    """One run, as the command makes it."""
    chosen = settings.load(folder, environment={})
    return mirror.Mirror(url, Client(url), Archive(chosen.variable), chosen).run()


def quads_of(graph: ClusterGraph, manifest: Manifest) -> set[ox.Quad]:
    """What a release holds, as its own store has it."""
    return graph.pipeline.quads_of(manifest)


def command(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


class Steps:
    """Changes at random, each over HTTP or as the command line makes it."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.chance = site, random.Random(seed)  # noqa: S311  not for secrets

    def thing(self) -> str:
        """One of few things."""
        return f"{BASE}id/thing/{self.chance.randrange(4)}"

    def graph(self) -> str:
        """One of few graphs."""
        return f"{BASE}graph/{self.chance.choice('ab')}"

    def triples(self) -> str:
        """Some statements, blank nodes among them."""
        values = (
            f"<{self.thing()}>", f'"{self.chance.randrange(5)}"', "1.50",
            '"a\\"b _:c \\n{}."@en-GB', "[ <http://x/in> 1 ]",
        )  # fmt: skip
        return " ".join(
            f"<{self.thing()}> <http://x/p{self.chance.randrange(3)}> {value} ."
            for value in self.chance.choices(values, k=self.chance.randrange(1, 5))
        )

    def insert(self) -> None:
        """Into a graph, and into the default graph."""
        text = f"INSERT DATA {{ {self.triples()} GRAPH <{self.graph()}> {{ {self.triples()} }} }}"
        assert self.site.update(text).status_code in {200, 403}  # what is forgotten stays away

    def delete(self) -> None:
        """All that is said of a thing, everywhere or in one graph."""
        text = f"DELETE WHERE {{ GRAPH ?g {{ <{self.thing()}> ?p ?o }} }}"
        if self.chance.random() < 0.5:
            text = f"DELETE WHERE {{ <{self.thing()}> ?p ?o }}"
        assert self.site.update(text).status_code == 200

    def put(self) -> None:
        """Replace a graph."""
        answer = self.site.send(
            "PUT", f"/graphs?graph={self.graph()}", data=self.triples(), content_type="text/turtle"
        )
        assert answer.status_code in {200, 201, 204, 403}

    def drop(self) -> None:
        """Remove a graph."""
        answer = self.site.send("DELETE", f"/graphs?graph={self.graph()}")
        assert answer.status_code in {200, 204, 404}

    def back(self) -> None:
        """Go back to any release that is kept."""
        numbers = self.site.graph.archive.numbers()
        self.site.graph.rollback(self.chance.choice(numbers))

    def forget(self) -> None:
        """Forget a thing, if it was ever there."""
        try:
            self.site.graph.forget([self.thing()], force=True)
        except ClusterGraphError as error:
            assert "Nothing is said" in str(error)  # noqa: PT017

    def step(self) -> None:
        """Any of these."""
        kinds = (self.insert, self.insert, self.delete, self.put, self.drop, self.back, self.forget)
        self.chance.choice(kinds)()


@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_the_origin_after_any_changes(
    seed: int, origin: tuple[Site, str], tmp_path: Path
) -> None:
    """Two servers: what the one that publishes the mirror answers is what the origin does."""
    site, address = origin
    steps = Steps(site, seed)
    folder = tmp_path / "mirror"
    steps.insert()
    assert command("mirror", f"{address}/feed/ldes", str(folder)) == 0
    copy = ClusterGraph(settings.load(folder, environment={}), public=True)
    for there in listening(create_app(copy)):
        for _ in range(5):
            for _ in range(steps.chance.randrange(1, 4)):
                steps.step()
            site.graph.release()
            done = run(f"{address}/feed/ldes", folder)
            manifest = site.graph.release().manifest
            assert done.manifest is not None
            assert (done.origin, done.manifest.digest) == (manifest.number, manifest.digest)
            assert quads_of(copy, done.manifest) == quads_of(site.graph, manifest)
            client = Client(there)
            shown = client.get(f"{there}/sparql?query=CONSTRUCT%20WHERE%20%7B%3Fs%20%3Fp%20%3Fo%7D")
            assert shown.status == 200
        assert not run(f"{address}/feed/ldes", folder).fresh
        for _number, problems in copy.verify():
            assert problems == []
        chain = tmp_path / "chain"  # a mirror of the mirror
        copy.release()
        assert command("mirror", f"{there}/feed/ldes", str(chain)) == 0
        second = run(f"{there}/feed/ldes", chain)
        assert second.manifest is not None
        assert second.manifest.digest == manifest.digest
    copy.close()


def test_following_goes_on_after_failures(
    origin: tuple[Site, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A look that fails is told; the next one finds what has changed."""
    site, address = origin
    folder = tmp_path / "mirror"
    looks: list[float] = []

    def wait(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            assert site.update("INSERT DATA { <http://x/a> <http://x/p> 1 }").status_code == 200
            site.graph.release()
            monkeypatch.setattr(mirror.Mirror, "run", failing)
        elif len(looks) == 2:
            monkeypatch.setattr(mirror.Mirror, "run", whole)
        else:
            raise KeyboardInterrupt

    def failing(_self: mirror.Mirror) -> mirror.Synchronised:
        raise StoreError("The line is dead.")

    whole = mirror.Mirror.run
    monkeypatch.setattr("clustergraph.cli.mirror.sleep", wait)
    assert command("mirror", f"{address}/feed/ldes", str(folder), "--follow", "--every", "9") == 1
    told = capsys.readouterr()
    assert looks == [9, 9, 9]
    assert "The line is dead." in told.err
    assert "Published release 2, as release 2 of the origin" in told.out


def test_a_whole_project_is_mirrored(site: Site, tmp_path: Path) -> None:
    """With computed graphs, shapes and blank nodes; what is forgotten goes from the mirror too."""
    for address in listening(site.client.application):
        folder = tmp_path / "mirror"
        assert command("mirror", f"{address}/feed/ldes", str(folder)) == 0
        copy = ClusterGraph(settings.load(folder, environment={}))
        assert copy.release().manifest.digest == site.graph.release().manifest.digest
        assert copy.settings.base == site.graph.settings.base
        assert copy.settings.default_graph == "merge"
        assert not copy.build().fresh  # serving it builds nothing
        thing = site.iri("id/organisation/new")
        assert site.update(f'INSERT DATA {{ <{thing}> <http://x/p> "secret" }}').status_code == 200
        run(f"{address}/feed/ldes", folder)
        site.graph.forget([thing])
        site.graph.release()
        run(f"{address}/feed/ldes", folder)
        assert copy.release().manifest.digest == site.graph.release().manifest.digest
        assert [each.number for each in copy.archive.history()] == copy.archive.numbers()
        assert len(copy.archive.numbers()) == 1
        copy.close()


def test_a_run_that_was_killed_is_made_again(
    origin: tuple[Site, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it ended: pages that were read are not asked for again, nothing is done twice."""
    site, address = origin
    url = f"{address}/feed/ldes"
    facts = " ".join(f"<http://x/{number}> <http://x/p> {number} ." for number in range(40))
    assert site.update(f"INSERT DATA {{ {facts} }}").status_code == 200
    folder = tmp_path / "mirror"
    scaffold.init(folder, base=BASE, mirrored={"origin": url, "default_graph": "separate"})
    asked: list[str] = []
    whole: list[str] = []
    get = Client.get

    def failing(allowed: int) -> Callable[..., Any]:
        def one(self: Client, url: str, *, etag: str = "") -> Any:
            asked.append(url)
            if len(asked) > allowed:
                raise KeyboardInterrupt
            answer = get(self, url, etag=etag)
            if answer.immutable:
                whole.append(url)
            return answer

        return one

    for allowed in (3, 5):
        asked.clear()
        monkeypatch.setattr(Client, "get", failing(allowed))
        with pytest.raises(KeyboardInterrupt):
            run(url, folder)
    asked.clear()
    monkeypatch.setattr(Client, "get", failing(1000))
    with monkeypatch.context() as patched:  # published, and killed before that was noted
        patched.setattr("clustergraph.mirror.spool.Spool.remember", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(url, folder)
    assert len(whole) == len(set(whole)) > 10
    again = run(url, folder)
    assert not again.fresh
    assert again.manifest is not None
    assert again.manifest.number == 1
    assert again.manifest.digest == site.graph.release().manifest.digest
    asked.clear()
    assert site.update("INSERT DATA { <http://x/new> <http://x/p> 1 }").status_code == 200
    site.graph.release()
    assert run(url, folder).fresh
    assert len(asked) <= 3  # the root and what was not full; no page that never changes


def test_what_is_not_what_it_says_is_not_published(
    origin: tuple[Site, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest of the origin's release is compared; what was there stays."""
    site, address = origin
    url = f"{address}/feed/ldes"
    assert site.update("INSERT DATA { <http://x/a> <http://x/p> 1 }").status_code == 200
    folder = tmp_path / "mirror"
    assert command("mirror", url, str(folder)) == 0
    before = Archive(folder / "var").current()
    assert site.update("INSERT DATA { <http://x/b> <http://x/p> 1 }").status_code == 200
    site.graph.release()
    tree = Page.nodes
    monkeypatch.setattr(
        "clustergraph.mirror.stream.Stream._placed", lambda *_: iter([ox.Quad(*THREE)])
    )
    with pytest.raises((CorruptedError, SourceError)):
        run(url, folder)
    assert Archive(folder / "var").current() == before
    monkeypatch.undo()
    assert Page.nodes is tree
    assert run(url, folder).manifest != before


THREE = (ox.NamedNode("http://x/a"), ox.NamedNode("http://x/p"), ox.Literal("other"))


# -- streams of others -----------------------------------------------------------------------------

FOREIGN = """@prefix ldes: <https://w3id.org/ldes#> . @prefix tree: <https://w3id.org/tree#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix as: <https://www.w3.org/ns/activitystreams#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix ex: <http://example.org/> .
ex:stream a ldes:EventStream ; tree:view <{view}> ; ldes:timestampPath dcterms:created ;
  ldes:versionOfPath dcterms:isVersionOf ; ldes:versionDeleteObject as:Delete .
"""
ROOT = (
    FOREIGN
    + """<> tree:relation [ a tree:Relation ; tree:node <2> ] .
ex:stream tree:member ex:a1 , ex:b1 .
ex:a1 dcterms:isVersionOf ex:a ; dcterms:created "2026-01-01T00:00:00Z"^^xsd:dateTime ;
  ex:name "First" ; ex:part [ ex:deep "inside" ] .
ex:b1 dcterms:isVersionOf ex:b ; dcterms:created "2026-01-01T00:00:00Z"^^xsd:dateTime ;
  ex:name "B" .
"""
)
SECOND = (
    FOREIGN
    + """ex:stream tree:member ex:a2 , ex:b2 .
ex:a2 dcterms:isVersionOf ex:a ; dcterms:created "2026-01-02T00:00:00Z"^^xsd:dateTime .
ex:a2 {{ ex:a ex:name "Second" . ex:other ex:said "of it" . }}
ex:b2 a as:Delete ; dcterms:isVersionOf ex:b ;
  dcterms:created "2026-01-02T00:00:00Z"^^xsd:dateTime .
<> tree:relation [ tree:node </> ] , [ tree:node <2> ] .
"""
)


@pytest.fixture
def other() -> Iterator[tuple[str, dict[str, tuple[int, dict[str, str], bytes]]]]:
    """A server that answers what a test wants: status, headers and body by path."""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_an_origin_says_of_itself_sets_nothing(
    other: tuple[str, dict[str, tuple[int, dict[str, str], bytes]]], tmp_path: Path
) -> None:
    """A title or a base with quotes and line ends writes no settings."""
    address, answers = other
    title = 'ex:stream dcterms:title "a\\"\\n[server]\\nhost = \\"0.0.0.0\\" \\\\" .'
    text = ROOT.format(view=f"{address}/") + title
    answers["/"] = (200, TYPED, text.encode())
    answers["/2"] = (410, {}, b"")
    assert command("mirror", f"{address}/", str(tmp_path / "a")) == 0
    made = settings.load(tmp_path / "a", environment={})
    assert made.host == "127.0.0.1"
    assert made.title.startswith("a' [server] host")
    ours = (
        "@prefix prov: <http://www.w3.org/ns/prov#> .\n"
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n"
        "ex:stream ldes:transactionPath prov:wasGeneratedBy ; ldes:sequencePath dcat:version .\n"
        '<http://x/d> <http://rdfs.org/ns/void#uriSpace> "http://x/\\"\\n[server]" .'
    )
    answers["/"] = (200, TYPED, (ROOT.format(view=f"{address}/") + ours).encode())
    assert command("mirror", f"{address}/", str(tmp_path / "b")) == 2
    assert not (tmp_path / "b").exists()


TYPED = {"Content-Type": "application/trig"}


def test_any_stream_is_mirrored(
    other: tuple[str, dict[str, tuple[int, dict[str, str], bytes]]], tmp_path: Path
) -> None:
    """Each thing in a graph of its own; redirects, and pages that lead back, do no harm."""
    address, answers = other
    view = f"{address}/"
    answers["/old"] = (302, {"Location": "/"}, b"")
    answers["/"] = (200, TYPED, ROOT.format(view=view).encode())
    answers["/2"] = (410, {}, b"")
    folder = tmp_path / "mirror"
    assert command("mirror", f"{address}/old", str(folder)) == 0
    copy = ClusterGraph(settings.load(folder, environment={}))
    names = "SELECT ?t ?n { GRAPH ?t { ?s <http://example.org/name> ?n } } ORDER BY ?n"
    assert [row["n"].value for row in copy.select(names)] == ["B", "First"]
    assert len(copy.select("SELECT * { ?s <http://example.org/deep> ?o }")) == 1
    assert not run(f"{address}/old", folder).fresh
    answers["/2"] = (200, TYPED, SECOND.format(view=view).encode())
    assert run(f"{address}/old", folder).fresh
    assert [(row["t"].value, row["n"].value) for row in copy.select(names)] == [
        ("http://example.org/a", "Second")
    ]
    assert len(copy.select("SELECT * { ?s <http://example.org/said> ?o }")) == 1
    assert not copy.select("SELECT * { ?s <http://example.org/deep> ?o }")
    answers["/2"] = (410, {}, b"")  # the root alone is read: what it tells is older
    assert not run(f"{address}/old", folder).fresh
    copy.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, TYPED, b"<x> <y"), SourceError),
        ((200, TYPED, b"<http://x/a> <http://x/b> 1 ."), SourceError),
        ((200, {"Content-Type": "text/html"}, b"<html>"), UsageError),
        ((200, TYPED, b"#" * 2_000_000), TooLargeError),
        ((200, TYPED | {"Content-Encoding": "gzip"}, b"no gzip"), SourceError),
        (
            (200, {"Content-Type": "application/ld+json"}, b'{"@context": "http://x/c"}'),
            SourceError,
        ),
        ((503, {"Retry-After": "7"}, b""), OverloadedError),
        ((404, {}, b""), ClusterGraphError),
        ((304, {}, b""), ClusterGraphError),
        ((302, {"Location": "/"}, b""), ClusterGraphError),
        ((302, {"Location": "file:///etc/passwd"}, b""), UsageError),
    ],
)
def test_bad_answers_are_told(
    other: tuple[str, dict[str, tuple[int, dict[str, str], bytes]]],
    tmp_path: Path,
    answer: tuple[int, dict[str, str], bytes],
    error: type[ClusterGraphError],
) -> None:
    """Never a traceback; retries wait as long as they are asked to."""
    address, answers = other
    answers["/"] = answer
    waited: list[float] = []
    client = Client(address, largest=1_000_000, sleep=waited.append)
    scaffold.init(tmp_path / "m", mirrored={"origin": address, "default_graph": "merge"})
    chosen = settings.load(tmp_path / "m", environment={})
    with pytest.raises(error):
        mirror.Mirror(f"{address}/", client, Archive(chosen.variable), chosen).run()
    if answer[0] == 503:
        assert waited == [7.0] * 4


def test_private_addresses_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the origin is private itself; not by a link, a redirect or another name."""
    known = {"public.example": "93.184.216.34", "inner.example": "10.0.0.1"}

    def resolved(host: str, port: int, **_: object) -> list[Any]:
        return [(0, 0, 0, "", (known.get(host, host), port))]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    client = Client("https://public.example/feed")
    for url in ("http://127.0.0.1/", "http://inner.example/", "http://169.254.169.254/latest",
                "http://[::1]/", "http://[::ffff:10.0.0.1]/", "ftp://public.example/"):  # fmt: skip
        with pytest.raises(UsageError):
            client.get(url)
