"""The guard of SPARQL texts: forms, positions, what is refused, parameters."""

from __future__ import annotations

import contextlib

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph import sparql
from clustergraph.errors import ParameterError, QueryError, QueryRefusedError
from clustergraph.sparql import Form

FORMS = [
    ("SELECT * { ?s ?p ?o }", Form.SELECT),
    ("select*{?s ?p ?o}", Form.SELECT),
    ("# SELECT\nASK { ?s ?p 'SELECT' }", Form.ASK),
    ("BASE <http://a/> PREFIX ask: <x:construct> DESCRIBE <y>", Form.DESCRIBE),
    ("PREFIX : <x:> CONSTRUCT WHERE { ?s :SELECT ?o }", Form.CONSTRUCT),
    ("S\\u0045LECT * { ?s ?p ?o }", Form.SELECT),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_form_is_told_from_the_first_keyword(text: str, form: Form) -> None:
    """Comments, strings, IRIs and prefixes do not mislead."""
    assert sparql.parse(text).form is form


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT <http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { sErViCe#c\n<http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { SERVICE<http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { SERVICESILENT<http://127.0.0.1/> { ?s ?p ?o } }",
        "PREFIX x: <http://127.0.0.1/> SELECT * { SERVICEx:a { ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p 1SERVICE<http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { \\u0053ERVICE <http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { { SELECT * { SERVICE ?x { ?s ?p ?o } } } }",
        "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE <http://127.0.0.1/> { ?s ?p ?o } } }",
    ],
)
def test_service_is_refused_in_every_spelling(text: str) -> None:
    """Whatever the engine would read as a call of another service is refused."""
    with pytest.raises(QueryRefusedError):
        sparql.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p 'SERVICE <http://127.0.0.1/>' }",
        "SELECT * { ?s ?p <http://a/SERVICE> } # SERVICE <x>",
        "PREFIX a: <x:> SELECT ?SERVICE { ?SERVICE a:SERVICE a:CustomerService }",
        'SELECT * { ?s ?p """\nSERVICE\n""" }',
    ],
)
def test_the_word_service_elsewhere_is_no_call(text: str) -> None:
    """Strings, IRIs, comments, variables and local names may hold the word."""
    ox.Store().query(sparql.parse(text).text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("INSERT DATA { <a:> <a:> <a:> }", 1, 1),
        ("SELECT * {\n  ?s ?p ?o", 1, 10),
        ("SELECT * {\n  ?s ?p ?o ) }", 2, 12),
        ("\n  hello", 2, 3),
        ("SELECT * " + "{" * 65, 1, 74),
    ],
)
def test_errors_name_line_and_column(text: str, line: int, column: int) -> None:
    """The place is where the mistake stands."""
    with pytest.raises(QueryError) as caught:
        sparql.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("text", ["", "   ", "# only a comment", "PREFIX a: <b:>", "\\uD800"])
def test_texts_without_query_are_refused(text: str) -> None:
    """Nothing to run is an error, not an empty answer."""
    with pytest.raises(QueryError):
        sparql.parse(text)


def test_too_long_texts_are_refused() -> None:
    """The limit is in characters."""
    with pytest.raises(QueryError, match="at most 10"):
        sparql.parse("SELECT * {}", max_length=10)


def test_bind_writes_a_value_as_one_term() -> None:
    """A value cannot leave the string that it stands in."""
    evil = '" } UNION { ?s ?p ?o } #'
    text = sparql.bind("SELECT ?s { ?s <a:p> $v }", {"v": ox.Literal(evil)})
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal("other")))
    assert list(store.query(text)) == []  # type: ignore[arg-type]  # solutions iterate


def test_bind_leaves_strings_and_comments_alone() -> None:
    """Only variables are parameters."""
    text = "SELECT ?s { ?s ?p '$v' } # $v"
    with pytest.raises(ParameterError):
        sparql.bind(text, {"v": ox.Literal("x")})


