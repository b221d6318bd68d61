"""Reading, rebasing and writing RDF."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import rdf
from clustergraph.errors import SourceError

TURTLE = '@prefix a: <http://a/> .\na:s a:p "1"@en , a:o .\n'


@pytest.mark.parametrize("fmt", rdf.RDF_FORMATS, ids=lambda fmt: fmt.suffix)
def test_every_format_gives_back_what_was_written(fmt: rdf.RdfFormat) -> None:
    """Writing and reading again is no change."""
    quads = rdf.parse(TURTLE.encode(), rdf.TURTLE, base="http://a/", name="x")
    again = rdf.parse(rdf.serialise(quads, fmt), fmt, base="http://a/", name="x")
    assert set(again) == set(quads)


def test_syntax_errors_name_file_line_and_column(tmp_path: Path) -> None:
    """The place is told as editors read it."""
    path = tmp_path / "broken.ttl"
    path.write_text("@prefix a: <http://a/> .\na:s a:p b:o .\n")
    with pytest.raises(SourceError, match=r"broken\.ttl:2:9: The prefix b: ") as caught:
        rdf.read(path, base="http://a/")
    assert (caught.value.line, caught.value.column) == (2, 9)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ttl", b"\xff\xfe", "is not UTF-8"),
        ("a.rdf", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "DOCTYPE"),
        ("a.txt", b"", "no suffix of an RDF file"),
        ("a.nt", b"<a:s> <a:p> ", r"a\.nt:1:"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """Each with what is wrong."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        rdf.read(path, base="http://a/")


def test_a_missing_file_is_told() -> None:
    """By its name."""
    with pytest.raises(SourceError, match=r"nowhere\.ttl: cannot be read"):
        rdf.read(Path("nowhere.ttl"), base="http://a/")


def test_rebase_moves_iris_and_what_literals_name() -> None:
    """Nothing of the old base is left; other IRIs stay."""
    text = '<http://a/s> <http://b/p> <http://a/o> , "see http://a/x"@en , "http://a/" .'
    quads = rdf.parse(text.encode(), rdf.TURTLE, base="http://a/", name="x")
    moved = list(rdf.rebase(quads, "http://a/", "http://new/"))
    assert not any("http://a/" in str(quad) for quad in moved)
    assert all(quad.predicate.value == "http://b/p" for quad in moved)
    assert set(rdf.rebase(moved, "http://new/", "http://a/")) == set(quads)


def test_blank_nodes_are_named_after_the_content() -> None:
    """The same graph read twice, in another order, has the same names."""
    one = b'[] <a:p> [ <a:q> "1" ] . [] <a:p> "2" .'
    two = b'[] <a:p> "2" . [] <a:p> [ <a:q> "1" ] .'
    first, second = (
        set(rdf.name_blank_nodes(rdf.parse(text, rdf.TURTLE, base="a:", name="x"), "f"))
        for text in (one, two)
    )
    assert first == second
    assert any(isinstance(quad.subject, ox.BlankNode) for quad in first)
