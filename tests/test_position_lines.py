"""Looking through N-Triples finds what reading them whole finds."""

from __future__ import annotations

import random

import pyoxigraph as ox
import pytest

from clustergraph.positions import Source, reader
from clustergraph.positions import lines as lined

NAMES = ["http://e/a", "http://e/é", "http://e/𐌰", "http://e/a#b", "http://e/b", "http://e/p"]


def document(chance: random.Random) -> str:
    """Lines with comments, tabs, escapes, and nothing between terms where nothing need be."""
    end = chance.choice(["\n", "\r\n"])

    def iri() -> str:
        name = chance.choice(NAMES)
        if chance.random() < 0.2:
            name = "".join(f"\\u{ord(c):04X}" if c in "éa" else c for c in name)
        return f"<{name}>"

    def line() -> str:
        subject = chance.choice([iri(), iri(), "_:x.y"])
        value = chance.choice([iri(), iri(), "_:x.y", '"<http://e/a> \\" \U00010330"@en', '"1"'])
        gap = chance.choice([" ", "\t", "  "])
        tail = chance.choice(["", " # <http://e/a>", ""])
        text = f"{subject}{gap}{iri()}{gap}{value} .{tail}"
        return chance.choice(["", " "]) + chance.choice([text, text, text, "# " + text, ""])

    return end.join(line() for _ in range(20)) + chance.choice(["", end])


def whole(text: str) -> list[reader.Record]:
    """All statements."""
    return reader.read(text, lines=True, graphs=False).records


@pytest.mark.parametrize("seed", range(40))
def test_a_look_finds_what_reading_finds(seed: int) -> None:
    """Statements with their places, subjects, values."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    text = document(chance)
    things = set(chance.sample(NAMES, 2))
    described = {chance.choice(NAMES)}
    found = lined.about(text, things, described)
    every = whole(text)
    assert found.records == [
        each for each in every if not things.isdisjoint(each[:3]) or each[0] in described
    ]
    assert found.subjects == {each[0] for each in every if not each[0].startswith("_:")}
    assert lined.using(text, NAMES[0]) == [each for each in every if each[1] == NAMES[0]]


def source(text: str, moved: tuple[str, str] = ("", "")) -> Source:
    """A file of N-Triples."""
    return Source(
        path="a.nt",
        suffix="nt",
        load=lambda: text,
        engine=lambda: list(ox.parse(text.encode(), ox.RdfFormat.N_TRIPLES)),
        moved=moved,
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_file_answers_the_same(seed: int) -> None:
    """Also under another base, and when a blank node is asked for after all."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    text = document(chance)
    moved = chance.choice([("", ""), ("http://e/", "http://f/")])
    plain, sought = source(text, moved), source(text, moved)
    names = [name.replace(*moved) if moved[0] else name for name in NAMES]
    things = set(chance.sample(names, 2))
    sought.seek(things, ())
    for name in things:
        node = ox.NamedNode(name)
        for role in ("subject", "predicate", "value"):
            assert sought.records(**{role: node}) == plain.records(**{role: node})
    for name in names:
        assert sought.knows(name) == plain.knows(name)
        assert sought.values(name) == plain.values(name)
    start = names[0][:9]
    assert set(sought.described(start)) == set(plain.described(start))
    blank = next((q.subject for q in plain.engine() if isinstance(q.subject, ox.BlankNode)), None)
    if blank is not None:
        assert sought.records(subject=blank) == plain.records(subject=blank)


def test_lines_that_end_otherwise_are_read_whole() -> None:
    """A carriage return alone ends a line too."""
    assert not lined.is_plain("a\rb")
    text = "<http://e/a> <http://e/p> 1 .\r<http://e/b> <http://e/p> <http://e/a> ."
    one = source(text.replace("1", '"1"'))
    one.seek({"http://e/a"}, ())
    assert len(one.records(value=ox.NamedNode("http://e/a"))) == 1
