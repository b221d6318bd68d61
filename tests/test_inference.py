"""Inference for any project: the rules that come with the program."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from clustergraph import inference, queries
from clustergraph.errors import SourceError
from clustergraph.service import ClusterGraph


def test_a_new_project_gets_superclasses_and_symmetry(small: ClusterGraph) -> None:
    """In the inferred graph alone; what is asserted is not repeated there."""
    small.build()
    inferred = f"{small.settings.base}graph/inferred"
    rows = small.select(f"SELECT ?s ?o {{ GRAPH <{inferred}> {{ ?s a ?o }} }}")
    assert {row["o"].value for row in rows} >= {"http://www.w3.org/ns/org#Organization"}
    both = small.select("SELECT ?a ?b { ?a <http://127.0.0.1:8080/ontology#worksWith> ?b }")
    assert len(both) == 2
    assert not small.select(
        f"SELECT * {{ GRAPH <{inferred}> {{ ?s ?p ?o }} GRAPH ?g {{ ?s ?p ?o }} "
        f"FILTER(?g != <{inferred}>) }}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [("CONSTRUCT {", "not valid SPARQL"), ("SELECT * {}", "must be a CONSTRUCT query")],
)
def test_a_bad_rule_is_told(small: ClusterGraph, text: str, message: str) -> None:
    """By its name."""
    folder = small.settings.project / "ontology/rules"
    folder.mkdir()
    (folder / "mine.rq").write_text(f"#+ title: Mine\n{text}")
    with pytest.raises(SourceError, match=f"mine.*{message}"):
        small.build()


def test_a_rule_that_feeds_itself_is_told() -> None:
    """It does not run for ever."""
    endless = "CONSTRUCT { ?s <a:n> ?m } WHERE { ?s <a:n> ?n BIND(?n + 1 AS ?m) }"
    rule = queries.StoredQuery("more", "More", "", (), endless, {})
    start = ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:n"), ox.Literal(1), ox.NamedNode("a:g"))
    with pytest.raises(SourceError, match="still derive new triples"):
        inference.infer([start], {"more": rule})
