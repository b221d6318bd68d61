"""After an edit, validating the affected focus nodes alone gives what validating all gives."""

from __future__ import annotations

import random
from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import project, settings
from clustergraph.validation import engine
from test_shacl_engine_random import LITERALS, for_values, graph, target, turtle, unique

REPOSITORY = Path(__file__).resolve().parent.parent


def edited(
    before: list[ox.Quad], chance: random.Random, number: int
) -> tuple[list[ox.Quad], list[ox.Quad], list[ox.Quad]]:
    """The quads after an edit, those added and those removed."""
    removed = chance.sample(before, number)
    added = [
        ox.Quad(chance.choice(before).subject, one.predicate, chance.choice(before).object)
        for one in chance.sample(before, number)
    ]
    kept = [quad for quad in before if quad not in set(removed)]
    known = set(kept)
    return [*kept, *added], [quad for quad in added if quad not in known], removed


def agree(shapes: list[ox.Quad], before: list[ox.Quad], chance: random.Random, number: int) -> bool:
    """Whether the edit was narrowed down; what the others gave before it then still holds."""
    after, added, removed = edited(before, chance, number)
    store = ox.Store()
    store.bulk_extend(after)
    focus = engine.affected(engine.footprint(shapes), store, added, removed)
    if focus is None:
        return False
    nodes = {term for quad in (*before, *after) for term in (quad.subject, quad.object)}
    targets = {q.object for q in shapes if q.predicate.value.endswith("#targetNode")}
    others = (nodes | targets) - focus
    everything, anew, old = (
        set(engine.check(data, shapes, focus=among))
        for data, among in ((after, None), (after, focus), (before, others))
    )
    assert everything == anew | old
    return True


@pytest.mark.parametrize("seed", range(80))
def test_random_edits(seed: int) -> None:
    """Random shapes, graphs and edits."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    values = chance.sample(LITERALS, 8)
    before = list(dict.fromkeys(turtle(graph(chance, values))))
    lines = [
        f":S{number} a sh:NodeShape ; {target(chance, LITERALS)} ; "
        f"{' ; '.join(unique([for_values(chance, values, 2) for _ in range(2)]))} ."
        for number in range(3)
    ]
    agree(turtle("\n".join(lines)), before, chance, 3)


def test_edits_of_the_shipped_graph() -> None:
    """The shipped shapes read what can be told: most edits touch few nodes."""
    options = settings.load(REPOSITORY, environment={})
    content = project.read(options)
    shapes = [q for q in content.quads if q.graph_name == ox.NamedNode(options.iri("shapes"))]
    assert engine.footprint(shapes).unbounded == []
    chance = random.Random(5)  # noqa: S311  # no secret
    merged = list(dict.fromkeys(ox.Quad(q.subject, q.predicate, q.object) for q in content.quads))
    assert [agree(shapes, merged, chance, 5) for _ in range(4)].count(True) >= 3
