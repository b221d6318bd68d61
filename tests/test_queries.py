"""Stored queries: headers, parameters, mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustergraph import queries
from clustergraph.errors import ParameterError, SourceError

TEXT = """#+ title: People of a place
#+ description: >-
#+   Who is
#+   there.
#+ params:
#+   place: {type: iri, description: The place., default: id/place/x}
#+   name: {type: string, description: A name.}
SELECT ?s { ?s <http://old/at> $place ; <http://old/name> $name }
"""


def read(tmp_path: Path, text: str = TEXT) -> queries.StoredQuery:
    """Read a query out of a file."""
    path = tmp_path / "people.rq"
    path.write_text(text)
    return queries.read(path, name="people", written_base="http://old/", base="http://new/")


def test_header_and_text_are_read(tmp_path: Path) -> None:
    """Under the published base."""
    query = read(tmp_path)
    assert (query.title, query.description) == ("People of a place", "Who is there.")
    assert [each.name for each in query.parameters] == ["place", "name"]
    assert "http://new/at" in query.text


def test_values_become_terms(tmp_path: Path) -> None:
    """A default is used where no value is given; IRIs may be relative to the base."""
    text = read(tmp_path).bound({"name": 'a "b"'}, "http://new/")
    assert "<http://new/id/place/x>" in text
    assert r'"a \"b\""' in text


@pytest.mark.parametrize("values", [{}, {"name": "x", "other": "y"}, {"name": "x", "place": "a b"}])
def test_wrong_values_are_refused(tmp_path: Path, values: dict[str, str]) -> None:
    """Missing, unknown, or of another type."""
    with pytest.raises(ParameterError):
        read(tmp_path).bound(values, "http://new/")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "x"),
        ("date", "1.1.2016"),
        ("boolean", "yes"),
        ("decimal", ""),
        ("decimal", "nan"),
        ("decimal", "1e999999"),
    ],
)
def test_values_are_checked_by_type(kind: str, value: str) -> None:
    """A text that is no value of the type is refused."""
    with pytest.raises(ParameterError):
        queries.Parameter("p", kind, "").term(value, "http://a/")


@pytest.mark.parametrize(
    ("value", "written"), [("0.00000001", "0.00000001"), ("-12", "-12"), ("1e3", "1000")]
)
def test_decimals_keep_their_digits(value: str, written: str) -> None:
    """Without an exponent, as xsd:decimal wants it."""
    term = queries.Parameter("p", "decimal", "").term(value, "http://a/")
    assert getattr(term, "value", "") == written


@pytest.mark.parametrize(
    "text",
    [
        "#+ title: x\n#+ params: {format: {type: string}}\nASK { ?s ?p $format }",
        "SELECT * {}",
        "#+ title: [\nASK {}",
        "#+ title: x\n#+ params: {p: {type: colour}}\nASK { ?s ?p $p }",
    ],
)
def test_bad_headers_are_told(tmp_path: Path, text: str) -> None:
    """With the file's name."""
    with pytest.raises(SourceError, match=r"people\.rq"):
        read(tmp_path, text)
