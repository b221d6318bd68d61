"""Content negotiation, case by case."""

from __future__ import annotations

import pytest

from clustergraph import rdf
from clustergraph.web.negotiation import HTML, choose, languages

OFFERED = (rdf.TURTLE, HTML, rdf.JSON_LD, rdf.RDF_XML, rdf.N_TRIPLES)

CASES = [
    (None, "ttl"),
    ("", "ttl"),
    ("*/*", "ttl"),
    ("text/html", "html"),
    ("text/*", "ttl"),
    ("text/*;q=0.5, text/html", "html"),
    ("text/html;q=0.5, text/turtle;q=0.4", "html"),
    ("text/html;q=0, text/*", "ttl"),
    ("text/turtle;q=0, */*;q=0.1", "html"),
    ("text/turtle;q=0, text/html;q=0, */*", "jsonld"),
    ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted, x"', "jsonld"),
    ("application/ld+json; q=0.3 , application/rdf+xml;q=0.9", "rdf"),
    ("text/turtle;charset=utf-8", "ttl"),
    ("text/turtle;charset=utf-16", None),
    ("text/turtle;level=1, text/html;q=0.1", "html"),
    ("TEXT/HTML", "html"),
    ("image/png", None),
    ("*/*;q=0", None),
    ("text/turtle;q=2, text/html", "html"),
    ("nonsense, text/html", "html"),
    ("*/turtle, text/html", "html"),
    ("application/json", "jsonld"),
    ("application/xml", "rdf"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    ("application/signed-exchange;v=b3;q=0.7,*/*;q=0.8,text/html", "html"),
    ("application/rdf+xml, text/turtle", "ttl"),
]


@pytest.mark.parametrize(("header", "suffix"), CASES)
def test_the_best_acceptable_format_is_chosen(header: str | None, suffix: str | None) -> None:
    """By weight, then closeness, then our own order."""
    chosen = choose(header, OFFERED)
    assert (chosen.suffix if chosen else None) == suffix


@pytest.mark.parametrize(
    ("header", "asked", "expected"),
    [
        (None, None, ["en", "fr"]),
        ("fr", None, ["fr", "en"]),
        ("de-AT;q=0.8, ca", None, ["ca", "de-at", "de", "en", "fr"]),
        ("fr;q=0, en;q=0.1", None, ["en", "fr"]),
        ("*", "ja", ["ja", "en", "fr"]),
        ("x y, ;;", "<script>", ["en", "fr"]),
    ],
)
def test_languages_come_in_the_order_of_the_reader(
    header: str | None, asked: str | None, expected: list[str]
) -> None:
    """Then in that of the project."""
    assert languages(header, asked, ("en", "fr")) == expected


def test_formats_that_are_equal_are_not_taken_for_each_other() -> None:
    """What was chosen for one surface is remembered, but each gets a format of its own."""
    for _ in range(2):
        mine = rdf.Format("JSON", "application/json", "json")
        assert choose("application/json", (HTML, mine)) is mine
