"""Pattern fragments: what matches, counted, page by page, as Linked Data Fragments clients ask."""

from __future__ import annotations

import gzip
import io
from typing import Any
from urllib.parse import quote, urlsplit

import pyoxigraph as ox
import pytest
from tests.web.conftest import Site
from werkzeug.test import Client

from clustergraph import rdf
from clustergraph.errors import OverloadedError, UsageError
from clustergraph.fragments import PAGE, Fragments, Pattern, Variable, term
from clustergraph.web.front import front

HYDRA = "http://www.w3.org/ns/hydra/core#"
VOID = "http://rdfs.org/ns/void#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
XSD = "http://www.w3.org/2001/XMLSchema#"
DEFAULT = "urn:ldf:defaultGraph"
GENID = "http://127.0.0.1:8080/.well-known/genid/blank-"
EXAMPLES = """
  <http://x/s> <http://x/p> 255 , 256 , 257 , 511 , -1 , 0 , 65535 , 65536 , 254 , 1.5 ,
    1.6 , 2.55 , "255"^^<http://www.w3.org/2001/XMLSchema#int> , true , false , "255" , "255"@en ,
    "2016-01-01"^^<http://www.w3.org/2001/XMLSchema#date> , "línea\\nnueva" ,
    "a \\"quoted\\" text"@en , <http://x/s> .
  <http://x/t> <http://x/p> 255 , 256 , <http://x/é> , <http://x/a%20b?c=d&e=f+g#h> .
"""


@pytest.fixture
def filled(plain: Site) -> Site:
    """A plain store with every kind of term, in two graphs."""
    blank = "_:one <http://x/q> _:two . _:two <http://x/q> 255 ; <http://x/r> <http://x/s> ."
    for graph, text in (("http://x/g", EXAMPLES), ("http://x/h", EXAMPLES + blank)):
        answer = plain.send("PUT", f"/graphs?graph={graph}", data=text.encode(),
                            headers={"Content-Type": "text/turtle"})  # fmt: skip
        assert answer.status_code in {200, 201, 204}, answer.text
    return plain


def asked(site: Site, accept: str = "application/n-quads", **pattern: str) -> Any:
    """A page of a fragment."""
    return site.get("/fragments", query_string=pattern, headers={"Accept": accept})


def split(content: bytes, fmt: rdf.RdfFormat = rdf.N_QUADS) -> tuple[list[ox.Quad], list[ox.Quad]]:
    """The data of a page, and its metadata."""
    data, metadata = [], []
    for quad in ox.parse(content, fmt.engine):
        is_metadata = str(quad.graph_name).endswith("#metadata>")
        (metadata if is_metadata else data).append(quad)
    return data, metadata


def values(metadata: list[ox.Quad], predicate: str) -> set[str]:
    """The values of a property in metadata."""
    return {each.object.value for each in metadata if each.predicate.value == predicate}


def crawled(site: Site, **pattern: str) -> list[ox.Quad]:
    """The whole fragment, by following the links."""
    found: list[ox.Quad] = []
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pattern.items())
    address, seen = f"/fragments?{query}".rstrip("?"), set[str]()
    while address:
        assert address not in seen
        seen.add(address)
        answer = site.get(address, headers={"Accept": "application/n-quads"})
        assert answer.status_code == 200, answer.text
        data, metadata = split(answer.data)
        assert len(data) <= PAGE
        found += data
        (page,) = values(metadata, VOID + "subset")
        assert page == f"http://localhost{address}"
        following = values(metadata, HYDRA + "next")
        address = following.pop().removeprefix("http://localhost") if following else ""
    return found


