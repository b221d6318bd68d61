"""Syntax errors: the place, what stands there, what could; prefixes declared for people."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph import rdf, sparql, syntax
from clustergraph.errors import QueryError
from clustergraph.grammar import Grammar, Mistake
from clustergraph.store.embedded import EmbeddedStore

REPOSITORY = Path(__file__).resolve().parent.parent
KNOWN = {"foaf": "http://xmlns.com/foaf/0.1/", "skos": "http://www.w3.org/2004/02/skos/core#"}


def refusal(text: str) -> QueryError:
    """The error that the author of a text gets."""
    try:
        query = sparql.parse(text, prefixes=KNOWN)
    except QueryError as error:
        return error
    with pytest.raises(QueryError) as caught:
        EmbeddedStore(ox.Store()).answer(query, rdf.JSON)
    return query.placed(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("SELECT * { ?a ?b }", 1, 18, "a variable"),
        ("SELECT * { ?a ?b }\n\n\n", 1, 18, "a variable"),
        ("SELECT *\n{ ?s ?p ?o\n  FILTER(?s > )\n}\n", 3, 15, "a function"),
        ("SELECT *\r\n{ ?s ?p ?o ;\r\n ?p }", 3, 5, "a string"),
        ('SELECT ?x {\n ?s ?p "a\nb" }', 2, 8, "not closed"),
        ("SELECT * { ?a <a b> ?c }", 1, 15, "no IRI"),
        ("SELECT * { ?s ?p ?o } BINDINGS ?s {}", 1, 23, "VALUES"),
        ("SELECT (?a ?b AS ?c) {}", 1, 12, "AS"),
        ("SELECT ?a, ?b { ?a ?p ?b }", 1, 10, "FROM"),
        ("SELECT * { ?s ?p ?o } LIMIT ten", 1, 29, "a number"),
        ("SELECT * { ?s ?p ?o } ORDER BY", 1, 31, "too early"),
        ("SELECT * { ?s ?p ?o FILTR(?o) }", 1, 21, "Did you mean FILTER?"),
        ("SELECT * { ?s ?p 5. ?s foaf:a. ?x ?y ?z }", 1, 30, "a variable"),
        ("SELECT * {\n  ?s foaff:name ?o }", 2, 6, "foaf:"),
        ("SELECT * {\n  ?s zzz:name ?o }", 2, 6, "PREFIX zzz:"),
        ("ASK {\n ?s <rel> ?o }", 2, 5, "BASE"),
        ("SELECT * { foaf:a foaf:b ?c .\n ?a skos:b }", 2, 12, "a string"),
        ("SELECT * { foaf:a foaf:b ?c . ?a skos:b }", 1, 41, "a string"),
        (r"SELECT * { ?s ?p \u0022\u0061\u0022 ; ?p }", 1, 42, "a string"),
        (r"SELECT * { ?s foaf:p 1 ;\u000A ?p }", 1, 35, "a string"),
        ("SELECT * {\n# \\u000A\n ?s \\u003Fp ?o ) }", 3, 16, "closes nothing"),
    ],
)
def test_the_place_is_the_authors_own(text: str, line: int, column: int, words: str) -> None:
    """Whatever the engine says, is declared for them, or is written as an escape."""
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT ?x (COUNT(?y) AS ?z) { ?x ?a ?y }", "grouped"),
        ("SELECT * { BIND(1 AS ?x) BIND(2 AS ?x) }", "BIND"),
        ("SELECT * { ?s ?p <<( ?a ?b )>> }", "not valid"),
    ],
)
def test_broken_rules_are_told_too(text: str, words: str) -> None:
    """They follow the grammar, or one that is newer than ours."""
    assert words in str(refusal(text))


VALID = """
SELECT (1+1 AS ?x) (1 -1 AS ?y) (-1*+2/3 AS ?z) (-?x AS ?w) {}
ASK {?s ^(<x:a>|!(^<x:b>|<x:c>|a))*/<x:d>?/<x:e>+ -5, +5.0 , 5 . }
PREFIX : <x:> PREFIX a.b: <y:> ASK { :a :b.c :d. :e a.b:c\\. :f. [] a [ :p () , ( 1 [] ) ] }
CONSTRUCT { ?s ?p ?o . } FROM <x:a> FROM NAMED <x:b> WHERE { ?s ?p ?o } LIMIT 1 OFFSET 2
CONSTRUCT WHERE { ?s ?p ?o }
DESCRIBE <x:a> ?x WHERE { ?x ?p ?o } OFFSET 1 LIMIT 2
DESCRIBE *
SELECT (GROUP_CONCAT(DISTINCT ?x; SEPARATOR = ', ') AS ?y) (COUNT(*) AS ?n) { ?x ?p ?o } GROUP BY ?x
SELECT ?k { ?x ?p ?o } GROUP BY (STR(?x) AS ?k) ?p HAVING (?p > 1) (true) ORDER BY DESC(?k) ?k
SELECT * { { ?s ?p ?o } UNION { SELECT ?s { ?s ?q ?r } } MINUS { ?s <x:p> 'a'@en-GB } }
SELECT * { OPTIONAL { ?s ?t 'x'^^<x:t> FILTER(?t IN (<x:a>, 1) || ?t NOT IN () && !BOUND(?q)) } }
SELECT * { GRAPH ?g { ?s ?u '''a"b''' } BIND(IF(true, RAND(), BNODE()) AS ?v) }
SELECT * { VALUES (?a ?b) { (UNDEF 1) (<x:a> false) } VALUES ?c { 'a' } VALUES () { () } }
SELECT * { FILTER NOT EXISTS { ?s ?p _:b } FILTER EXISTS {} } VALUES ?z { 1 }
SELECT * { ?s ?p ?o ; . FILTER(SUBSTR(?a, 1) = REPLACE(?b, 'a', 'b', 'i') && ?x<?y) }
""".strip().splitlines()


@pytest.mark.parametrize("text", VALID)
def test_our_grammar_takes_what_is_valid(text: str) -> None:
    """As the engine does."""
    ox.Store().query(text)
    _found, tree = syntax.parse(text)
    assert not isinstance(tree, Mistake), tree


def test_our_grammar_takes_every_query_of_the_project() -> None:
    """Stored queries, inference rules, rules over quads."""
    paths = [
        path
        for folder in ("queries", "ontology", "shapes")
        for path in sorted((REPOSITORY / folder).rglob("*.rq"))
    ]
    assert len(paths) > 50
    for path in paths:
        text = path.read_text(encoding="utf-8")
        _found, tree = syntax.parse(text)
        assert not isinstance(tree, Mistake), (path, tree)


WORDS = "SELECT ASK CONSTRUCT WHERE { } ( ) * ?s ?p ?o . ; , a <x:a> 'b' 1 FILTER OPTIONAL UNION"
MORE = "GRAPH BIND AS VALUES = + COUNT [ ] @en ^^ LIMIT ORDER BY"


@given(st.lists(st.sampled_from(f"{WORDS} {MORE}".split()), max_size=14))
def test_what_the_engine_takes_the_grammar_takes(words: list[str]) -> None:
    """Words in any order."""
    text = " ".join(words)
    try:
        ox.Store().query(text)
    except SyntaxError:
        return
    assert not isinstance(syntax.parse(text)[1], Mistake)


def test_a_grammar_in_which_a_token_does_not_decide_is_refused() -> None:
    """It is a mistake of ours."""
    with pytest.raises(ValueError, match="does not decide"):
        Grammar("A ::= 'x' 'y' | 'x' 'z'", "A")


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("ASK { ?s foaf:name ?o ; skos:note ?n ; foaf:x ?y }", ("foaf", "skos")),
        ("PREFIX foaf: <x:> ASK { ?s foaf:name ?o }", ()),
        ("prefix skos: <x:> ASK { ?s foaf:a skos:b }", ("foaf",)),
        ("ASK { ?s <foaf:a> 'foaf:b' , \"skos:c\" } # foaf:d", ()),
        ("ASK { ?s ?p '''\nfoaf:b''' , _:foaf }", ()),
        ("ASK { ?s ?p 1 . FILTER(foaf:f = 'a'^^skos:t) }", ("foaf", "skos")),
        (r"ASK { ?s foa\u0066:a ?o }", ("foaf",)),
        ("ASK { ?s other:a ?o }", ()),
    ],
)
def test_known_prefixes_are_declared(text: str, declared: tuple[str, ...]) -> None:
    """Where a prefixed name uses one that its author does not declare; nowhere else."""
    query = sparql.parse(text, prefixes=KNOWN)
    assert query.declared == declared
    assert query.written == sparql.unescape(text)
    assert query.text.count("\n") == query.written.count("\n")
    if "other" not in text:
        ox.Store().query(query.text)


@pytest.mark.parametrize(
    ("word", "near"),
    [("foav", ["foaf"]), ("sokos", ["skos"]), ("zzz", []), ("sksoxl", ["skosxl"])],
)
def test_near_words_are_found(word: str, near: list[str]) -> None:
    """By letters inserted, deleted, changed, swapped."""
    assert syntax.nearest(word, ["foaf", "skos", "skosxl", "dcterms"]) == near


@pytest.mark.parametrize("bracket", ["(", "{", "["])
def test_no_nesting_exhausts_the_parser(bracket: str) -> None:
    """Its stack is its own."""
    text = "ASK { ?s ?p " + bracket * 100_000
    assert isinstance(syntax.parse(text, frozenset({"GroupGraphPattern"}))[1], Mistake)
