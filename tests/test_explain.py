"""Why a query answers nothing: the part to blame, and what the data have there."""

from __future__ import annotations

from collections.abc import Sequence

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph import explain, sparql, store
from clustergraph.errors import QueryError, TimeLimitError, UsageError
from clustergraph.explain.patterns import LONGEST, Condition, Kind
from clustergraph.explain.probes import MOST
from clustergraph.explain.search import smallest
from clustergraph.rdf import Format
from clustergraph.sparql import Query
from clustergraph.store import Answer, DatasetClause
from clustergraph.store.embedded import EmbeddedStore

PREFIXES = {
    "ex": "http://example.org/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
DATA = b"""
@prefix ex: <http://example.org/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:biocat a ex:Cluster ; skos:prefLabel "Biocat"@en ; ex:partner ex:lyon ; ex:founded 2006 .
ex:lyon a ex:Cluster ; skos:prefLabel "Lyonbiopole"@fr ; ex:founded 2005 .
ex:anna a foaf:Person ; foaf:name "Anna" ; ex:worksFor ex:biocat .
ex:source { ex:biocat ex:says "hello" }
"""


@pytest.fixture
def backend() -> EmbeddedStore:
    """A small graph, and one named graph that is not in the default graph."""
    quads = ox.Store()
    quads.load(DATA, ox.RdfFormat.TRIG)
    return EmbeddedStore(quads)


def explained(backend: store.Backend, text: str) -> explain.Explanation:
    """What is told of a query."""
    return explain.explain(sparql.parse(text, prefixes=PREFIXES), backend, PREFIXES)


@pytest.mark.parametrize(
    ("where", "blamed", "words"),
    [
        ("?c a ex:Clustr", "?c a ex:Clustr .", "ex:Cluster"),
        ("?c a <http://example.org/Cluste>", "?c a <http://example.org/Cluste> .", "ex:Cluster"),
        ("?c a ex:Foo", "?c a ex:Foo .", "classes ex:Cluster, foaf:Person"),
        ("ex:anna a ex:Cluster", "ex:anna a ex:Cluster .", "has the classes foaf:Person"),
        ("?p a foaf:Person ; foaf:nme ?n", "?p foaf:nme ?n .", "foaf:name"),
        ("?c skos:name ?n", "?c skos:name ?n .", "foaf:name"),
        ('?c skos:prefLabel "Biocat"', '?c skos:prefLabel "Biocat" .', '"Biocat"@en'),
        ('?c skos:prefLabel "biocat"@en', '?c skos:prefLabel "biocat"@en .', '"Biocat"@en'),
        ('?c skos:prefLabel "Nobody"', '?c skos:prefLabel "Nobody" .', "other values, such as"),
        ('?c ex:founded "2006"', '?c ex:founded "2006" .', "?c ex:founded 2006"),
        ("ex:biocat ex:worksFor ?p", "ex:biocat ex:worksFor ?p .", "?p ex:worksFor ex:biocat"),
        ("ex:nobody ?p ?o", "ex:nobody ?p ?o .", "not in the data"),
        ("ex:Cluster ?p ?o", "ex:Cluster ?p ?o .", "as an object only"),
        ("?s ?p ex:anna", "?s ?p ex:anna .", "object of no triple"),
        ("?s foaf:name ex:lyon", "?s foaf:name ex:lyon .", "ex:partner"),
        ("?c ex:partner/ex:founed ?y", "?c ex:partner/ex:founed ?y .", "ex:founded"),
        ("?c ex:founded ?y FILTER(?y > 2010)", "FILTER(?y > 2010)", "?y = 200"),
        ('?c skos:prefLabel ?l FILTER(?l = "Biocat")', 'FILTER(?l = "Biocat")', '"Biocat"@en'),
        ("?x foaf:name ?n FILTER(?z > 3)", "FILTER(?z > 3)", "set nowhere else"),
        ("?x foaf:name ?n MINUS { ?x a foaf:Person }", "MINUS { ?x a foaf:Person }", "ex:anna"),
        ("GRAPH ex:sorce { ?s ?p ?o }", "GRAPH ex:sorce { ?s ?p ?o . }", "ex:source"),
        ("GRAPH ex:source { ?s ex:say ?o }", "GRAPH ex:source { ?s ex:say ?o . }", "ex:says"),
        ("?s ex:says ?o", "?s ex:says ?o .", "A named graph has it"),
        ("{ ?c a ex:Cluster } ?c ex:nope ?x", "?c ex:nope ?x .", "predicates a"),
        ("{ SELECT ?c { ?c a ex:Clustr } }", "?c a ex:Clustr .", "ex:Cluster"),
        ("OPTIONAL { ?c a ex:No } ?c a ex:Clustr", "?c a ex:Clustr .", "ex:Cluster"),
        ("[] a ex:Cluster ; foaf:nam ?x", "?_anonymous1 foaf:nam ?x .", "foaf:name"),
    ],
)
def test_one_part_is_to_blame(backend: EmbeddedStore, where: str, blamed: str, words: str) -> None:
    """It is named as the query writes it, with what the data have instead."""
    found = explained(backend, f"ASK {{ {where} }}")
    (only,) = found.blamed
    assert (found.has_answers, found.complete) == (False, True)
    # what is numbered depends on the prefixes that were declared
    assert only.pattern.split()[1:] == blamed.split()[1:]
    text = " ".join(f"{each.message} {each.instead}" for each in only.findings)
    assert words in text


def test_parts_that_match_alone_are_blamed_together(backend: EmbeddedStore) -> None:
    """No more of them than it takes."""
    where = "?c a ex:Cluster ; ex:worksFor ?o ; skos:prefLabel ?l . ?o a ex:Cluster"
    (only,) = explained(backend, f"SELECT * {{ {where} }}").blamed
    assert only.pattern == "?c a ex:Cluster .\n?c ex:worksFor ?o ."
    messages = " ".join(each.message for each in only.findings)
    assert "?c has the classes foaf:Person" in messages
    assert "?c has the predicates" in messages
    assert ("?o ex:worksFor ?c",) in [each.instead for each in only.findings]


def test_every_alternative_is_explained(backend: EmbeddedStore) -> None:
    """A union is empty if each of its branches is."""
    found = explained(backend, "SELECT * { { ?c a ex:Foo } UNION { ?c a ex:Bar } }")
    assert [each.pattern for each in found.blamed] == ["?c a ex:Foo .", "?c a ex:Bar ."]


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        (
            "SELECT ?c { ?c a ex:Cluster } GROUP BY ?c HAVING (COUNT(*) > 5)",
            "HAVING (COUNT(*) > 5)",
        ),
        ("SELECT * { ?c a ex:Cluster } OFFSET 10", "OFFSET 10"),
        ("SELECT * { ?c a ex:Cluster } LIMIT 0", "LIMIT 0"),
        (
            "SELECT * { ?c a ex:Cluster } VALUES ?c { ex:x }",
            "?c a ex:Cluster .\nVALUES ?c { ex:x }",
        ),
        ("CONSTRUCT WHERE { ?c a ex:Foo }", "?c a ex:Foo ."),
        ("CONSTRUCT { ?c a ex:Bar } WHERE { ?c a ex:Foo }", "?c a ex:Foo ."),
        ("SELECT * FROM ex:source { ?c a ex:Cluster }", "?c a ex:Cluster ."),
    ],
)
def test_all_that_a_query_has_is_looked_at(backend: EmbeddedStore, text: str, blamed: str) -> None:
    """Modifiers, VALUES at its end, templates, its dataset."""
    assert [each.pattern for each in explained(backend, text).blamed] == [blamed]