@given(st.text())
def test_any_value_is_found_again(value: str) -> None:
    """What is bound is what the engine compares with."""
    literal = ox.Literal(value)
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), literal))
    text = sparql.bind("ASK { ?s ?p $v }", {"v": literal})
    assert bool(store.query(text))


@given(st.text(alphabet="{}()[]<>\"'\\#?$: \nSELECTASKuservic.e0", max_size=60))
def test_what_passes_never_calls_a_service(text: str) -> None:
    """A text that the guard lets pass is either refused by the engine or calls nobody."""
    try:
        query = sparql.parse(text)
    except QueryError:
        return
    store = ox.Store()
    try:
        store.query(query.text)
    except SyntaxError:
        return


@pytest.mark.parametrize(
    "piece",
    [
        "a-",
        "a.",
        "_:",
        "1.",
        "\"'\\",
        "'''\"\"\"\n",
        '\'""\n',
        "<a",
        "a:-",
        "é·",
        '"',
        "\\u0041",
        "@a-",
    ],
)
@pytest.mark.parametrize("start", ["SELECT * { ", 'ASK { ?s ?p "', "ASK { ?s ?p '''", "ASK { <"])
def test_long_texts_are_read_once(start: str, piece: str) -> None:
    """A tokeniser that looked at a text again and again would not come to its end here."""
    with contextlib.suppress(QueryError):
        sparql.parse(start + piece * 100_000, max_length=10_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "ASK { FILTER(" + "!" * 50_000 + "true) }",
        "ASK { FILTER(1" + " + 1" * 50_000 + ") }",
        "ASK { FILTER(?x" + " || ?y" * 50_000 + ") }",
        "ASK { ?s <a:p>" + "/<a:p>" * 50_000 + " ?o }",
        "ASK { " + "OPTIONAL { ?s ?p ?o } " * 5_000 + "}",
        "ASK { {}" + " UNION {}" * 5_000 + " }",
        "SELECT " + " ".join(f"(1 AS ?x{n})" for n in range(5_000)) + " {}",
    ],
)
def test_chains_that_end_the_engine_are_refused(text: str) -> None:
    """Its parser recurses on them."""
    with pytest.raises(QueryError, match="operators or clauses"):
        sparql.parse(text, max_length=10_000_000)


def test_long_lists_are_no_chains() -> None:
    """Of numbers, values, triples and alternatives."""
    numbers = " ".join(f"(-{n} -{n}.5)" for n in range(20_000))
    members = ", ".join(f"-{n}" for n in range(20_000))
    triples = " ".join(f"?s <a:{n}> '{n}'^^<a:b> ." for n in range(20_000))
    text = f"ASK {{ VALUES (?x ?y) {{ {numbers} }} FILTER(?x IN ({members})) {triples} }}"
    assert sparql.parse(text, max_length=10_000_000).form is sparql.Form.ASK


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?cafe\u0301 ?a\u203fb { ?cafe\u0301 <x:p> ?a\u203fb }",
        "PREFIX e\u0301x: <x:> SELECT * { e\u0301x:a\u0301b <x:p> ?o }",
        'SELECT * { ?s ?p "C:\\\\users\\\\u0022" }',
        r"SELECT * { ?s ?p 'back\\u0027' }",
        "SELECT * { VALUES ?n { " + "-1 +1 " * 5000 + "} }",
        "SELECT * { ?s ?p -1 , " + ", ".join(["-1"] * 50) + " }",
    ],
)
def test_what_the_grammar_allows_is_let_through(text: str) -> None:
    """Marks in names (rule 167), a backslash that is escaped before ``u``, signed numbers."""
    query = sparql.parse(text)
    ox.Store().query(query.text)


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\x0b", "\x0c", "\x85", "\u2028"])
def test_only_white_space_of_the_grammar_is_white_space(space: str) -> None:
    """Rule 162: space, tab, line feed, carriage return."""
    text = f"SELECT *{space}{{ ?s ?p ?o }}"
    assert space in {token.text for token in sparql.tokens(text)}
    with pytest.raises(SyntaxError):
        ox.Store().query(text)
