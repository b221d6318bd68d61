"""Patches: what they do, undone, put together, written down."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph import patch
from clustergraph.errors import CorruptedError
from clustergraph.patch import Patch

QUADS = st.builds(
    lambda s, o, g: ox.Quad(
        ox.NamedNode(f"http://x/{s}"), ox.NamedNode("http://x/p"), ox.Literal(o), g
    ),
    st.sampled_from("abc"),
    st.sampled_from(["1", 'quote " and \\ back', "line\nbreak", "日本"]),
    st.sampled_from([ox.NamedNode("http://x/g"), ox.NamedNode("http://x/h"), ox.DefaultGraph()]),
)
STATES = st.frozensets(QUADS, max_size=8)


@given(STATES, STATES, STATES)
def test_patches_put_together_do_what_they_do_one_after_the_other(
    first: frozenset[ox.Quad], second: frozenset[ox.Quad], third: frozenset[ox.Quad]
) -> None:
    """And one that is followed by its inverse does nothing."""
    one, two = patch.between(first, second), patch.between(second, third)
    assert one.applied(first) == second
    assert one.then(two) == patch.between(first, third)
    assert not one.then(one.inverse())


@given(STATES, STATES)
def test_lines_say_what_the_patch_says(
    first: frozenset[ox.Quad], second: frozenset[ox.Quad]
) -> None:
    """Read back as RDF Patch, headers and transaction marks aside."""
    change = patch.between(first, second)
    text = change.to_rdf_patch([("id", "<http://x/releases/2>")])
    assert patch.parse(text.splitlines(keepends=True)) == change


def test_the_same_patch_is_the_same_file_and_damage_is_told(tmp_path: Path) -> None:
    """A cut file is no shorter patch."""
    quad = ox.Quad(ox.NamedNode("http://x/a"), ox.NamedNode("http://x/p"), ox.Literal("v"))
    change = Patch(added=frozenset({quad}))
    for name in ("one", "two"):
        patch.write(tmp_path / name, change)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert patch.read(tmp_path / "one") == change
    assert patch.mentions(tmp_path / "one", b"http://x/a")
    assert not patch.mentions(tmp_path / "one", b"http://x/b")
    (tmp_path / "cut").write_bytes((tmp_path / "one").read_bytes()[:-9])
    (tmp_path / "other").write_bytes(gzip.compress(b"X <http://x/a> .\n"))
    for name in ("cut", "other", "none"):
        with pytest.raises(CorruptedError, match=name):
            patch.read(tmp_path / name)