def test_a_page_says_what_it_is_and_how_to_ask(site: Site) -> None:
    """Metadata in a graph of its own, found by the address as it was asked; a control for any."""
    answer = asked(site, predicate=TYPE)
    data, metadata = split(answer.data)
    assert data
    assert {each.predicate.value for each in data} == {TYPE}
    assert values(metadata, HYDRA + "template") == {
        "http://localhost/fragments{?subject,predicate,object,graph}"
    }
    assert values(metadata, HYDRA + "variable") == {"subject", "predicate", "object", "graph"}
    assert values(metadata, HYDRA + "itemsPerPage") == {str(PAGE)}
    (primary,) = values(metadata, "http://xmlns.com/foaf/0.1/primaryTopic")
    (subset,) = [each for each in metadata if each.predicate.value == VOID + "subset"]
    assert str(subset.subject) == f"<{primary}>"
    assert (
        subset.object.value == f"http://localhost/fragments?predicate={quote(TYPE, safe='/:')}"
        or (subset.object.value.startswith("http://localhost/fragments?predicate="))
    )
    assert len(values(metadata, VOID + "triples")) == 1
    assert 'rel="first"' in answer.headers["Link"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    tag = {"Accept": "application/n-quads", "If-None-Match": answer.headers["ETag"]}
    again = site.get("/fragments", query_string={"predicate": TYPE}, headers=tag)
    assert again.status_code == 304


def test_pages_end_and_hold_everything_once(site: Site) -> None:
    """All quads of the named graphs, or of the default graph; the count is theirs."""
    folder = site.graph.archive.path(site.graph.release().manifest.number) / "public"
    store = ox.Store.read_only(str(folder))
    named = {each for each in store if not isinstance(each.graph_name, ox.DefaultGraph)}
    merged = {each for each in store if isinstance(each.graph_name, ox.DefaultGraph)}
    assert len(named) > 2 * PAGE
    plainly = {each for each in named if "_:" not in str(each)}
    found = crawled(site)
    assert len(found) == len(named) == len(set(found))
    assert plainly <= set(found)
    found = crawled(site, graph=DEFAULT)
    assert len(found) == len(merged) == len(set(found))
    _data, metadata = split(asked(site, graph=DEFAULT).data)
    assert values(metadata, HYDRA + "totalItems") == {str(len(merged))}
    assert all(isinstance(each.graph_name, ox.DefaultGraph) for each in found)


def test_each_kind_of_term(filled: Site) -> None:
    """What is asked for is what comes: numbers whose last byte is 255, languages, quotes, IRIs."""
    everything = [each for each in crawled(filled)
                  if each.predicate.value.startswith("http://x/")]  # fmt: skip
    assert everything
    for quad in everything:
        for name, wanted in (("subject", quad.subject), ("object", quad.object)):
            text = wanted.value if isinstance(wanted, ox.NamedNode) else _address(wanted)
            found = crawled(filled, **{name: text})
            expected = [each for each in crawled(filled) if getattr(each, name) == wanted]
            assert sorted(map(str, found)) == sorted(map(str, expected)), text
        graph = getattr(quad.graph_name, "value", DEFAULT)
        exact = crawled(filled, subject=quad.subject.value, predicate=quad.predicate.value,
                        object=_text(quad.object), graph=graph)  # fmt: skip
        assert exact == [quad]


def _text(found: Any) -> str:
    return found.value if isinstance(found, ox.NamedNode) else _address(found)


def _address(literal: ox.Literal) -> str:
    if literal.language:
        return f'"{literal.value}"@{literal.language}'
    return f'"{literal.value}"^^{literal.datatype.value}'


def test_a_page_shows_what_there_is(filled: Site) -> None:
    """Where the default graph is no merge, all graphs."""
    page = asked(filled, "text/html", predicate="http://x/r")
    assert "1 statements" in page.text
    assert "http://x/h" in page.text
    assert len(crawled(filled, predicate="http://x/r", graph=DEFAULT)) == 0


def test_forms_of_terms(filled: Site) -> None:
    """With angle brackets or without; 0255 is 255; the same variable twice is the same term."""
    for text in (f'"255"^^{XSD}integer', f'"255"^^<{XSD}integer>', f'"0255"^^{XSD}integer'):
        assert len(crawled(filled, object=text, graph="http://x/g")) == 2
    assert len(crawled(filled, object='"255"', graph="<http://x/g>")) == 1
    assert crawled(filled, subject="<http://x/s>", object="?o") == crawled(
        filled, subject="http://x/s"
    )
    same = crawled(filled, subject="?x", object="?x", graph="http://x/g")
    assert [each.object.value for each in same] == ["http://x/s"]
    assert crawled(filled, predicate='"text"') == []
    assert crawled(filled, subject='"text"') == []
    assert crawled(filled, graph="http://x/none") == []


def test_blank_nodes_can_be_followed(filled: Site) -> None:
    """A blank node has the same IRI on each page, and can be asked for by it."""
    first = next(each for each in crawled(filled, predicate="http://x/q", graph="http://x/h")
                 if isinstance(each.object, ox.NamedNode))  # fmt: skip
    node = first.object.value
    following = crawled(filled, subject=node, graph="http://x/h")
    assert {each.predicate.value for each in following} == {"http://x/q", "http://x/r"}
    assert crawled(filled, object=node, graph="http://x/h") == [first]
    if node.startswith(GENID):
        assert crawled(filled, subject=f"_:{node.removeprefix(GENID)}", graph="http://x/h")


def test_terms_that_are_none() -> None:
    """A sentence tells it; nothing of them reaches the engine."""
    for text in ("x", "no iri", "<http://x", "http://x/<y>", "http://x/{}", '"open', '"a"@',
                 '"a"^^', '"a"^^x', "?x y", "_:", "_: b", '"a"@en-', "http://x/ y", "x" * 200_000,
                 "http://x/> } INSERT", '"a"^^<http://x/ y>'):  # fmt: skip
        with pytest.raises(UsageError):
            term(text, "object")
    for text in ("", "?", "?x", "?subject"):
        assert isinstance(term(text, "object"), Variable)
    assert term("", "subject") != term("?subject", "object")
    assert str(term('"a"b"@en', "object")) == '"a\\"b"@en'
    assert term('"a\nb"', "object") == ox.Literal("a\nb")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("predicate=x", 400), ("page=0", 400), ("page=x", 400), ("page=999999999", 400),
        ("subject=http://x/a&subject=http://x/b", 400), ("object=%FF", 400), ("release=99", 404),
        ("release=x", 400), ("format=none", 406), ("page=5000", 200),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(site: Site, query: str, status: int) -> None:
    """Statuses and sentences; a page behind the last one is empty, and ends."""
    answer = site.get(f"/fragments?{query}", headers={"Accept": "application/n-quads"})
    assert answer.status_code == status, answer.text
    if status == 200:
        data, metadata = split(answer.data)
        assert not data
        assert not values(metadata, HYDRA + "next")
        (count,) = values(metadata, HYDRA + "totalItems")
        (previous,) = values(metadata, HYDRA + "previous")
        assert f"page={-(-int(count) // PAGE)}" in previous
        assert int(count) == len(crawled(site))


def test_each_format(site: Site) -> None:
    """Formats that name graphs get quads; the others the default graph, as whole graphs do."""
    quads = {}
    for fmt in (rdf.TRIG, rdf.N_QUADS, rdf.JSON_LD):
        answer = asked(site, fmt.media_type, predicate=TYPE)
        assert answer.content_type.startswith(fmt.media_type)
        quads[fmt.name] = set(split(answer.data, fmt)[0])
    assert quads["TriG"] == quads["N-Quads"] == quads["JSON-LD"]
    triples = {}
    for fmt in (rdf.TURTLE, rdf.N_TRIPLES, rdf.RDF_XML):
        answer = asked(site, fmt.media_type, predicate=TYPE)
        found = list(ox.parse(answer.data, fmt.engine))
        triples[fmt.name] = {each for each in found if "http://localhost/" not in str(each.subject)}
        assert any(each.predicate.value == HYDRA + "template" for each in found)
    assert triples["Turtle"] == triples["N-Triples"] == triples["RDF/XML"]
    assert asked(site, "*/*").content_type.startswith("application/trig")
    page = asked(site, "text/html", predicate=TYPE)
    assert page.content_type.startswith("text/html")
    assert page.text.count("<script") == 1  # the one of suggestions
    assert " style=" not in page.text
    assert f'value="{TYPE}"' in page.text


def test_pages_stay_with_their_release(site: Site) -> None:
    """Links name the release, so that what is written meanwhile moves nothing."""
    _data, metadata = split(asked(site).data)
    following = urlsplit(values(metadata, HYDRA + "next").pop())
    address = f"{following.path}?{following.query}"
    before = site.get(address, headers={"Accept": "application/n-quads"})
    text = "".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(300))
    assert site.update(f"INSERT DATA {{ {text} }}").status_code == 200
    after = site.get(address, headers={"Accept": "application/n-quads"})
    assert after.data == before.data
    assert len(crawled(site, predicate="http://x/p", graph=DEFAULT)) == 300