def test_a_query_that_answers_is_not_blamed(backend: EmbeddedStore) -> None:
    """Nor is a graph without solutions looked for where there are some."""
    found = explained(backend, "SELECT * { ?c a ex:Cluster ; skos:prefLabel ?l } LIMIT 1")
    assert found.has_answers
    assert not found.blamed


def test_names_are_written_with_the_prefixes_of_the_query(backend: EmbeddedStore) -> None:
    """Also where it gives a known prefix another meaning."""
    text = "PREFIX foaf: <http://example.org/> SELECT * { ?c a foaf:Clustr }"
    (only,) = explained(backend, text).blamed
    assert only.findings[0].instead == ("foaf:Cluster",)


class Slow:
    """A store that answers nothing in time."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(
        self, query: Query, fmt: Format, dataset: DatasetClause = store.STORED_DATASET
    ) -> Answer:
        """No answer."""
        self.asked += 1
        raise TimeLimitError("too long")

    def close(self) -> None:
        """Nothing is open."""


def test_what_nobody_knows_is_not_claimed() -> None:
    """A question that takes too long is no proof."""
    found = explained(Slow(), "SELECT * { ?c a ex:Cluster }")
    assert (found.complete, found.has_answers, found.blamed) == (False, False, ())


def test_the_questions_are_bounded(backend: EmbeddedStore) -> None:
    """However many parts a query has."""
    where = " ".join(f"?c ex:p{number} ?o{number} ." for number in range(40))
    found = explained(backend, f"SELECT * {{ {where} }}")
    assert found.asked <= MOST
    assert not found.complete


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("DESCRIBE ex:nobody", UsageError),
        ("SELECT * { ?a ?b }", QueryError),
        ("SELECT * { ?a nobody:knows ?b }", QueryError),
        ("ASK { " + "?a ?b ?c . " * LONGEST + "}", UsageError),
    ],
)
def test_what_cannot_be_explained_is_refused(
    backend: EmbeddedStore, text: str, error: type[UsageError]
) -> None:
    """No pattern, no grammar, no end."""
    with pytest.raises(error):
        explained(backend, text)


@given(
    st.integers(1, 7).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(st.frozensets(st.integers(0, size - 1), min_size=1), min_size=1, max_size=3),
        )
    )
)
def test_what_is_blamed_is_smallest(case: tuple[int, list[frozenset[int]]]) -> None:
    """It fails, and has a solution as soon as any of its conditions goes."""
    size, contradictions = case
    conditions = [Condition(Kind.TRIPLE, str(number)) for number in range(size)]

    def fails(some: Sequence[Condition]) -> bool:
        numbers = {int(each.text) for each in some}
        return any(each <= numbers for each in contradictions)

    for blamed in smallest(conditions, fails):
        assert fails(blamed)
        for each in blamed:
            assert not fails([other for other in blamed if other is not each])
