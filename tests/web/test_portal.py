"""What programs find on their own: maps, signposts, interfaces, Markdown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from signposting import find_signposting_http_link
from tests.web.conftest import Site, served
from werkzeug.test import TestResponse

from clustergraph import scaffold
from clustergraph.dumps import things
from clustergraph.service import ClusterGraph
from clustergraph.web import markdown
from clustergraph.web.app import create_app

BASE = "http://127.0.0.1:8080"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def dumped(site: Site) -> Site:
    """A site that has files too."""
    site.graph.dumps.write()
    return site


def addresses(answer: TestResponse) -> dict[str, str]:
    """The addresses that a map names, with their dates."""
    assert answer.mimetype == "application/xml"
    return {
        each.findtext(f"{MAP}loc", ""): each.findtext(f"{MAP}lastmod", "")
        for each in ET.fromstring(answer.data)  # noqa: S314  ours
    }


def test_the_map_of_the_site(dumped: Site) -> None:
    """Robots find it; it names every thing once, and pages that answer and may be read."""
    rules = RobotFileParser()
    rules.parse(dumped.get("/robots.txt").text.splitlines())
    assert rules.site_maps() == [f"{BASE}/sitemap.xml"]
    assert not rules.can_fetch("x", f"{BASE}/sparql?query=x")
    named: list[str] = []
    for address in addresses(dumped.get("/sitemap.xml")):
        named += addresses(dumped.get(address.removeprefix(BASE)))
    assert len(named) == len(set(named))
    for address in named:
        assert rules.can_fetch("x", address)
        assert dumped.get(address.removeprefix(BASE)).status_code == 200, address
    subjects = {row["s"].value for row in dumped.graph.select("SELECT DISTINCT ?s { ?s ?p ?o }")
                if not str(row["s"]).startswith("_:")}  # fmt: skip
    things_here = {each for each in subjects if "/id/" in each and "#" not in each}
    expected = {each.replace("/id/", "/doc/") for each in things_here}
    assert {each for each in named if each.count("/") > 4 and "/doc/" in each} == expected
    assert dumped.get("/sitemap/2.xml").status_code == 404
    assert dumped.get("/sitemap/0.xml").status_code == 404


def test_days_of_last_change(site: Site) -> None:
    """Those of the releases that changed a thing, or a part of it."""
    one, two = site.iri("id/organisation/example-cluster"), site.iri("id/x/new")
    p = "http://www.w3.org/2000/01/rdf-schema#label"
    for text in (f'<{two}> <{p}> "a"', f'<{one}#part> <{p}> "b"'):
        assert site.update(f"INSERT DATA {{ {text} }}").status_code == 200
    for number in (1, 2, 3):
        path = site.graph.archive.path(number) / "manifest.json"
        content = json.loads(path.read_text())
        content["created"] = f"2020-01-0{number}T00:00:00+00:00"
        path.write_text(json.dumps(content))
    found = things.changes(site.graph.archive, site.graph.settings.base, 3)
    assert found[two.encode()][:10] == "2020-01-02"
    assert found[one.encode()][:10] == "2020-01-03"
    assert {day[:10] for iri, day in found.items() if iri not in {one.encode(), two.encode()}} <= {
        "2020-01-01"
    }
    site.graph.dumps.write()
    days = addresses(site.get("/sitemap/1.xml"))
    assert days[one.replace("/id/", "/doc/")] == "2020-01-03T00:00:00+00:00"


def test_large_maps_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file names more than may be in one."""
    monkeypatch.setattr(things, "MOST", 10)
    lines = [b"<http://x/id/a/%03d> <http://x/p> <http://x/o> .\n" % (n // 2) for n in range(50)]
    lines += [b"<http://x/id/b#1> <http://x/p> 1 .\n", b"<http://x/idle/a> <http://x/p> 1 .\n"]
    parts, kinds = things.write(lines, "http://x/", {b"http://x/id/a/003": "2"}, "1", tmp_path)
    assert [(each.number, each.modified) for each in parts] == [(10, "2"), (10, "1"), (5, "1")]
    assert kinds == {"a": 25}
    assert (tmp_path / "things-3.tsv").read_text().count("\n") == 5


def test_signposts_of_a_page(dumped: Site) -> None:
    """As a parser of others reads them: in headers, and the same in the linkset."""
    address = "/doc/organisation/example-cluster"
    page = dumped.get(address, headers={"Accept": "text/html"})
    found = find_signposting_http_link(page.headers.getlist("Link"), BASE + address)
    iri = dumped.iri("id/organisation/example-cluster")
    assert found.citeAs is not None
    assert found.citeAs.target == iri
    assert {str(each.target) for each in found.types} >= {
        "https://schema.org/AboutPage", dumped.iri("ontology#Cluster"),
    }  # fmt: skip
    assert {each.type for each in found.describedBy} >= {"text/turtle", "application/ld+json"}
    for each in found.describedBy:
        answer = dumped.get(each.target.removeprefix(BASE))
        assert answer.mimetype == each.type
        back = find_signposting_http_link(answer.headers.getlist("Link"), each.target)
        assert not back.citeAs
    assert found.collection is not None
    (link,) = found.linksets
    answer = dumped.get(link.target.removeprefix(BASE))
    assert answer.mimetype == "application/linkset+json" == link.type
    (context,) = [each for each in answer.json["linkset"] if each["anchor"] == address]
    assert context["cite-as"] == [{"href": iri}]
    text = dumped.get(link.target.removeprefix(BASE), headers={"Accept": "application/linkset"})
    assert f'<{iri}>; rel="cite-as"' in text.text
    assert dumped.get("/linkset/doc/organisation/none").status_code == 404


def test_signposts_of_the_dataset(dumped: Site) -> None:
    """Its files are its items; each leads back."""
    path = dumped.graph.settings.dataset_iri.removeprefix(BASE)
    page = dumped.get(path, headers={"Accept": "text/html"})
    found = find_signposting_http_link(page.headers.getlist("Link"), BASE + path)
    assert len(found.items) == 6
    for each in found.items:
        answer = dumped.get(each.target.removeprefix(BASE))
        assert answer.mimetype == each.type
        back = find_signposting_http_link(answer.headers.getlist("Link"), each.target)
        assert back.collection is not None
        assert back.collection.target == BASE + path


def test_the_home_page_leads_on(dumped: Site) -> None:
    """To what describes the site; every one of these addresses answers in the type that is told."""
    home = dumped.get("/", headers={"Accept": "text/html"})
    for line in home.headers["Link"].split(", <"):
        target, _, rest = line.lstrip("<").partition(">")
        if 'rel="original' in rest or "timemap" in rest:
            continue
        kind = rest.partition('type="')[2].rstrip('"')
        answer = dumped.get(target.removeprefix(BASE), headers={"Accept": kind})
        assert answer.status_code == 200, line
        assert answer.mimetype in {kind, "application/json"}, line


def test_the_catalogue_of_interfaces(dumped: Site) -> None:
    """RFC 9727: items, each with its description; they answer."""
    answer = dumped.get("/.well-known/api-catalog")
    assert answer.content_type.startswith("application/linkset+json")
    assert "rfc9727" in answer.content_type
    first, *others = answer.json["linkset"]
    items = {each["href"] for each in first["item"]}
    assert "/sparql" in items
    assert items == {each["anchor"] for each in others}
    for each in others:
        for relation in ("service-desc", "status", "service-meta", "service-doc"):
            for target in each[relation]:
                found = dumped.get(
                    target["href"].removeprefix(BASE), headers={"Accept": target["type"]}
                )
                assert found.status_code == 200, target


def test_markdown_twins(dumped: Site) -> None:
    """Of every page: by suffix, by Accept; links lead where those of the page do."""
    for page, twin in (
        ("/", "/index.md"), ("/catalog", "/catalog.md"), ("/dump/", "/dump/index.md"),
        ("/doc/organisation", "/doc/organisation.md"), ("/query", "/query.md"),
        ("/doc/organisation/example-cluster", "/doc/organisation/example-cluster.md"),
        ("/releases", "/releases.md"), ("/ontology", "/ontology.md"), ("/quality", "/quality.md"),
    ):  # fmt: skip
        html = dumped.get(page, headers={"Accept": "text/html"})
        by_suffix = dumped.get(twin)
        by_type = dumped.get(page, headers={"Accept": "text/markdown, text/html;q=0.8"})
        assert by_suffix.status_code == 200, twin
        assert by_suffix.mimetype == by_type.mimetype == "text/markdown"
        assert by_suffix.text.startswith("# "), twin
        assert html.mimetype == "text/html"
        assert by_suffix.headers["ETag"] != html.headers["ETag"]
        assert "Accept" in by_type.headers["Vary"]
        held = {"If-None-Match": by_suffix.headers["ETag"]}
        assert dumped.get(twin, headers=held).status_code == 304
        assert dumped.client.head(twin).headers["Content-Length"] == str(len(by_suffix.data))
    for accept in ("text/html, text/markdown;q=0.9", "*/*", "text/turtle, text/markdown;q=0.5"):
        assert dumped.get("/", headers={"Accept": accept}).mimetype != "text/markdown"
    assert dumped.get("/doc/organisation/none.md").status_code == 404


def test_markdown_is_what_the_page_says() -> None:
    """Headings, lists, tables, code; special characters are none."""
    html = """<nav>x</nav><main><h1>A <code>b_c</code></h1><nav>no</nav><p>One*  two
    <a href="/x">three</a> <a href="?p=2">four</a></p><ul><li>a<ul><li>b</li></ul></li></ul>
    <table><tr><th>H</th><th>I</th></tr><tr><th>1 | 2</th><td><a href="//e.org/">x</a></td></tr>
    </table><pre><code>SELECT *
    </code></pre><form><input><p>no</p></form><script>no</script></main><p>no</p>"""
    assert markdown.of(html, "http://h/s", "/p").splitlines() == [
        "# A `b_c`", "",
        "One\\* two [three](<http://h/s/x>) [four](<http://h/s/p?p=2>)", "",
        "- a", "  - b", "",
        "| H | I |", "| --- | --- |", "| 1 \\| 2 | [x](<//e.org/>) |", "",
        "```", "SELECT *", "    ", "```",
    ]  # fmt: skip


def test_llms_txt(dumped: Site) -> None:
    """Title, summary, and links that answer."""
    text = dumped.get("/llms.txt").text
    assert text.startswith(f"# {dumped.graph.settings.title}\n\n> ")
    links = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert len(links) > 6
    for link in links:
        assert dumped.get(link.removeprefix(BASE)).status_code in {200, 400}, link


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Site]:
    """A project whose things have names beyond ASCII."""
    scaffold.init(tmp_path / "x", title="Größe 日本")
    for each in served(tmp_path / "x"):
        _made, each.token = each.graph.tokens.create("admin", admin=True)
        name = each.iri("id/place/東京")
        fact = f'<{name}> a <{each.iri("ontology#Täst")}> ; <http://x/p> "1"'
        assert each.update(f"INSERT DATA {{ {fact} }}").status_code == 200
        yield each


def test_names_beyond_ascii(foreign: Site) -> None:
    """Headers carry ASCII; maps and Markdown too lead there."""
    page = foreign.get("/doc/place/東京", headers={"Accept": "text/html"})
    assert page.status_code == 200
    page.headers["Link"].encode("ascii")
    assert foreign.get("/doc/place/東京.md").status_code == 200
    assert foreign.get("/linkset/doc/place/東京").status_code == 200
    foreign.graph.dumps.write()
    assert f"{BASE}/doc/place/%E6%9D%B1%E4%BA%AC" in addresses(foreign.get("/sitemap/1.xml"))


def test_the_shipped_site(shipped: ClusterGraph) -> None:
    """Under a base that is not where it is served: links lead to where it is."""
    client = create_app(shipped).test_client()
    text = client.get("/index.md").text
    assert "](</doc/" in text
    assert "](<https://w3id.org/clustergraph/" not in text
    page = client.get("/doc/place/catalonia", headers={"Accept": "text/html"})
    found = find_signposting_http_link(page.headers.getlist("Link"), "http://h/doc/place/catalonia")
    assert found.citeAs.target == "https://w3id.org/clustergraph/id/place/catalonia"
    assert all(str(each.target).startswith("http://h/") for each in found.describedBy)
