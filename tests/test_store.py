"""The embedded store: answers, streams, errors."""

from __future__ import annotations

import json
import threading

import pyoxigraph as ox
import pytest

from clustergraph import rdf, sparql, store
from clustergraph.errors import QueryError
from clustergraph.store.embedded import EmbeddedStore

GRAPH = ox.NamedNode("http://a/g")


@pytest.fixture
def many() -> EmbeddedStore:
    """A store of 50,000 triples in one graph."""
    inner = ox.Store()
    inner.bulk_extend(
        ox.Quad(ox.NamedNode(f"http://a/{n}"), ox.NamedNode("http://a/p"), ox.Literal(n), GRAPH)
        for n in range(50_000)
    )
    return EmbeddedStore(inner)


def test_rows_are_typed(many: EmbeddedStore) -> None:
    """Unbound variables are absent."""
    rows = store.select(many, "SELECT ?o ?none { GRAPH ?g { <http://a/7> ?p ?o } }")
    assert rows == [{"o": ox.Literal(7)}]
    assert store.ask(many, "ASK { GRAPH <http://a/g> { ?s ?p 3 } }")
    assert len(list(store.construct(many, "DESCRIBE <http://a/7> FROM <http://a/g>"))) == 1


@pytest.mark.parametrize("fmt", rdf.RESULTS_FORMATS, ids=lambda fmt: fmt.suffix)
def test_every_format_of_results(many: EmbeddedStore, fmt: rdf.ResultsFormat) -> None:
    """A long answer comes in several chunks and is whole."""
    query = sparql.parse("SELECT ?s ?o { GRAPH ?g { ?s ?p ?o } }")
    chunks = list(many.answer(query, fmt))
    assert len(chunks) > 3
    assert b"".join(chunks).count(b"http://a/") >= 50_000


def test_protocol_graphs_win_over_from(many: EmbeddedStore) -> None:
    """Section 2.1.4 of the SPARQL protocol."""
    query = sparql.parse("SELECT (COUNT(*) AS ?n) FROM <http://a/none> { ?s ?p ?o }")
    dataset = store.DatasetClause(default_graphs=("http://a/g",))
    answer = json.loads(b"".join(many.answer(query, rdf.JSON, dataset)))
    assert answer["results"]["bindings"][0]["n"]["value"] == "50000"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT * {\n ?s foaf:name ?o }", 2),
        ("SELECT ?s {\n\n ?s ?p }", 3),
        ("SELECT ?x (COUNT(?s) AS ?n) { ?s ?p ?x }", 1),
    ],
)
def test_the_engine_errors_name_the_place(many: EmbeddedStore, text: str, line: int) -> None:
    """In our words, without the engine's internals."""
    with pytest.raises(QueryError) as caught:
        many.answer(sparql.parse(text), rdf.JSON)
    assert caught.value.line == line
    assert "\\u{" not in str(caught.value)


def test_a_reader_that_leaves_ends_the_query(many: EmbeddedStore) -> None:
    """No thread is left behind."""
    before = set(threading.enumerate())
    answer = many.answer(sparql.parse("SELECT * { GRAPH ?g { ?s ?p ?o } }"), rdf.XML)
    assert next(answer).startswith(b"<?xml")
    answer.close()  # type: ignore[attr-defined]  # a generator
    (worker,) = set(threading.enumerate()) - before
    worker.join(timeout=30)
    assert not worker.is_alive()


def test_an_unknown_function_is_an_expression_error(many: EmbeddedStore) -> None:
    """The variable stays unbound, the row remains (SPARQL 17.3)."""
    rows = store.select(many, "SELECT * { BIND(<http://a/f>(1) AS ?x) }")
    assert rows == [{}]


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("SELECT * { ?s ?p ?o }", "s,p,o"),
        ("# ?z\nselect distinct* { ?zebra ?b ?a FILTER(?hidden = 1) }", "zebra,b,a"),
        ("SELECT * { ?b ?a ?c { SELECT ?z { ?x ?y ?z } } }", "b,a,c,z"),
        ("SELECT * { VALUES (?c ?a) { (1 2) } BIND(?a * 2 AS ?b) }", "c,a,b"),
        ("SELECT * {}", ""),
        ("SELECT (2 * 3 AS ?n) {}", "n"),
    ],
)
def test_columns_stand_in_the_order_of_the_query(text: str, head: str) -> None:
    """SELECT * names no order; people expect that of their text."""
    backend = EmbeddedStore(ox.Store())
    answer = b"".join(backend.answer(sparql.parse(text), rdf.CSV))
    assert answer.split(b"\r\n")[0].decode() == head
