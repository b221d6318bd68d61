"""What stands before Flask: kept answers, compression, metrics, log lines, incomplete answers."""

from __future__ import annotations

import csv
import gzip
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pyoxigraph as ox
import pytest
import zstandard
from tests.web.conftest import Site
from werkzeug.test import Client, TestResponse

from clustergraph import rdf
from clustergraph.errors import TimeLimitError
from clustergraph.web.compressed import coding
from clustergraph.web.front import front
from clustergraph.web.incomplete import honest
from clustergraph.web.observed import kind_of, shortened

HTML = {"Accept": "text/html"}
ALL = "/sparql?query=SELECT%20*%20{?s%20?p%20?o}&format="


class Front:
    """The whole application, and what it logs."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.log = io.StringIO()
        self.client = Client(front(site.graph, log=self.log))

    def get(self, address: str, **headers: str) -> TestResponse:
        """Ask."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        local = {"REMOTE_ADDR": "127.0.0.1"}
        return self.client.get(address, headers=named, environ_base=local, buffered=True)

    def lines(self) -> list[dict[str, object]]:
        """The log so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def whole(site: Site) -> Front:
    """The small project behind everything that a server puts before it."""
    return Front(site)


def test_an_answer_is_kept_until_the_release_changes(whole: Front) -> None:
    """Pages, documents, queries; the same bytes, and none of another format or language."""
    for address, accept in (
        ("/", "text/html"), ("/doc/organisation/example-cluster", "text/turtle"),
        (ALL + "csv", "*/*"), ("/releases", "application/json"), ("/query", "text/html"),
    ):  # fmt: skip
        first = whole.get(address, Accept=accept)
        second = whole.get(address, Accept=accept)
        assert "Cache-Status" not in first.headers
        assert second.headers["Cache-Status"] == "clustergraph; hit"
        assert (first.data, first.headers["ETag"]) == (second.data, second.headers["ETag"])
        assert first.headers["Clustergraph-Release"] == "1"
        fresh = whole.get(address, Accept=accept, If_None_Match=first.headers["ETag"])
        assert (fresh.status_code, fresh.data) == (304, b"")
        assert fresh.headers["Cache-Status"] == "clustergraph; hit"
        head = whole.client.head(address, headers={"Accept": accept})
        assert (head.data, int(head.headers["Content-Length"])) == (b"", len(first.data))
    other = whole.get("/doc/organisation/example-cluster", Accept="application/ld+json")
    assert other.content_type == "application/ld+json"
    whole.site.update("INSERT DATA { <http://x/a> <http://x/p> 1 }")
    changed = whole.get(ALL + "csv")
    assert "Cache-Status" not in changed.headers
    assert changed.headers["Clustergraph-Release"] == "2"
    assert b"http://x/a" in changed.data


def test_queries_in_bodies_are_kept_too(whole: Front) -> None:
    """By what they say, how they are sent, and what is wanted; never as 304."""
    form = {"content_type": "application/x-www-form-urlencoded"}
    direct = {"content_type": "application/sparql-query"}

    def ask(data: str, accept: str = "*/*", **options: str) -> TestResponse:
        answer = whole.client.post("/sparql", data=data, headers={"Accept": accept}, **options)
        assert answer.data
        return answer

    first = ask("query=ASK+%7B%7D", **form)
    again = ask("query=ASK+%7B%7D", **form)
    assert "Cache-Status" not in first.headers
    assert again.headers["Cache-Status"] == "clustergraph; hit"
    assert first.data == again.data
    assert "Cache-Status" not in ask("ASK {}", **direct).headers
    assert (
        "Cache-Status"
        not in ask("query=ASK+%7B%7D", "application/sparql-results+xml", **form).headers
    )
    assert "Cache-Status" not in ask("query=ASK+%7B1%7D", **form).headers
    tagged = whole.client.post(
        "/sparql", data="ASK {}", headers={"If-None-Match": first.headers["ETag"]}, **direct
    )
    assert (tagged.status_code, tagged.data) == (200, first.data)
    long = f"ASK {{}} #{'x' * 70_000}"
    assert [ask(long, **direct).headers.get("Cache-Status") for _ in range(2)] == [None, None]
    assert ask("x" * 5_000_000, **direct).status_code == 413


def test_what_is_never_kept(whole: Front) -> None:
    """Errors, answers for a token, health."""
    token = f"Bearer {whole.site.token}"
    for _ in range(2):
        assert "Cache-Status" not in whole.get("/doc/none/none").headers
        assert "Cache-Status" not in whole.get("/health").headers
        assert "Cache-Status" not in whole.get("/", Accept="text/html", Authorization=token).headers
        assert whole.get("/sparql?query=nonsense").status_code == 400


def test_kept_answers_are_bounded(whole: Front) -> None:
    """The oldest go."""
    kept = whole.site.graph.settings.cache << 20
    for number in range(40):
        whole.get(f"/sparql?query=ASK{{}}%23{number}")
    metrics = whole.get("/metrics").text
    (held,) = [
        line.split()[-1]
        for line in metrics.splitlines()
        if line.startswith("clustergraph_cache_bytes")
    ]
    assert 0 < float(held) < kept


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ""), ("", ""), ("identity", ""), ("gzip", "gzip"), ("zstd", "zstd"),
        ("gzip, zstd", "zstd"), ("zstd;q=0.5, gzip", "gzip"), ("zstd;q=0, gzip;q=0", ""),
        ("*", "gzip"), ("br", ""), ("br, gzip;q=0.1", "gzip"), ("gzip;q=x", ""), ("x-gzip", "gzip"),
        ("zstd;q=0, *", "gzip"), ("*;q=0", ""),
    ],
)  # fmt: skip
def test_content_codings_are_negotiated(header: str | None, expected: str) -> None:
    """RFC 9110 section 12.5.3."""
    assert coding(header) == expected


def test_answers_are_compressed(whole: Front) -> None:
    """Each coding with an ETag of its own, that is known again; small answers stay as they are."""
    plain = whole.get(ALL + "csv")
    unpack = {
        "gzip": gzip.decompress,
        "zstd": zstandard.ZstdDecompressor().decompressobj().decompress,
    }
    tags = {plain.headers["ETag"]}
    for name, function in unpack.items():
        for _ in range(2):  # the second comes from memory
            answer = whole.get(ALL + "csv", Accept_Encoding=name)
            assert answer.headers["Content-Encoding"] == name
            assert "Accept-Encoding" in answer.headers["Vary"]
            if _ == 0:
                assert function(answer.data) == plain.data
            tags.add(answer.headers["ETag"])
        fresh = whole.get(ALL + "csv", Accept_Encoding=name, If_None_Match=answer.headers["ETag"])
        assert fresh.status_code == 304
        assert fresh.headers["ETag"] == answer.headers["ETag"]
    assert len(tags) == 3
    assert "Content-Encoding" not in whole.get("/health", Accept_Encoding="gzip").headers
    assert (
        "Content-Encoding"
        not in whole.get("/sparql?query=ASK{}", Accept_Encoding="identity").headers
    )


def test_etags_of_compressed_answers_fit_if_match(whole: Front) -> None:
    """A client writes with the tag it read."""
    tag = whole.get(ALL + "csv", Accept_Encoding="gzip").headers["ETag"]
    headers = {"Authorization": f"Bearer {whole.site.token}", "If-Match": tag}
    text = {"update": "INSERT DATA { <http://x/a> <http://x/p> 1 }"}
    assert whole.client.post("/update", data=text, headers=headers).status_code == 200
    assert whole.client.post("/update", data=text, headers=headers).status_code == 412


def test_every_answer_says_how_long_it_took_and_what_it_is(whole: Front) -> None:
    """Server-Timing; the digest of a representation that is whole."""
    answer = whole.get("/doc/organisation/example-cluster", Accept="text/turtle")
    assert answer.headers["Server-Timing"].startswith("total;dur=")
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")


def test_metrics(whole: Front) -> None:
    """For Prometheus: kinds, statuses, queries, cache; no names, for this machine alone."""
    whole.get("/doc/organisation/example-cluster", Accept="text/turtle")
    whole.get(ALL + "json")
    whole.get("/sparql?query=nonsense")
    text = whole.get("/metrics").text
    assert 'clustergraph_requests_total{kind="document",status="200"} 1.0' in text
    assert 'clustergraph_requests_total{kind="sparql",status="400"} 1.0' in text
    assert 'clustergraph_request_seconds_count{kind="sparql"} 2.0' in text
    assert 'clustergraph_queries_total{what="workers_started"}' in text
    assert 'clustergraph_current_release{what="number"} 1.0' in text
    assert "example-cluster" not in text
    stranger = whole.client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert stranger.status_code == 404
    headers = {"Authorization": f"Bearer {whole.site.token}"}
    allowed = whole.client.get(
        "/metrics", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"}
    )
    assert allowed.status_code == 200


def test_the_log_tells_no_secrets(whole: Front) -> None:
    """One line a request; queries by length and digest, clients by their network, no tokens."""
    personal = "SELECT * { ?s ?p 'someone@mail.example' }"
    whole.client.get(
        "/sparql", query_string={"query": personal}, environ_base={"REMOTE_ADDR": "192.0.2.77"},
        headers={"Authorization": f"Bearer {whole.site.token}"},
    )  # fmt: skip
    whole.get("/health")
    (line,) = whole.lines()
    assert line["client"] == "192.0.2.0"
    assert (line["path"], line["status"], line["method"]) == ("/sparql", 200, "GET")
    assert "mail" not in whole.log.getvalue()
    assert whole.site.token not in whole.log.getvalue()
    assert shortened("2001:db8:1:2:3::4") == "2001:db8:1::"
    assert shortened("nonsense") == ""


def test_kinds_are_few() -> None:
    """Whatever is asked, so that metrics stay small."""
    paths = [
        "/",
        "/doc/a/b",
        "/x/y/z",
        "/releases/3/sparql",
        "/releases/3",
        "/graphs",
        "/../..",
        "//",
    ]
    assert {kind_of(path) for path in paths} == {
        "home", "document", "sparql", "history", "graph store",
    }  # fmt: skip


def test_clients_behind_proxies(site: Site) -> None:
    """Are told apart by X-Forwarded-For only if the settings say how many proxies there are."""
    import dataclasses  # noqa: PLC0415  only here

    wrong = {"Authorization": "Bearer cg_0_0"}
    for trusted, expected in ((0, 429), (1, 401)):
        site.graph.settings = dataclasses.replace(site.graph.settings, trusted_proxies=trusted)
        client = Client(front(site.graph, log=None))
        for number in range(25):
            answer = client.get("/", headers={**wrong, "X-Forwarded-For": f"192.0.2.{number}"})
        assert answer.status_code == expected


class TestIncomplete:
    """An answer that must stop after it began cannot be taken for a whole one."""

    @staticmethod
    def cut(fmt: rdf.Format, *chunks: str) -> bytes:
        """What a client gets of an answer that stops after some chunks."""

        def stopping() -> Iterator[bytes]:
            yield from (each.encode() for each in chunks)
            raise TimeLimitError('The query took longer than "30" seconds.')

        stopped: list[bool] = []
        content = b"".join(honest(stopping(), fmt, lambda: stopped.append(True)))
        assert stopped == [True]
        return content

    @pytest.mark.parametrize(
        "end", ["http://x/a,1\r\n", 'http://x/a,"open, and', '"a ""quoted"" b",2', ""]
    )
    def test_csv(self, end: str) -> None:
        """Wherever it stops, inside a quoted field or not."""
        text = self.cut(rdf.CSV, "s,o\r\nhttp://x/a,1\r\n", end).decode()
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(text), strict=True))

    def test_results(self) -> None:
        """Cut behind a whole row."""
        tsv = self.cut(rdf.TSV, "?s\t?o\n<http://x/a>\t1\n")
        with pytest.raises((SyntaxError, ValueError)):
            list(ox.parse_query_results(tsv, rdf.TSV.engine))  # type: ignore[arg-type]  # solutions
        row = '{"s":{"type":"uri","value":"x:a"}}'
        text = self.cut(rdf.JSON, '{"head":{"vars":["s"]},"results":{"bindings":[', row)
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(text)
        head = '<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head/><results>'
        with pytest.raises(ET.ParseError):
            ET.fromstring(self.cut(rdf.XML, head))  # noqa: S314  our own

    @pytest.mark.parametrize("fmt", [rdf.N_TRIPLES, rdf.N_QUADS, rdf.TURTLE, rdf.TRIG])
    @pytest.mark.parametrize(
        "end", ["", "<http://x/a> <http://x/p> ", '<http://x/a> <http://x/p> "op']
    )
    def test_graphs(self, fmt: rdf.RdfFormat, end: str) -> None:
        """Cut between and within triples."""
        text = self.cut(fmt, '<http://x/a> <http://x/p> "v" .\n', end)
        with pytest.raises(SyntaxError):
            list(ox.parse(text, fmt.engine))

    def test_a_query_that_is_cut(self, whole: Front) -> None:
        """From the socket on: the limit ends a long answer; what came is broken, and not kept."""
        many = " ".join(f"<http://x/{n}> <http://x/many> {n} ." for n in range(600))
        assert whole.site.update(f"INSERT DATA {{ {many} }}").status_code == 200
        query = "SELECT * { ?a <http://x/many> ?b . ?c <http://x/many> ?d . ?e <http://x/many> ?f }"
        for number in range(2):  # one that took too much is refused when it comes again
            text = query.replace("?f", f"?f{number}")
            answer = whole.client.get(
                "/sparql", query_string={"query": text, "format": "csv", "timeout": "0.7"}
            )
            assert answer.status_code == 200
            assert "Cache-Status" not in answer.headers
            assert "incomplete" in answer.text[-300:]
            with pytest.raises(csv.Error):
                list(csv.reader(io.StringIO(answer.text), strict=True))
