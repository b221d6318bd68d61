"""Positions: the reader says what the engine says, and the text at each place is the term."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph.positions import Lines, Source, isomorphism, read, terms
from clustergraph.positions.reader import end_of
from clustergraph.positions.source import OBJECT, SUBJECT

if TYPE_CHECKING:
    from clustergraph.positions import Reading

REPOSITORY = Path(__file__).resolve().parent.parent
BASE = "https://w3id.org/clustergraph/"
FILES = sorted(
    path
    for folder in ("data", "ontology", "shapes", "tests/shapes", "tests/ontology")
    for path in (REPOSITORY / folder).rglob("*")
    if path.suffix in {".ttl", ".trig"}
)
CELLS = (terms.RDF + "first", terms.RDF + "rest")
RDF_TYPE = terms.RDF + "type"


def statements(text: str, fmt: ox.RdfFormat) -> set[tuple[str, str, str, str]]:
    """What the engine reads, as keys."""
    return {
        (
            terms.key(quad.subject),
            terms.key(quad.predicate),
            terms.key(quad.object),
            terms.key(quad.graph_name),
        )
        for quad in ox.parse(text.encode(), fmt, base_iri=BASE)
    }


def same(text: str, fmt: ox.RdfFormat = ox.RdfFormat.TRIG) -> Reading:
    """What our reader reads, which is what the engine reads."""
    is_lines = fmt in {ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS}
    reading = read(text, base=BASE, lines=is_lines)
    assert reading.faults == []
    theirs = statements(text, fmt)
    ours = {record[:4] for record in reading.records}
    matched = isomorphism.match(ours, theirs)
    renamed = {tuple(matched.get(key, key) for key in record) for record in ours}
    assert renamed == theirs
    return reading


def texts_are_their_terms(reading: Reading) -> None:
    """What stands at each place of an IRI or literal is that term, as the engine reads it."""
    prefixes = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in reading.prefixes.items())
    wanted: list[str] = []
    shown: list[str] = []
    for record in reading.records:
        for role, (key, start) in enumerate(zip(record[:3], record[4:7], strict=True)):
            if record[1] in CELLS and not (role == OBJECT and record[1] == CELLS[0]):
                continue  # the cells of a list have no text of their own
            raw = reading.text[start : end_of(reading.text, start)]
            if terms.is_blank(key) or raw[0] in "[()<" or key.startswith("<<("):
                continue
            wanted.append(key)
            shown.append(f"<x:s> <x:p> {RDF_TYPE.join('<>') if raw == 'a' else raw} .\n")
    parsed = ox.parse((prefixes + "".join(shown)).encode(), ox.RdfFormat.TURTLE, base_iri=BASE)
    assert [terms.key(quad.object) for quad in parsed] == wanted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_shipped_files_are_read_as_the_engine_reads_them(path: Path) -> None:
    """Every statement of every file, and the text at every place."""
    reading = same(path.read_text(encoding="utf-8"))
    texts_are_their_terms(reading)
    assert reading.records


@pytest.mark.parametrize(
    "text",
    [
        "<> <a> <../c>, <//h/x>, <?z>, <#g>, <./../../../q/./r/..>, <http:foo> .",
        "PREFIX e: <http://e/>\nBASE <http://c/x>\ne:a e:b <d> .\n@base <e/> . <x> <y> <z> .",
        "<s> <p> 1, 1.0, .5, 1e0, 1.5E-3, -1, +1.5, true, false, 1.",
        '<s> <p> "x"@EN-us , "b"^^ <dt> , "a" @fr, \'x\', \'\'\'it\'s\'\'\', "", """a"b\n""" .',
        r'<s> <p> "\u00e9\t\"\\\U0001F600" , <\u00e9> .',
        "@prefix : <http://p/> . :a\\,b :%20 :a.b.c , :a:b , :1 , : .",
        "@prefix é.x: <http://e/> . é.x:ü é.x:漢 é.x:𐌰 , é.x:a·b .",
        "[] <p> <o> . [ <p> <o> ] . [ <p> [ <q> () ] ] <q> ( 1 [ <r> ( 2 ) ] ) . (1) <p> <o> .",
        "<g> { <s> <p> <o> ; } GRAPH <h> { [] a () . <s> <p> _:x } _:g { _:g <p> _:x . } {<a> a 1}",
        "<s> a <o> ;;; <p> <q> ; . # end\n#\n<t> a <o>.",
        "<s> <p> _:a.b , _:a. <s> <p> _:1 .",
        "<< <a> <b> <c> >> <p> <<( <a> <b> 1 )>> . <s> <p> <o> ~ <r> {| <q> 1 |} , 2 {| <q> 2 |} .",
        '<s>\t<p>\r\n\t"""漢\r\n字""" ;\r\n\t<q> "x"@ja--ltr .',
    ],
)
def test_every_shorthand(text: str) -> None:
    """Of the grammars of Turtle and TriG."""
    same(text)


