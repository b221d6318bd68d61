"""The bench: its graph is the same every time, and what it compares can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import graph, validators

SHAPES = Path(graph.__file__).parent / "shapes.ttl"


def test_the_graph_is_the_same_every_time(tmp_path: Path) -> None:
    """For one size; a larger one begins like a smaller one."""
    sizes = [graph.write(tmp_path / f"{n}.nt", 1000 * (n // 2 + 1)) for n in range(3)]
    assert sizes[0] == sizes[1] >= 1000
    assert sizes[2] >= 2000
    first, second, third = ((tmp_path / f"{n}.nt").read_text() for n in range(3))
    assert first == second
    assert third.startswith(first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib of its own
def test_pyshacl_finds_the_same_in_it(tmp_path: Path) -> None:
    """Each kind of rule is broken somewhere, by focus node and component alike."""
    data = tmp_path / "data.nt"
    graph.write(data, 2000, seed=11)
    ours = validators.of_ours(validators.ours(str(data), str(SHAPES)))
    places = validators.of_ours(validators.ours_with_places(str(data), str(SHAPES)))
    theirs = validators.of_graph(validators.pyshacl(str(data), str(SHAPES)))
    plain = [
        (conforms, sorted((focus.strip("<>"), component) for focus, component in results))
        for conforms, results in (ours, places, theirs)
    ]
    assert plain[0] == plain[1] == plain[2]
    assert not ours[0]
    assert len(ours[1]) > 3
