"""The feeds for people: releases, things, classes and places; read by the feedparser library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
from tests.web.conftest import Site, served

from clustergraph import scaffold

LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Site]:
    """A plain store with small pages: things of a class at a place, made, moved and taken away."""
    scaffold.init(tmp_path / "plain", bare=True)
    for site in served(tmp_path / "plain", feed_page=2):
        _made, site.token = site.graph.tokens.create("admin", admin=True)
        facts = "".join(
            f"<{site.iri(f'id/thing/{each}')}> a <http://x/C> ; <http://x/at> <http://x/place> ; "
            f'<{LABEL}> "Thing & {each}" .'
            for each in range(4)
        )
        first = site.iri("id/thing/0")
        for text in (
            f"INSERT DATA {{ {facts} }}",
            f"INSERT DATA {{ <{first}#part> <http://x/p> 1 }}",
            f'INSERT DATA {{ <{first}> <{LABEL}> "Other"@en }}',
            f"DELETE WHERE {{ <{first}> ?p ?o }}",
        ):
            assert site.update(text).status_code == 200
        yield site


def parsed(site: Site, address: str) -> Any:
    """A feed as a reader takes it."""
    answer = site.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/atom+xml"
    found = feedparser.parse(answer.data)
    assert not found.bozo
    assert found.version == "atom10"
    assert found.feed.id
    assert found.feed.updated_parsed
    return found


def test_a_thing(told: Site) -> None:
    """What became of it and of its parts, the newest first; relative to the base or whole."""
    thing = told.iri("id/thing/0")
    for name in (thing, "id/thing/0"):
        found = parsed(told, f"/feed/atom?thing={name}")
        assert [each.summary for each in found.entries] == [
            "Was taken away.", "Was changed.", "Is new.", "Is new.",
        ]  # fmt: skip
        assert {each.link for each in found.entries} == {thing, f"{thing}#part"}
        assert len({each.id for each in found.entries}) == 4
    assert parsed(told, f"/feed/atom?thing={told.iri('id/thing/none')}").entries == []


def test_a_class_and_a_place(told: Site) -> None:
    """By type, also of what is gone; by what statements lead to; both together."""
    found = parsed(told, "/feed/atom?class=http://x/C")
    assert [each.summary for each in found.entries].count("Was taken away.") == 1
    assert len(found.entries) == 6
    assert found.entries[-1].tags[0].term == "http://x/C"
    assert any(each.title == "Thing & 3" for each in found.entries)
    assert len(parsed(told, "/feed/atom?place=http://x/place").entries) == 5
    both = parsed(told, "/feed/atom?place=http://x/place&class=http://x/C&thing=id/thing/0")
    assert len(both.entries) == 2


def test_pages_come_to_an_end(told: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry once, whatever a page holds."""
    monkeypatch.setattr("clustergraph.web.atom._ENTRIES", 2)
    monkeypatch.setattr("clustergraph.web.atom._RELEASES", 2)
    for address, count in (("/feed/atom?class=http://x/C", 6), ("/feed/atom", 5)):
        following, ids = address, []
        for _ in range(10):
            found = parsed(told, following)
            ids += [each.id for each in found.entries]
            following = next((each.href for each in found.feed.links if each.rel == "next"), "")
            following = following.removeprefix("http://127.0.0.1:8080")
            if not following:
                break
        assert not following
        assert len(ids) == len(set(ids)) == count


def test_what_cannot_be_asked(told: Site) -> None:
    """Told as such; what was forgotten is gone."""
    for address in (
        "/feed/atom?thing=a:b%20c",
        "/feed/atom?before=x",
        "/feed/atom?class=x:y&page=-",
    ):
        assert told.get(address).status_code == 400, address
    assert told.get("/feed/atom?class=x:y&page=99").status_code == 404
    told.graph.forget([told.iri("id/thing/1")], force=True)
    assert told.get("/feed/atom?thing=id/thing/1").status_code == 410
    assert "thing/1" not in told.get("/feed/atom?class=http://x/C").text
