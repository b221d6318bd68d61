"""Search: what is found by which words, in which order, narrowed by what; hostile texts too."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import search
from clustergraph.search import Index
from clustergraph.store import flat

BASE = "http://x/"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
TEXT = """
@prefix : <http://x/id/> . @prefix o: <http://x/ontology#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<http://x/graph/a> {
  :rhone a o:Region ; skos:prefLabel "Rhône-Alpes"@fr , "Rhone-Alps"@en ; o:country :fr .
  :auvergne a o:Region ; skos:prefLabel "Auvergne-Rhône-Alpes"@fr ; o:country :fr .
  :biocat a o:Cluster ; skos:prefLabel "Biocat"@en ; skos:altLabel "BioRegion of Catalonia"@en ;
    o:country :es ; dcterms:description "Speaks for the life sciences of Catalonia."@en ;
    o:founded "2006-05-01"^^xsd:date .
  :biom a o:Cluster ; skos:prefLabel "BioM"@de ; o:country :de ; o:founded "2006"^^xsd:gYear .
  :jp a o:Region ; skos:prefLabel "Japan"@en , "日本国"@ja ; o:country :jp .
  :long a o:Text ; skos:prefLabel "A text"@en ;
    dcterms:description "HAY the needle HAY"@en .
  :evidence a rdf:Statement ; skos:prefLabel "Biocat is in Catalonia"@en .
  <http://elsewhere/x> skos:prefLabel "Biocat elsewhere"@en .
}
<http://x/shapes> { :shape skos:prefLabel "Biocat shape"@en }
""".replace("HAY", "hay " * 200)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The index of a small graph."""
    path = tmp_path_factory.mktemp("search") / search.NAME
    search.build(path, flat.lines_of(ox.parse(TEXT.encode(), ox.RdfFormat.TRIG)), base=BASE)
    return Index(path)


def found(index: Index, text: str, *narrowed: tuple[str, str], language: str = "en") -> list[str]:
    """The ends of the IRIs of what is found, in order."""
    hits = index.search(text, narrowed=narrowed, languages=[language]).hits
    return [each.iri.removeprefix(f"{BASE}id/") for each in hits]


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("biocat", ["biocat"]),
        ("BIOCAT", ["biocat"]),
        ("rhone", ["rhone", "auvergne"]),
        ("Rhône-Alpes", ["rhone", "auvergne"]),
        ("alpes auvergne", ["auvergne"]),
        ("bio", ["biocat", "biom"]),
        ("bioregion catalonia", ["biocat"]),
        ("sciences life", ["biocat"]),
        ("日本", ["jp"]),
        ("本国", ["jp"]),
        ("needle", ["long"]),
        ("elsewhere", []),
        ("shape", []),
        ("", []),
    ],
)
def test_words_find_things(index: Index, text: str, things: list[str]) -> None:
    """Whatever the accents, the case, the order; names before descriptions, the exact one first."""
    assert found(index, text) == things


@pytest.mark.parametrize("text", ["biocatt", "bocat", "rhonne alpes", "Auvergn Rhone Alps"])
def test_what_is_misspelt_is_found_by_likeness(index: Index, text: str) -> None:
    """And what is like it is named."""
    answer = index.search(text, languages=["en"])
    assert answer.hits
    assert answer.like
    assert index.search("zzzzzz").total == 0


@pytest.mark.parametrize(
    "text",
    ['"', "'", '" OR "', "bio*", "NEAR(a b)", "plain:x", "-bio", "^bio", "{bio}", "a AND", "%", "_",
     "\\", "\x00", "bio; DROP TABLE text", "(" * 500, "a " * 5000, "́", "日%"],
)  # fmt: skip
def test_nothing_is_syntax(index: Index, text: str) -> None:
    """Signs have no meaning: they are words, or nothing."""
    index.search(text)
    index.suggest(text)


def test_results_are_narrowed(index: Index) -> None:
    """By what they have in common, with the numbers of each value; years for dates."""
    answer = index.search("bio")
    counted = {each.property.rpartition("#")[2]: dict(each.values) for each in answer.facets}
    assert counted["country"] == {f"{BASE}id/de": 1, f"{BASE}id/es": 1}
    assert "founded" not in counted  # it has one value only
    assert "type" not in counted  # all have the same
    assert found(index, "bio", (f"{BASE}ontology#country", f"{BASE}id/es")) == ["biocat"]
    assert found(index, "", (TYPE, f"{BASE}ontology#Region")) == ["auvergne", "jp", "rhone"]
    assert found(index, "", (TYPE, "none")) == []


def test_pages_follow_each_other(index: Index) -> None:
    """Each thing comes once; a key that is unknown begins at the beginning."""
    seen: list[str] = []
    after = ""
    while True:
        answer = index.search("", narrowed=[(TYPE, f"{BASE}ontology#Region")], after=after, limit=2)
        seen += [each.iri for each in answer.hits]
        assert answer.total == 3
        after = answer.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 3
    assert len(index.search("bio", after="strange").hits) == 2


def test_names_follow_the_reader(index: Index) -> None:
    """In the language that is wanted; the match is shown where it was found, marked."""
    (hit,) = index.search("日本", languages=["en"]).hits
    assert (hit.name, hit.text) == ("Japan", "日本国")
    (hit,) = index.search("needle", languages=["en"]).hits
    assert len(hit.text) <= 200
    assert [hit.text[begin:end] for begin, end in hit.marks] == ["needle"]


def test_suggestions_are_names_that_begin_so(index: Index) -> None:
    """The shortest first; descriptions suggest nothing."""
    assert [each.name for each in index.suggest("bio")] == ["BioM", "Biocat"]
    assert [each.name for each in index.suggest("sciences")] == []


def test_the_index_is_the_same_for_the_same_statements(tmp_path: Path) -> None:
    """In whatever order they come."""
    quads = list(ox.parse(TEXT.encode(), ox.RdfFormat.TRIG))
    for name in ("a", "b"):
        search.build(tmp_path / name, flat.lines_of(quads), base=BASE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
