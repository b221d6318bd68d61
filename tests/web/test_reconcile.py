"""The reconciliation service: in the shapes in which OpenRefine asks, and in those of the draft."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.conftest import REPOSITORY
from tests.web.conftest import Site
from werkzeug.test import TestResponse

from clustergraph import settings
from clustergraph.service import ClusterGraph
from clustergraph.web.app import create_app

CG = "https://w3id.org/clustergraph/ontology#"
ID = "https://w3id.org/clustergraph/id/"
SCHEMAS = json.loads((Path(__file__).parent / "reconciliation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def published(shipped: ClusterGraph) -> Iterator[Site]:
    """The shipped graph, served."""
    variable = shipped.settings.variable
    graph = ClusterGraph(settings.load(REPOSITORY, environment={}, variable=variable), public=True)
    yield Site(graph, create_app(graph).test_client())
    graph.close()


def valid(name: str, document: Any) -> Any:
    """A document that its schema allows."""
    schema = SCHEMAS | {"$ref": f"#/$defs/{name}"}
    problems = [each.message for each in Draft202012Validator(schema).iter_errors(document)]
    assert not problems, (name, problems[:3])
    return document


def asked(site: Site, batch: object, **options: Any) -> dict[str, Any]:
    """The answer to a batch, sent as OpenRefine sends it."""
    answer = site.client.post("/reconcile", data={"queries": json.dumps(batch)}, **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = valid("results-0.2", answer.json)
    return found


def best(site: Site, text: str, **more: Any) -> tuple[str, bool]:
    """The first candidate for a name, and whether it is surely meant."""
    found = asked(site, {"q0": {"query": text, **more}})["q0"]["result"]
    return (found[0]["id"].removeprefix(ID), found[0]["match"]) if found else ("", False)


def drafted(site: Site, *queries: object) -> list[dict[str, Any]]:
    """The answers to a batch of the draft."""
    answer = site.client.post("/reconcile/v1/match", json={"queries": queries})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = valid("results-1.0-draft", answer.json)["results"]
    return found


def test_manifests(published: Site) -> None:
    """Each service says what it can do, in the words of its version; addresses are absolute."""
    old = valid("manifest-0.2", published.get("/reconcile").json)
    new = valid("manifest-1.0-draft", published.get("/reconcile/v1").json)
    assert old["identifierSpace"] == "https://w3id.org/clustergraph/"
    assert old["defaultTypes"][0]["id"].startswith(CG)
    assert new["standardizedScore"] is True
    for each in old["suggest"].values():
        path = (each["service_url"] + each["service_path"]).removeprefix("http://localhost")
        assert published.get(f"{path}?prefix=b").status_code == 200
    answer = published.get("/reconcile/")
    assert answer.json == old
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("text", "meant", "match"),
    [
        ("Lyonbiopole", "organisation/lyonbiopole", True),
        ("lyon  BIOPOLE", "organisation/lyonbiopole", True),
        ("Bioindustry Park", "organisation/bioindustry-park-silvano-fumero", False),
        ("silvano fumero, bioindustry park", "organisation/bioindustry-park-silvano-fumero", True),
        ("Rhone Alpes", "place/rhone-alpes", True),
        ("Auvergne-Rhone Alpes Region", "place/auvergne-rhone-alpes", True),
        ("EU Japan Centre", "organisation/eu-japan-centre", True),
        ("EU-Japan Center", "organisation/eu-japan-centre", False),
        ("JBA", "organisation/japan-bioindustry-association", True),
        ("Japan Bioindustry Assoc.", "organisation/japan-bioindustry-association", False),
        ("HISA", "organisation/health-industries-south-australia", False),
        ("Domdey, Horst", "person/horst-domdey", True),
        ("Catalunya", "place/catalonia", True),
        ("Catalogna", "place/catalonia", False),
        ("Executive Agency for Small and Medium-sized Entreprises", "organisation/easme", True),
        (ID + "place/japan", "place/japan", True),
    ],
)
def test_who_is_meant(published: Site, text: str, meant: str, match: bool) -> None:
    """Case, accents, order, abbreviations, other names, misspellings, identifiers."""
    found, sure = best(published, text)
    assert found == meant
    assert sure is match


def test_nobody_is_meant(published: Site) -> None:
    """Strange texts have no candidates; namesakes are never certain."""
    for text in ("xyzzy", "ÿ" * 3000, "!!!", "٣٤٥", "\u202e\u0000"):
        assert best(published, text) == ("", False)
    found = asked(published, {"q": {"query": "Osaka Bio Headquarters"}})["q"]["result"]
    assert [each["score"] for each in found[:2]] == [100, 100]
    assert not any(each["match"] for each in found)
    found = asked(published, {"q": {"query": "Osaka Bio Headquarters", "type": f"{CG}Reading"}})[
        "q"
    ]["result"]
    assert found[0]["match"]
    assert {f"{CG}Reading"} <= {each["id"] for each in found[0]["type"]}


def test_types(published: Site) -> None:
    """A type restricts; with several, any, all, or one that it should have."""
    name, place = {"query": "Rhône-Alpes"}, {"type": f"{CG}Place"}
    by = asked(
        published,
        {
            "one": name | place,
            "prefixed": name | {"type": "cg:Place"},
            "any": name | {"type": [f"{CG}Place", f"{CG}Reading"], "type_strict": "any"},
            "all": name | {"type": [f"{CG}Place", f"{CG}Reading"], "type_strict": "all"},
            "should": name | place | {"type_strict": "should"},
            "none": name | {"type": "http://example.org/None"},
        },
    )
    ids = {key: [each["id"] for each in found["result"]] for key, found in by.items()}
    assert ids["one"] == ids["prefixed"]
    assert all("/id/place/" in each for each in ids["one"])
    assert any("/id/reading/" in each for each in ids["any"])
    assert not ids["all"]
    assert not ids["none"]
    assert ids["should"][0] == f"{ID}place/rhone-alpes"
    assert any("/id/place/" not in each for each in ids["should"])


def test_properties_raise_and_lower_the_score(published: Site) -> None:
    """By the thing, by its name, by a literal; what contradicts is never certain."""

    def score(value: object) -> tuple[float, bool]:
        query = {"query": "Biocat", "properties": [{"pid": f"{CG}isBasedIn", "v": value}]}
        found = {each["id"]: each for each in asked(published, {"q": query})["q"]["result"]}
        biocat = found[f"{ID}organisation/biocat"]
        assert biocat["features"][-1]["id"] == f"{CG}isBasedIn"
        return biocat["score"], biocat["match"]

    assert score({"id": f"{ID}place/catalonia", "name": "?"}) == (100, True)
    assert score("catalonia") == (100, True)
    assert score(["Bavaria", "Catalunya"]) == (100, True)
    assert score({"id": f"{ID}place/bavaria"}) == (70, False)
    near = {"query": "Bio Catt", "properties": [{"pid": f"{CG}isBasedIn", "v": "Catalonia"}]}
    assert asked(published, {"q": near})["q"]["result"][0]["match"]
    assert not asked(published, {"q": {"query": "Bio Catt"}})["q"]["result"][0]["match"]
    without = {"query": "Biocat", "properties": [{"pid": "http://example.org/none", "v": "x"}]}
    assert 70 < asked(published, {"q": without})["q"]["result"][0]["score"] < 100


def test_without_a_name(published: Site) -> None:
    """Values alone find things too."""
    for value in ({"id": f"{ID}place/catalonia"}, "Catalonia", f"{ID}place/catalonia"):
        query = {"properties": [{"pid": "cg:isBasedIn", "v": value}], "limit": 5}
        found = asked(published, {"q": query})["q"]["result"]
        assert f"{ID}organisation/biocat" in {each["id"] for each in found}


def test_one_bad_query_fails_alone(published: Site) -> None:
    """The others are answered; the bad one says why."""
    bad: tuple[Any, ...] = (
        {}, {"query": ""}, {"query": 5}, 7, None, [], {"query": "x", "limit": 0},
        {"query": "x", "limit": "many"}, {"query": "x", "type": 3},
        {"query": "x", "type_strict": "maybe"}, {"query": "x", "properties": "p"},
        {"query": "x", "properties": [{"p": "x"}]}, {"query": "x", "properties": [{"pid": "p"}]},
        {"query": "x", "properties": [{"pid": "p", "v": [[1]]}]},
        {"query": "x", "properties": [{"pid": "p", "v": {"name": "x"}}]},
    )  # fmt: skip
    batch = {f"b{place}": each for place, each in enumerate(bad)} | {"good": {"query": "Biocat"}}
    found = asked(published, batch)
    assert found.pop("good")["result"][0]["match"]
    for key, each in found.items():
        assert each["result"] == [], key
        assert each["error"]["status"] == 400
        assert each["error"]["detail"]


def test_odd_values_are_compared(published: Site) -> None:
    """Numbers beyond all bounds, halves of characters, whatever JSON can hold."""
    huge = '{"q": {"query": "Biocat", "properties": [{"pid": "cg:isBasedIn", "v": [%s]}]}}'
    for value in ("1" + "0" * 400, "1e999", "NaN", "-Infinity", "-0.0", "false", '"\\u0000"'):
        answer = published.client.post("/reconcile", data={"queries": huge % value})
        assert answer.status_code == 200, value
        assert answer.json["q"]["result"][0]["name"] == "Biocat"
    for text in ('{"\\ud800": {"query": "x"}}', '{"q": {"query": "\\ud800"}}'):
        assert published.client.post("/reconcile", data={"queries": text}).status_code == 400


def test_limits(published: Site) -> None:
    """As many candidates as asked for; as many queries as the manifest says."""
    for limit in (1, 3, "2", 3.0):
        found = asked(published, {"q": {"query": "bioXclusters", "limit": limit}})["q"]["result"]
        assert len(found) == int(limit)
    size = published.get("/reconcile").json["batchSize"]
    assert len(asked(published, {str(n): {"query": "Bavaria"} for n in range(size)})) == size
    over = json.dumps({str(n): {"query": "Bavaria"} for n in range(size + 1)})
    assert published.client.post("/reconcile", data={"queries": over}).status_code == 413


@pytest.mark.parametrize(
    ("method", "address", "options", "status"),
    [
        ("GET", "/reconcile?queries=nonsense", {}, 400),
        ("GET", "/reconcile?queries=[]", {}, 400),
        ("GET", "/reconcile?queries=%FF", {}, 400),
        ("POST", "/reconcile", {"data": {"other": "x"}}, 400),
        ("POST", "/reconcile", {"data": b"<x/>", "content_type": "text/xml"}, 415),
        ("POST", "/reconcile/v1/match", {"data": b"{", "content_type": "application/json"}, 400),
        ("POST", "/reconcile/v1/match", {"json": {"q0": {"query": "x"}}}, 400),
        ("POST", "/reconcile/v1/match", {"data": {"queries": "{}"}}, 415),
        ("POST", "/reconcile", {"data": {"queries": "[" * 200_000}}, 400),
        ("POST", "/reconcile", {"data": {"extend": '{"ids": 5}'}}, 400),
        ("POST", "/reconcile", {"data": {"extend": '{"ids": [], "properties": [{}]}'}}, 400),
        ("POST", "/reconcile/extend", {"json": {"ids": ["x"] * 400, "properties": []}}, 413),
        ("GET", "/reconcile/suggest/nothing?prefix=a", {}, 404),
        ("GET", "/reconcile/suggest/entity?prefix=a&limit=x", {}, 400),
        ("GET", "/reconcile/preview", {}, 400),
        ("GET", "/reconcile/preview?id=http://example.org/none", {}, 404),
        ("GET", "/reconcile/preview?id=javascript:alert(1)", {}, 404),
        ("GET", "/reconcile/view?id=https://example.org/elsewhere", {}, 404),
    ],
)
def test_what_is_wrong_is_told(
    published: Site, method: str, address: str, options: dict[str, Any], status: int
) -> None:
    """As problem details, with a sentence."""
    answer = published.client.open(address, method=method, **options)
    assert answer.status_code == status, answer.text
    if "suggest/nothing" not in address:
        assert answer.json["detail"]


def test_the_draft(published: Site) -> None:
    """Conditions on names, identifiers and properties; required ones; quantifiers."""
    name = {"matchType": "name", "propertyValue": "Biocat"}
    based = {"matchType": "property", "propertyId": f"{CG}isBasedIn"}
    found = drafted(
        published,
        {"conditions": [name], "limit": 1},
        {"conditions": [{"matchType": "id", "propertyValue": f"{ID}organisation/biocat"}]},
        {"conditions": [name, based | {"propertyValue": "Bavaria", "required": True}]},
        {"conditions": [name, based | {"propertyValue": "Catalonia", "required": True}]},
        {"conditions": [name, based | {"propertyValue": ["Catalonia", "Bavaria"],
                                       "matchQuantifier": "all"}], "limit": 1},
        {"conditions": [name, based | {"propertyValue": "Catalonia", "matchQuantifier": "none"}],
         "limit": 1},
        {"conditions": [name], "type": f"{CG}Person"},
        {"conditions": []},
        {"conditions": [{"matchType": "sound", "propertyValue": "x"}]},
    )  # fmt: skip
    ids = [[each["id"].removeprefix(ID) for each in one["candidates"]] for one in found]
    assert ids[0] == ["organisation/biocat"]
    assert ids[1] == ["organisation/biocat"]
    assert "organisation/biocat" not in ids[2]
    assert ids[3] == ["organisation/biocat"]
    assert found[4]["candidates"][0]["score"] < 100
    assert not found[5]["candidates"][0]["match"]
    assert not ids[6]
    assert [each["error"]["status"] for each in found[7:]] == [400, 400]
    same = published.client.post("/reconcile", json={"queries": [{"conditions": [name]}]})
    assert same.json["results"][0]["candidates"][0]["match"]


def test_suggestions(published: Site) -> None:
    """By the beginning of a name, of a later word, by an identifier; one page after another."""
    found = valid("suggestions", published.get("/reconcile/suggest/entity?prefix=lyonb").json)
    assert found["result"][0]["id"] == f"{ID}organisation/lyonbiopole"
    assert found["result"][0]["notable"]
    for prefix in ("rhône", "RHONE-ALPES", f"{ID}place/rhone-alpes"):
        answer = published.get("/reconcile/suggest/entity", query_string={"prefix": prefix})
        assert answer.json["result"][0]["id"] == f"{ID}place/rhone-alpes"
    assert f"{CG}isBasedIn" in {
        each["id"]
        for each in published.get("/reconcile/suggest/property?prefix=based").json["result"]
    }
    types = valid("suggestions", published.get("/reconcile/suggest/type?prefix=Mission").json)
    assert types["result"][0]["id"] == f"{CG}Mission"
    address = "/reconcile/v1/suggest/entity?prefix=bio&limit="
    whole = published.get(address + "6").json["result"]
    parts = [published.get(f"{address}2&offset={n}").json["result"] for n in (0, 2, 4)]
    assert [each for part in parts for each in part] == whole
    assert (
        published.get("/reconcile/suggest/entity?prefix=bio&limit=2&cursor=2").json["result"]
        == parts[1]
    )
    assert published.get("/reconcile/suggest/type").json["result"]


def test_previews_may_be_framed_and_do_nothing(published: Site) -> None:
    """A page that any site may frame, without scripts; a flyout with the same in short."""
    answer = published.get(f"/reconcile/preview?id={ID}place/catalonia")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "X-Frame-Options" not in answer.headers
    assert "Catalunya" in answer.text
    flyout = published.get(f"/reconcile/flyout/entity?id={ID}place/catalonia").json
    assert flyout["id"] == f"{ID}place/catalonia"
    assert "Catalonia" in flyout["html"]
    assert published.get(f"/reconcile/flyout/property?id={CG}isBasedIn").status_code == 200
    view = published.get(f"/reconcile/view?id={ID}place/catalonia")
    assert (view.status_code, view.headers["Location"]) == (303, "/doc/place/catalonia")


def test_values_of_things(published: Site) -> None:
    """Things, texts, numbers and dates, as each version writes them; as many as asked for."""
    mission = f"{ID}mission/japan-2016-eu-japan-centre"
    proposal = valid(
        "proposal", published.get("/reconcile/extend/propose?type=cg:Mission&limit=50").json
    )
    names = {each["id"] for each in proposal["properties"]}
    assert "https://schema.org/startDate" in names
    wanted = {"ids": [mission, "http://example.org/none"],
              "properties": [{"id": each} for each in sorted(names)]}  # fmt: skip
    answer = published.client.post("/reconcile", data={"extend": json.dumps(wanted)})
    old = valid("extension-0.2", answer.json)
    row = old["rows"][mission]
    assert row["https://schema.org/startDate"] == [{"date": "2016-10-10T00:00:00Z"}]
    assert {"id": f"{ID}place/japan", "name": "Japan"} in row[f"{CG}hasDestination"]
    assert all(each == [] for each in old["rows"]["http://example.org/none"].values())
    new = valid(
        "extension-1.0-draft", published.client.post("/reconcile/v1/extend", json=wanted).json
    )
    assert {each["id"]: {one["id"]: one["values"] for one in each["properties"]}
            for each in new["rows"]} == old["rows"]  # fmt: skip
    query = {"ids": [mission], "properties": [{"id": f"{CG}hasPassage", "settings": {"limit": 1}}]}
    answer = published.client.post("/reconcile", data={"extend": json.dumps(query)})
    assert len(answer.json["rows"][mission][f"{CG}hasPassage"]) == 1


def test_names_are_in_the_language_of_the_reader(published: Site) -> None:
    """Types and things, by Accept-Language."""
    query = {"q": {"query": "Catalonia", "type": f"{CG}Place"}}
    french = asked(published, query, headers={"Accept-Language": "fr"})["q"]["result"][0]
    catalan = asked(published, query, headers={"Accept-Language": "ca"})["q"]["result"][0]
    assert catalan["name"] == "Catalunya"
    assert french["name"] in {"Catalogne", "Catalonia"}


def test_jsonp_calls_a_function_and_nothing_else(published: Site) -> None:
    """For clients of old: a name of a function, or a refusal."""
    address = "/reconcile?queries=%7B%22a%22%3A%7B%22query%22%3A%22Biocat%22%7D%7D&callback="
    answer = published.get(address + "jQuery1.cb_2")
    assert answer.text.startswith("/**/jQuery1.cb_2({")
    assert answer.text.endswith(");")
    assert answer.content_type.startswith("text/javascript")
    for name in ("alert(1)", "a;b", "<script>", "x" * 300, "a..b", "1x"):
        answer = published.get("/reconcile", query_string={"callback": name})
        assert answer.status_code == 400, name


def test_other_sites_may_ask(published: Site) -> None:
    """CORS on every answer, errors too, and before a POST of JSON."""
    batch = {"queries": json.dumps({"q": {"query": "Biocat"}})}
    answers: list[TestResponse] = [
        published.client.post("/reconcile", data=batch),
        published.client.post("/reconcile/v1/match", json={"queries": []}),
        published.client.post("/reconcile/v1/extend", json={}),
        published.get("/reconcile/suggest/entity?prefix=b"),
        published.client.options("/reconcile/v1/match"),
    ]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    get = published.get("/reconcile?queries=" + batch["queries"])
    again = published.get(
        "/reconcile?queries=" + batch["queries"], headers={"If-None-Match": get.headers["ETag"]}
    )
    assert again.status_code == 304


def test_a_release_replaces_the_names(site: Site) -> None:
    """What is written is found, what is forgotten is not; a worker that dies is replaced."""
    cluster = site.iri("id/organisation/newcomer")
    ontology = site.iri("ontology#Cluster")
    label = "http://www.w3.org/2004/02/skos/core#prefLabel"
    assert asked(site, {"q": {"query": "Newcomer Alliance"}})["q"]["result"] == []
    site.update(f'INSERT DATA {{ <{cluster}> a <{ontology}> ; <{label}> "Newcomer Alliance"@en }}')
    found = asked(site, {"q": {"query": "newcomer alliance"}})["q"]["result"]
    assert [each["id"] for each in found] == [cluster]
    worker = site.graph._matcher._worker
    assert worker is not None
    worker._process.kill()
    worker._process.wait()
    batch = {"queries": json.dumps({"q": {"query": "newcomer"}})}
    assert site.client.post("/reconcile", data=batch).status_code in {200, 503}
    assert asked(site, {"q": {"query": "newcomer alliance"}})["q"]["result"]
    site.graph.forget([cluster])
    assert asked(site, {"q": {"query": "newcomer alliance"}})["q"]["result"] == []
    assert site.get(f"/reconcile/preview?id={cluster}").status_code == 404


def test_a_plain_store_can_be_matched_with(plain: Site) -> None:
    """No ontology, no merge: named graphs, foreign IRIs, other properties of names."""
    done = plain.update(
        "PREFIX foaf: <http://xmlns.com/foaf/0.1/> "
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
        "INSERT DATA { GRAPH <http://x/g> { <http://y/1> a <http://y/T> ; "
        'foaf:name "Übersee-Museum München" . <http://y/2> rdfs:label "東京大学"@ja } }'
    )
    assert done.status_code == 200
    for text in ("uebersee museum muenchen", "Museum Munchen Ubersee"):
        found = asked(plain, {"q": {"query": text, "type": "http://y/T"}})["q"]["result"]
        assert [each["id"] for each in found] == ["http://y/1"], text
    assert asked(plain, {"q": {"query": "東京大"}})["q"]["result"][0]["id"] == "http://y/2"
    view = plain.get("/reconcile/view?id=http://y/1")
    assert view.headers["Location"] == "http://y/1"


def test_workers_end_with_the_graph(site: Site) -> None:
    """No process is left behind."""
    asked(site, {"q": {"query": "Example"}})
    worker = site.graph._matcher._worker
    assert worker is not None
    pid = worker._process.pid
    site.graph.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