def test_large_fragments_are_estimated(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what is counted, by what the release counted when it was made."""
    exact = {}
    patterns = ({}, {"graph": DEFAULT}, {"predicate": TYPE, "graph": DEFAULT},
                {"graph": site.iri("graph/catalogue")}, {"predicate": TYPE})  # fmt: skip
    for place, pattern in enumerate(patterns):
        exact[place] = len(crawled(site, **pattern))
    monkeypatch.setattr("clustergraph.fragments.pages._COUNTED", 10)
    site.graph.fragments._counts.clear()
    for place, pattern in enumerate(patterns[:4]):
        _data, metadata = split(asked(site, **pattern).data)
        assert values(metadata, VOID + "triples") == {str(exact[place])}, pattern
    page = asked(site, "text/html", graph=site.iri("graph/catalogue"))
    assert f"about {exact[3]} statements" in page.text


def test_few_read_far_in_at_once(site: Site) -> None:
    """What passes over very much takes one of a few places, and gives it back."""
    fragments: Fragments = site.graph.fragments
    everything = Pattern(Variable("s"), Variable("p"), Variable("o"), None)
    release, far = site.graph.release(), 2000
    assert fragments.page(release, everything, far, merged=True).quads == ()
    with fragments._deep, fragments._deep, pytest.raises(OverloadedError):
        fragments.page(release, everything, far, merged=True)
    assert fragments.page(release, everything, far, merged=True).quads == ()


def test_kept_answers_are_compressed_again(site: Site) -> None:
    """An answer that is kept is not said to be compressed when it is not."""
    client = Client(front(site.graph, log=io.StringIO()))
    for address in (f"/fragments?predicate={TYPE}", "/sparql", "/reconcile"):
        bodies = []
        for coding in ("gzip", "gzip", "identity", "gzip"):
            headers = {"Accept-Encoding": coding, "Accept": "*/*"}
            answer = client.get(address, headers=headers, buffered=True)
            is_packed = answer.headers.get("Content-Encoding") == "gzip"
            bodies.append(gzip.decompress(answer.data) if is_packed else answer.data)
            assert is_packed is (coding == "gzip"), (address, answer.headers)
        assert len(set(bodies)) == 1, address
    site.graph.close()


def test_controls_are_those_of_the_host_asked(site: Site) -> None:
    """An answer that is kept for one host is not given to another."""
    client = Client(front(site.graph, log=io.StringIO()))
    for host in ("one.example", "two.example"):
        for address in ("/fragments", "/reconcile"):
            answer = client.get(address, headers={"Host": host}, buffered=True)
            assert f"http://{host}/" in answer.text
            assert "example/" not in answer.text.replace(f"{host}/", "").replace("/example/", "")
    site.graph.close()
