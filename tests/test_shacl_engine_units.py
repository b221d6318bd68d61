"""The engine by itself: components after the specification's examples, SPARQL, errors."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from clustergraph.errors import UsageError
from clustergraph.validation import engine
from clustergraph.validation.engine import literals
from clustergraph.validation.engine.prebinding import Query, Way

PREFIXES = """
@prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
XSD = "http://www.w3.org/2001/XMLSchema#"


def turtle(text: str) -> list[ox.Quad]:
    """Quads of a Turtle text with the prefixes above."""
    return list(ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE))


def found(data: str, shapes: str) -> list[tuple[str, str]]:
    """Focus node and value of each finding, in order."""
    findings = engine.check(turtle(data), turtle(shapes))
    return sorted(
        (short(each.focus), "" if each.value is None else short(each.value)) for each in findings
    )


def short(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> str:
    """A term without its namespace or datatype."""
    return "_" if isinstance(term, ox.BlankNode) else term.value.removeprefix("http://x/")


CASES = {
    "class": (
        ":a :p :b , :c . :b a :Sub . :Sub rdfs:subClassOf :C .",
        ":S sh:targetNode :a ; sh:property [ sh:path :p ; sh:class :C ] .",
        [("a", "c")],
    ),
    "datatype": (
        ':a :p 1 , "x"^^xsd:integer , "1" , "300"^^xsd:byte .',
        (
            ":S sh:targetNode :a ; sh:property [ sh:path :p ; sh:datatype xsd:integer ] ,"
            " [ sh:path :p ; sh:minLength 1 ; sh:datatype xsd:byte ] ."
        ),
        [("a", each) for each in ("1", "1", "1", "300", "300", "x", "x")],
    ),
    "implicit class": (":a a :T .", ":T a rdfs:Class , sh:NodeShape ; sh:in () .", [("a", "a")]),
    "deactivated": (":a :p 1 .", ":S sh:targetNode :a ; sh:in () ; sh:deactivated true .", []),
    "closed": (
        ":a :p 1 ; :q 2 ; :r 3 .",
        (
            ":S sh:targetNode :a ; sh:closed true ; sh:ignoredProperties ( :q ) ;"
            " sh:property [ sh:path :p ] ."
        ),
        [("a", "3")],
    ),
    "uniqueLang": (
        ':a :p "x"@en , "y"@EN , "z"@de .',
        ":S sh:targetNode :a ; sh:property [ sh:path :p ; sh:uniqueLang true ] .",
        [("a", "")],
    ),
    "languageIn": (
        ':a :p "x"@en-GB , "y"@fr , "z" .',
        ':S sh:targetNode :a ; sh:property [ sh:path :p ; sh:languageIn ( "en" ) ] .',
        [("a", "y"), ("a", "z")],
    ),
    "pattern at the end": (
        ':a :p "ab" , "ab\\n" .',
        ':S sh:targetNode :a ; sh:property [ sh:path :p ; sh:pattern "b$" ] .',
        [("a", "ab\n")],
    ),
    "lessThan": (
        ':a :p "2020-01-01"^^xsd:date , 3 ; :q "2020-06-01"^^xsd:date .',
        ":S sh:targetNode :a ; sh:property [ sh:path :p ; sh:lessThan :q ] .",
        [("a", "3")],
    ),
    "qualified, disjoint": (
        ":h :d :t , :f . :t a :Thumb . :f a :Finger , :Thumb .",
        (
            ":S sh:targetNode :h ;"
            " sh:property [ sh:path :d ; sh:qualifiedValueShapesDisjoint true ;"
            " sh:qualifiedValueShape [ sh:class :Thumb ] ; sh:qualifiedMinCount 1 ] ,"
            " [ sh:path :d ; sh:qualifiedValueShapesDisjoint true ;"
            " sh:qualifiedValueShape [ sh:class :Finger ] ; sh:qualifiedMinCount 1 ] ."
        ),
        [("h", "")],
    ),
    "recursion": (
        ":a :knows :b . :b :knows :c . :c :knows :a , 1 . :d :knows :d .",
        (
            ":S sh:targetNode :a , :d ;"
            " sh:property [ sh:path :knows ; sh:nodeKind sh:IRI ; sh:node :S ] ."
        ),
        [("a", "b"), ("b", "c"), ("c", "1"), ("c", "a")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_components(name: str) -> None:
    """Each case has data, shapes and the findings that are expected."""
    data, shapes, expected = CASES[name]
    if name == "recursion":
        assert ("a", "b") in found(data, shapes)
        assert not [each for each in found(data, shapes) if each[0] == "d"]
    else:
        assert found(data, shapes) == expected


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (":S sh:targetNode :a ; sh:nodeKind sh:Thing .", "sh:nodeKind"),
        (":S sh:targetNode :a ; sh:minCount 1 .", "node shape"),
        (":S sh:targetNode :a ; sh:property [ sh:minCount 1 ] .", "sh:property|node shape"),
        (':S sh:path :p ; sh:minCount "one" .', "xsd:integer"),
        (":S sh:targetNode :a ; sh:in :list .", "no list"),
        (":S sh:targetNode :a ; sh:or ( 1 ) .", "literal"),
        (":S sh:path [ sh:alternativePath ( :p ) ] ; sh:targetNode :a .", "two members"),
        (':S sh:targetNode :a ; sh:sparql [ sh:select "SELECT $this {" ] .', "query"),
        (':S sh:targetNode :a ; sh:sparql [ sh:select "ASK {}" ] .', "another form"),
    ],
)
def test_ill_formed_shapes_are_told(shapes: str, message: str) -> None:
    """Each names the shape and what is wrong with it."""
    with pytest.raises(UsageError, match=message):
        engine.check(turtle(":a :p 1 ."), turtle(shapes))


def test_a_shape_that_negates_itself_is_not_judged() -> None:
    """It has no verdict that explains itself."""
    with pytest.raises(engine.UnsupportedShapeError) as caught:
        engine.check(turtle(":a :p :a ."), turtle(":S sh:targetNode :a ; sh:not [ sh:node :S ] ."))
    assert caught.value.shape == "<http://x/S>"


QUERIES = {
    "SELECT $this ?value { $this <http://x/p> ?value FILTER (?value > 1) }": Way.FREE,
    "SELECT $this { $this <http://x/p> ?v FILTER NOT EXISTS { ?x <http://x/q> $this } }": Way.FREE,
    "SELECT $this (COUNT(?v) AS ?value) { $this <http://x/p> ?v } GROUP BY $this": Way.FREE,
    "SELECT $this (COUNT(?v) AS ?value) { OPTIONAL { $this <http://x/p> ?v } } GROUP BY $this": (
        Way.SINGLE
    ),
    "SELECT $this ?value { $this <http://x/p>* ?value }": Way.TABLE,
    "SELECT $this { FILTER (!BOUND($this)) }": Way.TABLE,
    "SELECT $this ?value { { FILTER (BOUND($this)) } $this <http://x/p> ?value }": Way.TABLE,
    "SELECT $this ?value { $this <http://x/p> ?value } LIMIT 1": Way.SINGLE,
    "SELECT $this ?value { OPTIONAL { $this <http://x/p> ?value } }": Way.TABLE,
    "SELECT $this ?value { { $this <http://x/p> ?value } UNION { ?value <http://x/q> $this } }": (
        Way.FREE
    ),
    "SELECT $this ?value { { SELECT $this ?value { $this <http://x/p> ?value } } }": Way.FREE,
    "SELECT $this ?value { $this <http://x/p> ?value FILTER isBlank($this) }": Way.FREE,
    "SELECT $this (STR($this) AS ?value) { BIND ($this AS ?x) FILTER isIRI(?x) }": Way.TABLE,
}


@pytest.mark.parametrize("text", QUERIES)
def test_all_ways_of_asking_agree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is asked in the quickest way that is safe, and the slowest gives the same."""
    assert Query("<http://x/S>", "", text, ("this",)).way is QUERIES[text]
    data = [f":n{i} :p {i % 4} , :n{i + 1} . :n{i} :q :n{i // 2} ." for i in range(150)]
    data += [f"_:b{i} :p {i} ; :q :n{i} ." for i in range(5)]
    shapes = f""":S sh:targetSubjectsOf :q ; sh:targetNode 1 , :none ;
        sh:sparql [ sh:select \"\"\"{text}\"\"\" ; sh:message "{{?value}}" ] ."""
    quick = found("\n".join(data), shapes)
    monkeypatch.setattr("clustergraph.validation.engine.answers.FEW", 10**9)
    monkeypatch.setattr("clustergraph.validation.engine.prebinding._fits_table", lambda _: False)
    assert found("\n".join(data), shapes) == quick


def test_messages_and_values_are_those_of_the_data() -> None:
    """Not in the canonical form of the store; placeholders are filled, the language is kept."""
    shapes = """:S sh:targetNode :a ; sh:severity sh:Warning ; sh:sparql [
        sh:message "is {?value} of {$this}"@en , "ist {?value}"@de ;
        sh:select "SELECT $this ?value { $this <http://x/p> ?value }" ] ."""
    (finding,) = engine.check(turtle(':a :p "1.50"^^xsd:decimal .'), turtle(shapes))
    assert finding.message == "is 1.50 of http://x/a"
    assert finding.value == ox.Literal("1.50", datatype=ox.NamedNode(XSD + "decimal"))
    (result,) = engine.evaluate(turtle(':a :p "1.50"^^xsd:decimal .'), turtle(shapes))
    assert sorted(result.messages) == ['"is 1.50 of http://x/a"@en', '"ist 1.50"@de']


def test_only_the_given_focus_nodes() -> None:
    """Those that are no focus nodes of a shape are not validated."""
    data, shapes = (
        turtle(":a :p 1 . :b :p 1 . :c :q 1 ."),
        turtle(":S sh:targetSubjectsOf :p ; sh:in () ."),
    )
    some = {ox.NamedNode("http://x/a"), ox.NamedNode("http://x/c")}
    assert [each.focus.value for each in engine.check(data, shapes, focus=some)] == ["http://x/a"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ('"1"^^<X#integer>', '"1.5"^^<X#decimal>', True),
        ('"1"^^<X#integer>', '"NaN"^^<X#double>', False),
        ('"a"', '"b"', True),
        ('"a"@en', '"b"@en', False),
        ('"2020-01-01T00:00:00Z"^^<X#dateTime>', '"2020-01-01T00:00:00-01:00"^^<X#dateTime>', True),
        ('"2020-01-01T00:00:00Z"^^<X#dateTime>', '"2020-01-01T10:00:00"^^<X#dateTime>', False),
        ('"2020-01-01T00:00:00Z"^^<X#dateTime>', '"2020-01-02T10:00:00"^^<X#dateTime>', True),
        ('"P1M"^^<X#duration>', '"P30D"^^<X#duration>', False),
        ('"P1M"^^<X#duration>', '"P32D"^^<X#duration>', True),
        ('"12000"^^<X#gYear>', '"12001"^^<X#gYear>', True),
        ('"x"^^<X#integer>', '"2"^^<X#integer>', False),
    ],
)
def test_order_of_literals(one: str, other: str, expected: bool) -> None:
    """As SPARQL's operators and XML Schema define it."""
    nodes = [each.replace("X#", XSD) for each in (one, other)]
    assert literals.is_less(*nodes) is expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ('"2021-02-29"^^<X#date>', False),
        ('"2020-02-29"^^<X#date>', True),
        ('"24:00:00"^^<X#time>', True),
        ('"24:00:01"^^<X#time>', False),
        ('"128"^^<X#byte>', False),
        ('"P"^^<X#duration>', False),
        ('"P1DT"^^<X#duration>', False),
        ('"P1DT2.5S"^^<X#dayTimeDuration>', True),
        ('"2020-01-01T00:00:00"^^<X#dateTimeStamp>', False),
        ('"YQ=="^^<X#base64Binary>', True),
        ('"YQ="^^<X#base64Binary>', False),
        ('"anything"^^<http://x/own>', True),
    ],
)
def test_well_formed_literals(node: str, expected: bool) -> None:
    """The lexical spaces of XML Schema."""
    assert literals.is_well_formed(node.replace("X#", XSD)) is expected
