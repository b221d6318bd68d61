"""Maps: the projection, countries by code, points, and the part of the world that is shown."""

from __future__ import annotations

import json

import pyoxigraph as ox
import pytest
from tools.world import ATLAS, SHAPES, drawn

from clustergraph.pages import Labels, Map, page, picture
from clustergraph.pages.maps import HEIGHT, WIDTH, project
from clustergraph.store import Row
from clustergraph.store.embedded import EmbeddedStore

TEXT = """
@prefix : <http://x/id/> . @prefix schema: <https://schema.org/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<http://x/graph/a> {
  :france a schema:Place ; dcterms:identifier "FR" .
  :lyon a schema:Place ; schema:containedInPlace :france .
  :tower a geo:Feature ; geo:hasGeometry :g . :g geo:asWKT "POINT(2.2945 48.8583)" .
  :call dcterms:identifier "DE" .
  :club skos:prefLabel "Club" ; :in :lyon ; :answers :call . :other :near :tower .
  :third :answers :call .
}
"""


@pytest.fixture(scope="module")
def backend() -> EmbeddedStore:
    """A small release."""
    store = ox.Store()
    store.load(TEXT.encode(), ox.RdfFormat.TRIG)
    for quad in list(store):
        store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
    return EmbeddedStore(store)


def drawn_of(backend: EmbeddedStore, *rows: dict[str, str]) -> Map | None:
    """The map of an answer about one thing."""
    thing = ox.NamedNode("http://x/id/club")
    found: list[Row] = [
        {"thing": thing, **{name: ox.Literal(row[name]) for name in row}} for row in rows
    ]
    made = picture(found, Labels(backend, ["en"]))
    assert made is None or isinstance(made, Map)
    return made


def test_the_world_fits() -> None:
    """East is right, north is up, and the edges are the edges."""
    assert project(0, 0)[0] == WIDTH / 2
    assert project(-180, 0)[0] == pytest.approx(0)
    assert project(180, 0)[0] == pytest.approx(WIDTH)
    assert 0 <= project(0, 84)[1] < project(0, 48)[1] < project(0, 0)[1]
    assert project(-70, -56)[1] <= HEIGHT


def test_countries_are_known_by_their_codes(backend: EmbeddedStore) -> None:
    """Those of their parts too; what is no code is no place."""
    found = drawn_of(backend, {"code": "FR"}, {"code": "DE-BY"}, {"code": "XX"}, {"code": "fr"})
    assert found is not None
    assert [area.code for area in found.areas] == ["DE", "FR"]
    assert [each.label.text for each in found.areas[0].things] == ["Club"]
    assert drawn_of(backend, {"code": "XX"}) is None


@pytest.mark.parametrize(
    "row", [{"wkt": "POINT(135.5 34.69)"}, {"long": "135.5", "lat": "34.69"},
            {"wkt": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84> Point (135.5 34.69)"}],
)  # fmt: skip
def test_points_stand_where_they_are(backend: EmbeddedStore, row: dict[str, str]) -> None:
    """Osaka is in Japan, and both are within what is shown."""
    found = drawn_of(backend, row, {"code": "JP"})
    assert found is not None
    (spot,) = found.spots
    left, top, right, low = json.loads(SHAPES.read_text())["JP"]["box"]
    assert left < spot.x < right
    assert top < spot.y < low
    assert found.left <= left < right <= found.left + found.width <= WIDTH
    assert found.top <= top < low <= found.top + found.height <= HEIGHT


@pytest.mark.parametrize(
    "row", [{"wkt": "POINT(200 10)"}, {"long": "x", "lat": "1"}, {"long": "5"}, {"wkt": "LINE(1)"}]
)
def test_what_is_no_point_is_left_out(backend: EmbeddedStore, row: dict[str, str]) -> None:
    """It is no error either."""
    assert drawn_of(backend, row) is None


def test_a_thing_shows_where_it_is(backend: EmbeddedStore) -> None:
    """By the places that it names; a code of something that is no place says nothing."""

    def world(name: str) -> Map | None:
        found = page(backend, "http://x/", f"http://x/id/{name}", ["en"])
        assert found is not None
        return found.world

    for name in ("club", "lyon", "france"):
        found = world(name)
        assert found is not None
        assert [area.code for area in found.areas] == ["FR"]
    tower = world("other")
    assert tower is not None
    assert len(tower.spots) == 1
    assert world("third") is None


@pytest.mark.skipif(not ATLAS.is_file(), reason="the atlas comes with the packages of frontend/")
def test_the_shapes_are_those_of_the_atlas() -> None:
    """As ``tools/world.py`` draws them; no line crosses the map from side to side."""
    countries, _paths = drawn(json.loads(ATLAS.read_text(encoding="utf-8")))
    assert countries == json.loads(SHAPES.read_text(encoding="ascii"))
    assert {"FR", "RU", "US", "ZA"} <= countries.keys()