def test_lines() -> None:
    """N-Triples and N-Quads."""
    text = '<x:s> <x:p> "a\\nb"@en <x:g> .\n_:s <x:p> _:o . # c\n<x:s> <x:p> "1"^^<x:d> .\n'
    reading = same(text, ox.RdfFormat.N_QUADS)
    assert len(reading.records) == 3


names = st.sampled_from(["e:a", "<b>", "_:c", "e:ü", "<http://x/漢>", "e:a.b", "e:"])
literals = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8).map(
        lambda value: str(ox.Literal(value))
    ),
    st.text("ab\n\r\t'漢𐌰é\\", max_size=8).map(
        lambda value: '"""' + value.replace("\\", "\\\\") + '"""'
    ),
    st.sampled_from(["1", "-2.5", "3e4", "true", '"x"@en', "'y'^^e:d", '"z"^^<t>']),
)
graphs = st.sampled_from(["{}", "GRAPH <g> {{ {} }}\n", "e:h {{ {} }}\n", "_:g {{ {} }}\n"])
space = st.sampled_from([" ", "\n", "\r\n", "\t", " # note . ; \n", "\n\n  "])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Random TriG with random space."""

    def value(depth: int) -> str:
        kind = draw(st.integers(0, 5 if depth < 3 else 2))
        if kind < 2:
            return draw(names)
        if kind == 2:
            return draw(literals)
        if kind == 3:
            return "(" + "".join(gap() + value(depth + 1) for _ in range(width())) + gap() + ")"
        inside = properties(depth + 1) if kind == 4 or width() else ""
        return "[" + gap() + inside + gap() + "]"

    def gap() -> str:
        return draw(space)

    def width() -> int:
        return draw(st.integers(0, 3))

    def properties(depth: int) -> str:
        predicate = draw(st.sampled_from(["a", "e:p", "<q>", "e:r"]))
        values = f"{gap()},{gap()}".join(value(depth) for _ in range(1 + width() // 2))
        more = f"{gap()};{gap()}{properties(depth)}" if width() == 3 else ""
        return predicate + gap() + values + more

    def triples() -> str:
        subject = draw(st.one_of(names, st.just("[]"), st.just("( 1 e:a )")))
        return f"{subject}{gap()}{properties(0)}{gap()}.{gap()}"

    blocks = [
        draw(
            st.sampled_from(["{}", "GRAPH <g> {{ {} }}\n", "e:h {{ {} }}\n", "_:g {{ {} }}\n"])
        ).format("".join(triples() for _ in range(width())))
        for _ in range(1 + width())
    ]
    return "PREFIX e: <http://e/>" + gap() + "".join(blocks)


@given(documents())
def test_random_documents_are_read_as_the_engine_reads_them(text: str) -> None:
    """With the text at each place."""
    texts_are_their_terms(same(text))


@given(st.text("ab<>\"'[](){}.;,:@#\\ \n\t_^~|漢1", max_size=60))
def test_no_text_stops_the_reader(text: str) -> None:
    """It ends, and tells a fault where the engine cannot read either."""
    reading = read(text, base=BASE)
    for fault in reading.faults:
        assert 0 <= fault.start <= fault.end <= len(text)


def test_lines_and_columns_are_counted_in_characters() -> None:
    """With tabs, CRLF, letters outside the basic plane."""
    text = 'a\r\n\t𐌰漢 <x>\rb\n"""c\nd""" e'
    lines = Lines(text)
    assert lines.position(text.index("<x>")) == (2, 5)
    assert lines.position(text.index("b")) == (3, 1)
    assert lines.text(2) == "\t𐌰漢 <x>"
    place = lines.place("f", text.index('"""'), text.index(" e"))
    assert (place.line, place.column, place.end_line, place.end_column) == (4, 1, 5, 5)
    assert place.length == 4
    assert all(
        lines.offset(*lines.position(at)) == at for at in range(len(text)) if text[at] != "\n"
    )


