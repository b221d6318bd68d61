"""An index that was changed finds what one that was built anew finds."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import search
from clustergraph.store import flat

BASE = "http://x/"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
NOTE = "http://purl.org/dc/terms/description"
RECORD = "http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement"
CONTENT = (
    "SELECT iri, rank, language, value, plain FROM text JOIN thing ON thing.id = text.thing",
    "SELECT iri, property, value FROM facet JOIN thing ON thing.id = facet.thing",
    "SELECT iri FROM thing",
    "SELECT property, value, things FROM held",
    "SELECT iri, narrows FROM property",
)
FOUND = (
    "SELECT text.value FROM words JOIN text ON text.id = words.rowid WHERE words MATCH ?",
    "SELECT text.value FROM pieces JOIN text ON text.id = pieces.rowid WHERE pieces MATCH ?",
)


def quad(thing: int, predicate: str, term: ox.NamedNode | ox.Literal) -> ox.Quad:
    """A statement of a thing under the base."""
    subject, graph = ox.NamedNode(f"{BASE}id/{thing}"), ox.NamedNode(f"{BASE}graph/a")
    return ox.Quad(subject, ox.NamedNode(predicate), term, graph)


def some(chance: random.Random) -> ox.Quad:
    """Any statement."""
    thing = chance.randrange(30)
    kind = chance.randrange(5)
    word = chance.choice(["Lyon", "Biocat", "région", "alliance", "Turin", "München"])
    if kind == 0:
        return quad(thing, LABEL, ox.Literal(f"{word} {chance.randrange(4)}", language="en"))
    if kind == 1:
        return quad(thing, NOTE, ox.Literal(f"{word} and {word}", language="fr"))
    if kind == 2:
        return quad(thing, TYPE, ox.NamedNode(chance.choice([RECORD, f"{BASE}o#A", f"{BASE}o#B"])))
    if kind == 3:
        place = ox.NamedNode(f"{BASE}id/{chance.randrange(30)}")
        return quad(thing, f"{BASE}o#place{chance.randrange(3)}", place)
    return quad(thing, f"{BASE}o#only{thing}", ox.NamedNode(f"{BASE}id/{thing}"))


def content(path: Path) -> list[set[tuple[object, ...]]]:
    """All that an index holds, without its own numbers; and what some words find."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = [set(connection.execute(text)) for text in CONTENT]
        for text, words in zip(FOUND, (("lyon", "region", "munchen"), ("lyo", "nch")), strict=True):
            found += [set(connection.execute(text, (word,))) for word in words]
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    return found


@pytest.mark.parametrize("seed", range(12))
def test_changes_lead_to_the_same_as_a_new_index(tmp_path: Path, seed: int) -> None:
    """Change upon change: things that are new, gone, renamed, records, other values."""
    chance = random.Random(seed)  # noqa: S311  not for secrets
    quads = {some(chance) for _ in range(120)}
    path = tmp_path / "0"
    search.build(path, flat.lines_of(quads), base=BASE)
    for step in range(1, 5):
        gone = set(chance.sample(sorted(quads, key=str), 12))
        new = {some(chance) for _ in range(12)} - quads
        quads = (quads - gone) | new
        things = {each.subject.value for each in gone | new}
        changed = tmp_path / str(step)
        now = [each for each in quads if each.subject.value in things]
        search.update(changed, path, things, flat.lines_of(now), base=BASE)
        anew = tmp_path / f"{step}-anew"
        search.build(anew, flat.lines_of(quads), base=BASE)
        assert content(changed) == content(anew)
        path = changed


def test_a_property_with_too_many_values_narrows_nothing(tmp_path: Path) -> None:
    """From the moment on at which it has them."""
    place = f"{BASE}o#place"
    quads = [quad(n, place, ox.NamedNode(f"{BASE}id/{n // 2}")) for n in range(598)]
    search.build(tmp_path / "a", flat.lines_of(quads), base=BASE)
    assert (place, 1) in content(tmp_path / "a")[4]
    more = [quad(n, place, ox.NamedNode(f"{BASE}id/{n}")) for n in range(600, 604)]
    things = {each.subject.value for each in more}
    search.update(tmp_path / "b", tmp_path / "a", things, flat.lines_of(more), base=BASE)
    search.build(tmp_path / "c", flat.lines_of(quads + more), base=BASE)
    changed, anew = (content(tmp_path / name) for name in "bc")
    assert changed[:2] + changed[3:] == anew[:2] + anew[3:]  # which things there are, nothing says
    assert (place, 0) in content(tmp_path / "b")[4]
    last = [quad(700, place, ox.NamedNode(f"{BASE}id/1"))]
    search.update(tmp_path / "d", tmp_path / "b", {f"{BASE}id/700"}, flat.lines_of(last), base=BASE)
    assert not {each for each in content(tmp_path / "d")[1] if each[1] == place}
