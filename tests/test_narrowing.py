"""Queries narrowed to what a change can matter to: nothing that comes or goes is missed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

from clustergraph import queries
from clustergraph.closure import Closure
from clustergraph.inference import infer
from clustergraph.narrowing import Change, Narrowable, UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterable

QUERIES = {
    "join": "SELECT ?s ?o { ?s <p:a> ?m . ?m <p:b> ?o }",
    "graphs": "SELECT DISTINCT ?s ?g { GRAPH ?g { ?s ?p ?o } GRAPH ?h { ?o <p:a> ?s } }",
    "graph constant": "SELECT ?s { GRAPH <g:1> { ?s <p:a> ?o } "
    "MINUS { GRAPH <g:2> { ?s ?p ?o } } }",
    "not exists": "SELECT ?s { ?s <p:a> ?o FILTER NOT EXISTS { ?o <p:b> ?x . ?x <p:c> ?y } }",
    "exists": "SELECT ?s { ?s <p:a> ?o FILTER EXISTS { ?o <p:b> ?x FILTER (?x != ?s) } }",
    "either": "SELECT ?s { ?s <p:a> ?o "
    "FILTER (!EXISTS { ?s <p:b> ?o } || EXISTS { ?o <p:c> ?s }) }",
    "minus": "SELECT ?s ?o { ?s ?p ?o MINUS { ?t <p:b> ?s . ?t <p:c> ?x } }",
    "minus in minus": "SELECT ?s { ?s <p:a> ?o MINUS { ?s <p:b> ?x MINUS { ?x <p:c> ?y } } }",
    "unconnected": "SELECT ?s { ?s <p:a> ?o FILTER EXISTS { ?x <p:b> <n:1> } }",
    "optional": "SELECT ?s ?x { ?s <p:a> ?o OPTIONAL { ?o <p:b> ?x FILTER (?x != ?s) } }",
    "optional tested": "SELECT ?s { ?s <p:a> ?o OPTIONAL { ?s <p:b> ?x } FILTER (!BOUND(?x)) }",
    "union": "SELECT ?s ?o { { ?s <p:a> ?o } UNION { ?o <p:b> ?s . ?s <p:c> ?z } ?s ?q ?t }",
    "union of unlike": "SELECT ?s ?o ?x { { ?s <p:a> ?o } UNION { ?o <p:b> ?x } "
    "MINUS { ?x <p:c> ?s } }",
    "bound": "SELECT ?s ?p { { ?s <p:a> ?o BIND (<p:a> AS ?p) } UNION { ?s ?p ?o . ?o <p:b> ?s } }",
    "values": "SELECT ?s ?p { VALUES ?p { <p:a> <p:b> } ?s ?p ?o . ?o ?p ?x }",
    "subquery": "SELECT ?s ?t { { SELECT DISTINCT ?t { ?x <p:a> ?t . ?t ?q ?s } } ?s <p:b> ?t }",
    "hidden": "SELECT ?s ?x { { SELECT ?s { ?s <p:a> ?x MINUS { ?x <p:b> ?s } } } ?s <p:c> ?x }",
    "renamed": "SELECT ?s { { SELECT (?t AS ?s) { ?t <p:a> ?o } } MINUS { ?s <p:b> ?o } }",
    "minus a subquery": "SELECT ?s { ?s ?p ?o MINUS { SELECT ?s { ?m <p:b>/<p:c> ?z . "
    "{ ?m ?q ?s } UNION { ?s ?q ?m } } } }",
    "counted": "SELECT ?s (COUNT(?o) AS ?n) { ?s <p:a> ?o . ?o <p:b> ?x } GROUP BY ?s",
    "counted within": "SELECT ?s ?n { ?s <p:a> ?x { SELECT ?s (COUNT(*) AS ?n) "
    "{ ?s <p:b> ?o } GROUP BY ?s } FILTER (?n > 1) }",
    "all counted": "SELECT ?s ?n { ?s <p:a> ?x { SELECT (COUNT(*) AS ?n) { ?t <p:b> ?o } } }",
    "row": "SELECT ?s ?o { ?s <p:a>/<p:b>/<p:c> ?o }",
    "either way": "SELECT ?s ?o { ?s <p:a>|^<p:b> ?o . FILTER NOT EXISTS { ?o <p:c>|<p:a> ?s } }",
    "far": "SELECT ?s ?o { ?s <p:a>+ ?o . ?o <p:b> ?x }",
    "other": "SELECT ?s { ?s !<p:a> ?o . ?o <p:b> ?s }",
    "same": "SELECT ?s ?x { ?s ?p ?s . ?s ?q ?x }",
    "literal": "SELECT ?s ?o { ?s ?p 1 ; ?q ?o FILTER (ISIRI(?o)) }",
}  # fmt: skip


def dataset(chance: random.Random, size: int) -> set[ox.Quad]:
    """A few statements, in graphs and merged."""
    nodes = [ox.NamedNode(f"n:{number}") for number in range(4)]
    graphs: list[ox.NamedNode | ox.DefaultGraph] = [
        ox.DefaultGraph(), ox.DefaultGraph(), ox.NamedNode("g:1"), ox.NamedNode("g:2"),
    ]  # fmt: skip
    return {
        ox.Quad(
            chance.choice([*nodes, ox.BlankNode("b")]),
            ox.NamedNode(f"p:{chance.choice('aabbccd')}"),
            chance.choice([*nodes, ox.Literal(1), ox.BlankNode("b")]),
            chance.choice(graphs),
        )
        for _ in range(size)
    }


def answers(text: str, quads: Iterable[ox.Quad]) -> set[str]:
    """All solutions."""
    store = ox.Store()
    store.bulk_extend(quads)
    solutions = store.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = sorted(each.value for each in solutions.variables)
    return {str([(name, str(row[name])) for name in names]) for row in solutions}


@pytest.mark.parametrize("name", QUERIES)
def test_nothing_is_missed(name: str) -> None:
    """Each solution that comes, or goes, is among those of the narrowed queries."""
    text = QUERIES[name]
    narrowable = Narrowable(text)
    chance = random.Random(name)  # noqa: S311  # no secret
    moved = 0
    for _ in range(60):
        before = dataset(chance, chance.randrange(3, 25))
        added = dataset(chance, chance.randrange(3)) - before
        removed = set(chance.sample(sorted(before, key=str), chance.randrange(2)))
        after = (before | added) - removed
        union = ox.Store()
        union.bulk_extend(before | added)
        for gained, old, new in ((True, before, after), (False, after, before)):
            expected = answers(text, new) - answers(text, old)
            moved += len(expected)
            texts = narrowable.texts(Change(added, removed), union, gained=gained)
            if texts is not None:
                assert expected <= {row for each in texts for row in answers(each, new)}
                assert all(answers(each, new) <= answers(text, new) for each in texts)
    assert moved


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s { ?s <p:a> ?o } LIMIT 3",
        "SELECT ?s { ?s <p:a> [ <p:b> ?o ] }",
        "SELECT ?s { ?s <p:a> ?o FILTER (?o < NOW()) }",
        "SELECT ?g { GRAPH ?g {} }",
        "SELECT ?s { SERVICE <http://e/> { ?s <p:a> ?o } }",
        "SELECT ?s WHERE {",
    ],
)
def test_what_cannot_be_told(text: str) -> None:
    """Such queries are left alone."""
    with pytest.raises(UnfitError):
        Narrowable(text)


def test_what_does_not_matter_costs_nothing() -> None:
    """A statement that meets no other behind a negation gives no query at all."""
    rule = Narrowable("SELECT ?s { ?s <p:a> ?o MINUS { ?s <p:b> ?x . ?x <p:c> ?y } }")
    union, node = ox.Store(), ox.NamedNode("n:1")
    alone = ox.Quad(node, ox.NamedNode("p:c"), node)
    union.add(alone)
    assert rule.texts(Change(removed=[alone]), union, gained=True) == []
    assert rule.texts(Change([alone]), union, gained=True) == []  # it can only take away
    union.add(ox.Quad(node, ox.NamedNode("p:b"), node))
    (text,) = rule.texts(Change(removed=[alone]), union, gained=True) or ()
    assert "VALUES (?s) { (<n:1>) }" in text


RULES = [
    "CONSTRUCT { ?s <p:b> ?o } WHERE { ?s <p:a> ?o }",
    "CONSTRUCT { ?s <p:t> ?o } WHERE { ?s <p:t>|<p:b> ?m . ?m <p:t>|<p:b> ?o }",
    "CONSTRUCT { ?o ?p ?s } WHERE { ?p <p:is> <n:symmetric> . ?s ?p ?o FILTER (!ISLITERAL(?o)) }",
    "CONSTRUCT { ?s <p:free> ?o } WHERE { ?s <p:c> ?o FILTER NOT EXISTS { ?o <p:d> ?x } }",
    "CONSTRUCT { ?s <p:m> ?n } WHERE { SELECT ?s (COUNT(?o) AS ?n) { ?s <p:c> ?o } GROUP BY ?s }",
    "CONSTRUCT { ?s <p:e> ?y } WHERE { ?s <p:b> ?o BIND (STR(?o) AS ?y) }",
]


@pytest.mark.parametrize("seed", range(12))
def test_a_closure_follows(seed: int) -> None:
    """After each change what is derived is what a run over everything derives."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    chosen = chance.sample(RULES, chance.randrange(2, len(RULES) + 1))
    rules = {
        str(number): queries.StoredQuery(str(number), "A rule", "", (), text, {})
        for number, text in enumerate(chosen)
    }
    symmetric = [
        ox.Triple(ox.NamedNode(f"p:{name}"), ox.NamedNode("p:is"), ox.NamedNode("n:symmetric"))
        for name in "tc"
    ]

    def triples(size: int) -> set[ox.Triple]:
        return {quad.triple for quad in dataset(chance, size)}

    stated = triples(12)
    plain = [ox.Quad(each.subject, each.predicate, each.object) for each in stated]
    closure = Closure(stated, rules)
    assert closure.derived == set(infer(plain, rules).derived)
    for _ in range(20):
        derived = sorted(closure.derived, key=str)
        added = (triples(2) | set(chance.sample(derived, min(len(derived), 1)))) - stated
        added |= {chance.choice(symmetric)} - stated
        removed = set(chance.sample(sorted(stated, key=str), chance.randrange(3)))
        before = set(closure.derived)
        come, gone = closure.change(added, removed)
        stated = (stated | added) - removed
        plain = [ox.Quad(each.subject, each.predicate, each.object) for each in stated]
        assert closure.derived == set(infer(plain, rules).derived)
        assert come == closure.derived - before
        assert gone == before - closure.derived
