"""Evidence against a source text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clustergraph import evidence, rdf, settings
from clustergraph.errors import SourceError
from clustergraph.settings import Settings

SOURCE = (
    "First line \u2013 with a dash.\nThe quick brown fox jumps over the lazy dog today.\n\nEnd.\n"
)


@pytest.fixture
def options(tmp_path: Path) -> Settings:
    """Settings of an empty project."""
    (tmp_path / "clustergraph.toml").write_text('[project]\nbase = "http://a/"\n')
    return settings.load(tmp_path, environment={})


def data(options: Settings, words: str = "brown fox", extra: str = "") -> str:
    """A source document with one passage."""
    text = evidence.Text(SOURCE.encode())
    return (
        "@prefix cg: <http://a/ontology#> . @prefix oa: <http://www.w3.org/ns/oa#> .\n"
        f'<http://a/id/source/x> cg:sha256 "{hashlib.sha256(SOURCE.encode()).hexdigest()}" .\n'
        + evidence.passage_turtle(text, words, "x", options)
        + extra
    )


def findings(options: Settings, turtle: str) -> list[str]:
    """The messages of a check."""
    quads = rdf.parse(turtle.encode(), rdf.TURTLE, base="http://a/", name="test")
    checked = evidence.check(quads, evidence.Text(SOURCE.encode()), options)
    assert checked.passages == 1
    return [each.message for each in checked.report.findings]


def test_a_passage_made_by_the_tool_is_right(options: Settings) -> None:
    """Offsets count characters, not bytes; lines count from 1."""
    turtle = data(options)
    assert "cg:firstLine 2" in turtle
    assert "passage/x-36-45" in turtle
    assert findings(options, turtle) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("oa:start 36", "oa:start 37", "another digest"),
        ("oa:end 45", "oa:end 4500", "outside the text"),
        ("oa:end 45", "oa:ends 45", "no position"),
        ("cg:firstLine 2", "cg:firstLine 1", "firstLine is 1"),
        ("cg:lastLine 2", "cg:lastLine 3", "lastLine is 3"),
    ],
)
def test_a_wrong_passage_is_named(options: Settings, old: str, new: str, message: str) -> None:
    """With what is wrong."""
    turtle = data(options)
    assert old in turtle
    assert message in findings(options, turtle.replace(old, new))[0]


def test_eight_words_of_the_source_in_a_row_are_named(options: Settings) -> None:
    """Whatever the case and the punctuation; seven are not, nor is a title."""
    eight = "the QUICK brown fox, jumps over the lazy"
    found = findings(options, data(options, extra=f'<http://a/x> <http://a/p> "So {eight}!" .'))
    assert "quick brown fox jumps over the lazy" in found[0]
    seven = "the quick brown fox jumps over the"
    assert not findings(options, data(options, extra=f'<http://a/x> <http://a/p> "{seven}" .'))
    title = f'<http://a/x> <http://purl.org/dc/terms/title> "{eight}" .'
    assert not findings(options, data(options, extra=title))


def test_another_text_is_not_the_source(options: Settings) -> None:
    """Its digest is told."""
    quads = rdf.parse(data(options).encode(), rdf.TURTLE, base="http://a/", name="test")
    with pytest.raises(SourceError, match="no source document of the graph"):
        evidence.check(quads, evidence.Text(b"other"), options)


@pytest.mark.parametrize("words", ["nowhere", "e"])
def test_words_must_occur_once(options: Settings, words: str) -> None:
    """To make a passage of them."""
    with pytest.raises(SourceError, match="occur"):
        evidence.passage_turtle(evidence.Text(SOURCE.encode()), words, "x", options)