def source(text: str, suffix: str = "ttl") -> Source:
    """A file that the engine has read."""
    fmt = {"ttl": ox.RdfFormat.TURTLE, "trig": ox.RdfFormat.TRIG}[suffix]
    quads = list(ox.parse(text.encode(), fmt, base_iri=BASE, rename_blank_nodes=True))
    return Source(path="f", suffix=suffix, load=lambda: text, engine=lambda: quads, base=BASE)


def test_nested_blank_nodes_are_found_by_what_is_around_them() -> None:
    """Though the engine gives them other names, and some look alike."""
    text = "<s> <p> [ <n> 1 ; <m> [ <n> 2 ] ] ,\n  [ <n> 1 ; <m> [ <n> 3 ] ] , ( 4 [ <n> 2 ] ) .\n"
    file = source(text)
    two, three = ox.Literal(2), ox.Literal(3)
    by_value = {terms.key(quad.object): quad.subject for quad in file.engine()}
    (record,) = file.records(by_value[terms.key(three)])
    assert file.place(record, SUBJECT).line == 2
    places = [
        file.place(file.records(quad.subject, None, two)[0], SUBJECT).column
        for quad in file.engine()
        if quad.object == two
    ]
    assert sorted(places) == [23, 35]
    assert [
        line[column - 1 :][:7] for line, column in zip(text.splitlines(), (23, 35), strict=True)
    ] == ["[ <n> 2"] * 2


def test_things_move_with_their_base() -> None:
    """A file is written under one base and published under another."""
    file = source("<id/x> <p> <http://other/> .")
    file.moved = (BASE, "http://new/")
    (record,) = file.records(ox.NamedNode("http://new/id/x"))
    assert file.place(record, OBJECT).column == 12


def test_many_alike_blank_nodes_are_matched() -> None:
    """One to one, in linear time."""
    text = "<s> <p> " + ", ".join("[ a <T> ]" for _ in range(500)) + " ."
    same(text)


BROKEN = """@prefix a: <http://a/> .
a:x a:y foo:z .
a:q a:p "one .
a:r a:p a:ok ; a:z <bad iri> .
a:s a:p [ a:q ( 1 2 ] .
a:good a:p 1
a:more a:p True .
a:t a:p "x\\q" .
a:fine a:p 1 .
a:last a:p"""


def test_several_syntax_errors_are_told_at_once() -> None:
    """Each at its place, with what helps; what is right is still read."""
    reading = read(BROKEN, graphs=False)
    lines = Lines(BROKEN)
    assert [lines.position(fault.start) for fault in reading.faults] == [
        (2, 9), (3, 9), (4, 20), (5, 20), (6, 13), (7, 12), (8, 9), (10, 11),
    ]  # fmt: skip
    assert reading.faults[0].message == "The prefix foo: is not declared"
    assert all(fault.hint for fault in reading.faults[:4])
    assert ("http://a/fine", "http://a/p") in {record[:2] for record in reading.records}


def test_nesting_is_bounded() -> None:
    """A fault, not the end of the stack."""
    assert read("<s> <p> " + "[<p> " * 5000).faults
