"""Stored queries on a build: expected rows, and the graph of examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clustergraph import examples, queries
from clustergraph.errors import ValidationFailedError
from clustergraph.service import ClusterGraph

NAMES = """#+ title: Names
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?s ?name { ?s skos:prefLabel ?name FILTER(STRSTARTS(STR(?s), "{base}id/")) }
"""


def stored(graph: ClusterGraph, text: str, expected: str | None = None) -> Path:
    """Put a stored query into a project."""
    path = graph.settings.project / "queries" / "names.rq"
    path.write_text(text.replace("{base}", graph.settings.base))
    if expected is not None:
        path.with_suffix(".csv").write_text(expected)
    return path


def rows(graph: ClusterGraph) -> str:
    """The rows that a build finds, as it tells them."""
    with pytest.raises(ValidationFailedError) as caught:
        graph.build()
    assert "names" in str(caught.value)
    found = (line.strip() for line in caught.value.text.splitlines())
    return "\n".join(line[1:] for line in found if line.startswith("+"))


def test_other_rows_refuse_a_build(small: ClusterGraph) -> None:
    """The error names query, expected and found; no release is made."""
    stored(small, NAMES, "s,name\nid/x,Nobody\n")
    with pytest.raises(ValidationFailedError) as caught:
        small.build()
    assert "names (- expected, + found):" in caught.value.text
    assert "-id/x,Nobody" in caught.value.text
    assert "+id/" in caught.value.text
    assert small.archive.current_number() is None


def test_expected_rows_are_taken_in_any_order(small: ClusterGraph) -> None:
    """Unless the query says in which; what is expected is a part of what a build rests on."""
    stored(small, NAMES, "s,name\n")
    found = rows(small).splitlines()
    assert len(found) > 1
    backwards = "\n".join(["s,name", *sorted(found, reverse=True)])
    stored(small, NAMES, backwards)
    assert small.build().fresh
    stored(small, NAMES, backwards + "\nid/y,More\n")
    assert "More" not in rows(small)
    stored(small, NAMES + "ORDER BY ?s", backwards)
    with pytest.raises(ValidationFailedError):
        small.build()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#+ title: x\nCONSTRUCT WHERE { ?s ?p ?o }", "answers with a graph"),
        ("#+ title: x\nSELECT * { ?s ?p }", "cannot stand here"),
        ("#+ title: x\n#+ params: {p: {type: iri}}\nSELECT * { ?s $p ?o }", "needs p"),
    ],
)
def test_what_cannot_be_compared_is_told(small: ClusterGraph, text: str, words: str) -> None:
    """With the name of the query."""
    stored(small, text, "s\n")
    with pytest.raises(ValidationFailedError) as caught:
        small.build()
    assert words in caught.value.text


def test_the_examples_are_executable_queries(shipped: ClusterGraph) -> None:
    """Every one of them runs as it stands in the graph."""
    things = shipped.settings.iri("id/")
    found = shipped.select(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX schema: <https://schema.org/> "
        "SELECT ?q ?text { GRAPH ?g { ?q a sh:SPARQLExecutable , sh:SPARQLSelectExecutable ; "
        f"sh:select ?text ; schema:target <{shipped.settings.iri('sparql')}> }} }}"
    )
    assert len(found) >= 20
    for row in found:
        text = str(getattr(row["text"], "value", ""))
        assert things not in text
        shipped.select(text)


@pytest.mark.parametrize(
    ("parameter", "text", "published"),
    [
        ("", "SELECT * { ?s ?p 1 }", "SELECT * { ?s ?p 1 }"),
        ("v: {default: a}", "ASK { ?s ?p $v }", 'ASK { ?s ?p "a" }'),
        ("v: {type: iri, default: id/x}", "ASK { $v ?p ?o }", "ASK { $v ?p ?o }"),
        ("v: {type: iri, default: 'b:x'}", "ASK { $v ?p ?o }", "ASK { <b:x> ?p ?o }"),
        ("v: {type: iri}", "ASK { $v ?p ?o }", "ASK { $v ?p ?o }"),
        ("v: {type: string}", "ASK { ?s ?p $v }", None),
        ("", "ASK { <http://a/id/x> ?p ?o }", None),
        ("", "PREFIX x: <http://a/id/> ASK { x:y ?p ?o }", None),
        ("", "PREFIX x: <http://a/id/x/> ASK { x:y ?p ?o }", None),
        ("", "PREFIX x: <http://a/> ASK { x:id\\/y ?p ?o }", None),
        ("", "DESCRIBE <http://a/b>", None),
        ("v: {default: a}", "ASK { ?s ?p 1 }", None),
        ("", "ASK {", None),
    ],
)
def test_examples_name_no_thing(
    tmp_path: Path, small: ClusterGraph, parameter: str, text: str, published: str | None
) -> None:
    """What is forgotten cannot live on in them; what cannot be run is no example."""
    path = tmp_path / "q.rq"
    path.write_text(f"#+ title: x\n#+ params: {{{parameter}}}\n{text}")
    query = queries.read(path, name="q", written_base="http://a/", base="http://a/")
    settings = replace(small.settings, base="http://a/")
    found = [
        each.object.value
        for each in examples.describe([query], settings)
        if each.predicate.value.startswith("http://www.w3.org/ns/shacl#")
    ]
    assert found == ([] if published is None else [published])
