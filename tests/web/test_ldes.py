"""The change feed as a Linked Data Event Stream: pages, what they tell, what goes from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from tests.web.conftest import Site, served
from werkzeug.test import Client

from clustergraph import scaffold
from clustergraph.mirror.stream import Page, Stream, stream_of
from clustergraph.releases import feed, members
from clustergraph.releases.candidate import digest_of
from clustergraph.web.front import front

TRIG = {"Accept": "application/trig"}
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"


def read(site: Site, path: str, media_type: str = "application/trig") -> Page:
    """A page as a client sees it."""
    answer = site.get(path, headers={"Accept": media_type})
    assert answer.status_code == 200, (path, answer.text)
    assert answer.content_type == media_type
    fmt = ox.RdfFormat.from_media_type(media_type)
    assert fmt is not None
    url = f"http://localhost{path}"
    return Page(ox.parse(answer.data, fmt, base_iri=url), url)


def pages(site: Site) -> tuple[Stream, list[Page]]:
    """The stream, and all its pages."""
    root = read(site, "/feed/ldes")
    stream, address = stream_of(root)
    assert address == root.url
    found, waiting = [root], root.nodes()
    while waiting:
        page = read(site, waiting.pop(0).removeprefix("http://localhost"))
        found.append(page)
        waiting += page.nodes()
        assert len(found) < 1000
    return stream, found


def replayed(site: Site) -> set[ox.Quad]:
    """The graph as the feed tells it."""
    stream, found = pages(site)
    things: dict[object, tuple[ox.Quad, ...]] = {}
    changes = [each for page in found for each in stream.changes(page)]
    for each in sorted(changes, key=lambda change: change.order):
        things[each.thing] = each.quads
    return {quad for quads in things.values() for quad in quads}


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Site]:
    """The small project with small pages and blocks, and a token."""
    scaffold.init(tmp_path / "tight", title="Example")
    for site in served(tmp_path / "tight", feed_page=5):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        yield site


@pytest.fixture
def tight_plain(tmp_path: Path) -> Iterator[Site]:
    """A plain store with small pages, and a token."""
    scaffold.init(tmp_path / "plain", bare=True)
    for site in served(tmp_path / "plain", feed_page=5):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        yield site


def changed(site: Site) -> str:
    """A thing is made, named otherwise, and gone; in two graphs; with a blank node."""
    thing = site.iri("id/organisation/new")
    graph = site.iri("graph/other")
    both = f'<{LABEL}> "First"@en , "Erster"@de'
    made = f'<{LABEL}> "First"@en ; <http://x/made> [ <http://x/in> 1 ]'
    for text in (
        f"INSERT DATA {{ <{thing}> {made} . GRAPH <{graph}> {{ <{thing}> {both} }} }}",
        f'DELETE DATA {{ GRAPH <{graph}> {{ <{thing}> <{LABEL}> "Erster"@de }} }}',
        f"DELETE WHERE {{ <{thing}> ?p ?o }} ; DROP GRAPH <{graph}>",
    ):
        assert site.update(text, headers={"Prefer": "handling=lenient"}).status_code == 200
    return thing


@pytest.mark.parametrize("name", ["tight", "tight_plain"])
def test_the_feed_tells_every_quad(name: str, request: pytest.FixtureRequest) -> None:
    """After each change, with computed graphs and without, in many small pages."""
    site: Site = request.getfixturevalue(name)
    changed(site)
    assert site.update("INSERT DATA { <http://x/a> <http://x/b> _:c . _:c <http://x/d> _:c }")
    manifest = site.graph.release().manifest
    told = replayed(site)
    assert digest_of(told) == (manifest.digest, manifest.quads)


def test_a_thing_is_made_changed_and_gone(site: Site) -> None:
    """As Activity Streams name it; with its type where it is gone; each in its release."""
    thing = changed(site)
    stream, found = pages(site)
    about = ox.NamedNode(thing)
    kinds: list[str] = []
    for page in found:
        for member in page.about[ox.NamedNode(stream.iri)]["https://w3id.org/tree#member"]:
            told = page.about[member]
            if told["http://purl.org/dc/terms/isVersionOf"] == [about]:
                kinds += [each.value.rpartition("#")[2] for each in told[members.TYPE]]
    assert kinds == ["Create", "Update", "Delete"]


def test_members_have_the_shape_that_is_told(site: Site) -> None:
    """Judged by pyshacl; and a member without a time would not pass."""
    changed(site)
    shapes = rdflib.Graph().parse(
        data=site.get("/feed/ldes", headers={"Accept": "text/turtle"}).text, format="turtle",
        publicID="http://localhost/feed/ldes",
    )  # fmt: skip
    shape = rdflib.URIRef(site.iri(f"{members.STREAM}-shape"))
    target = rdflib.URIRef("http://www.w3.org/ns/shacl#targetObjectsOf")
    shapes.add((shape, target, rdflib.URIRef(members.MEMBER)))
    state = feed.state_of(site.graph.archive, site.graph.release().manifest)
    assert state is not None
    path = f"/feed/ldes/{state.epoch}/{state.full + 1}"
    lines = site.get(path, headers={"Accept": "application/n-quads"}).data
    quads = ox.parse(lines, ox.RdfFormat.N_QUADS)
    plain = [each.triple for each in quads if isinstance(each.graph_name, ox.DefaultGraph)]
    text = ox.serialize(plain, format=ox.RdfFormat.N_TRIPLES) or b""
    told = rdflib.Graph().parse(data=text.decode(), format="nt")
    assert len(list(told.subject_objects(rdflib.URIRef(members.MEMBER)))) > 2
    assert pyshacl.validate(told, shacl_graph=shapes)[0]
    told.remove((None, rdflib.URIRef(members.CREATED), None))
    assert not pyshacl.validate(told, shacl_graph=shapes)[0]


def test_full_pages_never_change(tight: Site) -> None:
    """They say so; the open page and the root are asked for again; relations come to an end."""
    site = tight
    index = next(each for each in read(site, "/feed/ldes").nodes() if "/index/" in each)
    inside = read(site, index.removeprefix("http://localhost"))
    first = inside.nodes()[0].removeprefix("http://localhost")
    before = site.get(first, headers=TRIG)
    assert "immutable" in before.headers["Cache-Control"]
    assert b"immutable> true" in before.data or b"ldes:immutable true" in before.data
    old_root = site.get("/feed/ldes", headers=TRIG)
    changed(site)
    after = site.get(first, headers=TRIG)
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    known = {"If-None-Match": before.headers["ETag"], **TRIG}
    assert site.get(first, headers=known).status_code == 304
    known = {"If-None-Match": old_root.headers["ETag"], **TRIG}
    assert site.get("/feed/ldes", headers=known).status_code == 200
    _stream, found = pages(site)
    immutable = [each.is_immutable() for each in found]
    assert immutable.count(False) == 2  # the root, and the page that is not full
    assert len({each.url for each in found}) == len(found)
    state = feed.state_of(site.graph.archive, site.graph.release().manifest)
    assert state is not None
    assert len(state.blocks) >= 1
    assert len([each for each in found if "/index/" in each.url]) == len(state.blocks)
    assert site.get(f"/feed/ldes/{state.epoch}/{state.full + 2}").status_code == 404
    assert site.get(f"/feed/ldes/{state.epoch}/index/99").status_code == 404
    assert site.get("/feed/ldes/x/1").status_code == 404


@pytest.mark.parametrize("media_type", ["application/trig", "application/n-quads",
                                        "application/ld+json"])  # fmt: skip
def test_formats_say_the_same(site: Site, media_type: str) -> None:
    """Of the members; what has no graphs is offered for the root alone."""
    state = feed.state_of(site.graph.archive, site.graph.release().manifest)
    assert state is not None
    path = f"/feed/ldes/{state.epoch}/1"
    stream, _found = pages(site)
    expected = {each.thing: set(each.quads) for each in stream.changes(read(site, path))}
    page = read(site, path, media_type)
    assert {each.thing: set(each.quads) for each in stream.changes(page)} == expected
    assert site.get(path, headers={"Accept": "text/turtle"}).status_code == 406
    assert site.get("/feed/ldes", headers={"Accept": "text/turtle"}).status_code == 200


def test_what_is_forgotten_is_in_no_page(tight: Site) -> None:
    """The stream begins anew; earlier pages are gone, on disk too."""
    site = tight
    thing = changed(site)
    earlier = [each.url.removeprefix("http://localhost") for each in pages(site)[1][1:]]
    site.graph.forget([thing])
    for path in earlier:
        assert site.get(path, headers=TRIG).status_code == 410
    assert not any(thing.encode() in site.get(path.url.removeprefix("http://localhost")).data
                   for path in pages(site)[1])  # fmt: skip
    manifest = site.graph.release().manifest
    assert digest_of(replayed(site))[0] == manifest.digest
    folders = [each for each in (site.graph.archive.folder / "feed").iterdir() if each.is_dir()]
    assert len(folders) == 1


def test_a_feed_that_is_lost_begins_anew(site: Site) -> None:
    """A build writes it; before that the graph is served without."""
    feed_folder = site.graph.archive.folder / "feed"
    for path in sorted(feed_folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert site.get("/feed/ldes").status_code == 404
    changed(site)
    assert digest_of(replayed(site))[0] == site.graph.release().manifest.digest


def test_a_compressed_answer_does_not_mislabel_the_next(site: Site) -> None:
    """What is kept of the first answer has no content coding, nor says that it has."""
    client = Client(front(site.graph, log=None))
    headers = {"Accept-Encoding": "gzip", **TRIG}
    first, second = (client.get("/feed/ldes", headers=headers, buffered=True) for _ in range(2))
    assert first.headers["Content-Encoding"] == second.headers["Content-Encoding"] == "gzip"
    assert first.data[:2] == second.data[:2] == b"\x1f\x8b"
    plain = client.get("/feed/ldes", headers=TRIG, buffered=True)
    assert "Content-Encoding" not in plain.headers
