"""Releases: what a build publishes, refuses, keeps; the lock; damage on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import rdf
from clustergraph.errors import (
    BusyError,
    CorruptedError,
    NotFoundError,
    SourceError,
    ValidationFailedError,
)
from clustergraph.service import ClusterGraph

DATA = "data/organisations.ttl"


def edit(graph: ClusterGraph, old: str, new: str, path: str = DATA) -> None:
    """Replace a text in a file of the project."""
    file = graph.settings.project / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_build_publishes_and_the_next_one_has_nothing_to_do(small: ClusterGraph) -> None:
    """Unchanged files make no release."""
    first = small.build(message="first")
    assert (first.fresh, first.manifest.number, first.manifest.why) == (True, 1, "first")
    again = small.build()
    assert (again.fresh, again.manifest) == (False, first.manifest)


def test_a_change_is_a_new_release_with_its_delta(small: ClusterGraph) -> None:
    """And readers that stay open see it at the next call."""
    small.build()
    before = small.release()
    edit(small, '"Another Cluster"@en', '"Other Cluster"@en')
    built = small.build()
    delta = list(small.delta(2).lines())
    assert any(line.startswith("A ") and "Other Cluster" in line for line in delta)
    assert any(line.startswith("D ") and "Another Cluster" in line for line in delta)
    assert len(delta) == built.manifest.added + built.manifest.removed
    assert small.release().manifest.number == 2
    assert before.etag != small.release().etag


def test_the_default_graph_counts_a_triple_once(small: ClusterGraph) -> None:
    """Also when two sources state it; the named graphs keep who said it."""
    other = small.settings.project / "data/other.ttl"
    other.write_text((small.settings.project / DATA).read_text())
    small.build()
    name = "<http://www.w3.org/2004/02/skos/core#prefLabel> 'Example Cluster'@en"
    (merged,) = small.select(f"SELECT (COUNT(?s) AS ?n) {{ ?s {name} }}")
    (named,) = small.select(f"SELECT (COUNT(?g) AS ?n) {{ GRAPH ?g {{ ?s {name} }} }}")
    assert (merged["n"], named["n"]) == (ox.Literal(1), ox.Literal(2))


def test_a_violation_refuses_the_release(small: ClusterGraph) -> None:
    """The one served until now stays; nothing is left behind."""
    small.build()
    edit(small, 'skos:prefLabel "Another Cluster"@en', 'skos:altLabel "Another Cluster"@en')
    with pytest.raises(ValidationFailedError) as caught:
        small.build()
    assert "needs a preferred label" in caught.value.text
    assert "another-cluster" in caught.value.text
    assert small.archive.numbers() == [1]
    assert not small.archive.unfinished()


@pytest.mark.parametrize(
    "content", ["<a> <b> .", "\x00\x01\x02", "<http://a/s> <http://a/p> 'x"], ids=repr
)
def test_a_broken_file_leaves_the_release(small: ClusterGraph, content: str) -> None:
    """The file is named."""
    small.build()
    (small.settings.project / "data/broken.ttl").write_text(content)
    with pytest.raises(SourceError, match=r"broken\.ttl"):
        small.build()
    assert small.release().manifest.number == 1


def test_two_builds_of_the_same_files_are_the_same_graph(small: ClusterGraph) -> None:
    """By their digest."""
    first = small.build().manifest
    second = small.build(force=True).manifest
    assert second.number == 2
    assert second.digest == first.digest
    assert (second.added, second.removed) == (0, 0)


def test_restricted_graphs_are_not_in_the_public_store(small: ClusterGraph) -> None:
    """They are in the full one alone, in no count and in no delta."""
    folder = small.settings.project / "data/restricted"
    folder.mkdir()
    (folder / "contacts.ttl").write_text("<http://a/s> <http://a/mail> 'canary' .")
    manifest = small.build().manifest
    assert manifest.restricted
    assert not small.select("SELECT * { GRAPH ?g { ?s <http://a/mail> ?o } }")
    path = small.archive.path(1)
    full = ox.Store.read_only(str(path / "full"))
    assert len(list(full.quads_for_pattern(None, ox.NamedNode("http://a/mail"), None))) == 2
    for file in (path / "public").iterdir():
        assert b"canary" not in file.read_bytes()
    assert not any("canary" in line for line in small.delta(1).lines())
    assert "restricted" not in json.dumps(manifest.graphs)


def test_a_restricted_file_cannot_fill_a_public_graph(small: ClusterGraph) -> None:
    """It would leak."""
    folder = small.settings.project / "data/restricted"
    folder.mkdir()
    (folder / "contacts.trig").write_text("<http://a/g> { <http://a/s> <http://a/p> 'x' }")
    with pytest.raises(SourceError, match="fills the public graph"):
        small.build()


def test_old_releases_are_thinned(small: ClusterGraph) -> None:
    """The number kept is a setting."""
    object.__setattr__(small.settings, "keep", 2)
    for _ in range(4):
        small.build(force=True)
    assert small.archive.numbers() == [3, 4]
    assert small.release().manifest.parent == 3


def test_there_is_no_release_before_the_first_build(small: ClusterGraph) -> None:
    """And the command that makes one is named."""
    with pytest.raises(NotFoundError, match="clustergraph build"):
        small.release()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda var: (var / "current").unlink(), "current is missing"),
        (lambda var: (var / "current").write_text("seven"), "names no release"),
        (lambda var: (var / "current").write_text("7"), "missing or incomplete"),
        (lambda var: (var / "releases/000001/manifest.json").write_text("{"), "cannot be read"),
        (lambda var: next((var / "releases/000001/public").glob("*.sst")).unlink(), "is missing"),
        (
            lambda var: next((var / "releases/000001/public").glob("*.sst")).write_bytes(b"x"),
            "bytes instead of",
        ),
    ],
    ids=["no pointer", "bad pointer", "lost release", "cut manifest", "lost table", "cut table"],
)
def test_damage_is_told_and_never_an_empty_graph(
    small: ClusterGraph, damage: object, message: str
) -> None:
    """A release that is not what was written is not served."""
    small.build()
    assert callable(damage)
    damage(small.settings.variable)
    with pytest.raises(CorruptedError, match=message):
        ClusterGraph(small.settings).release()


def test_what_a_dead_writer_left_is_removed(small: ClusterGraph) -> None:
    """A candidate, and a folder without manifest."""
    small.build()
    for name in (".candidate", "000002"):
        (small.settings.variable / "releases" / name / "public").mkdir(parents=True)
    assert small.build(force=True).manifest.number == 2
    assert sorted(path.name for path in (small.settings.variable / "releases").iterdir()) == [
        "000001",
        "000002",
    ]


def test_the_lock_names_its_holder_and_dies_with_it(small: ClusterGraph, tmp_path: Path) -> None:
    """A second writer is refused while the first lives, and let in when it was killed."""
    small.build()
    script = tmp_path / "hold.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            from pathlib import Path
            from clustergraph.releases import Archive
            with Archive(Path({str(small.settings.variable)!r})).writing():
                print("held", flush=True)
                time.sleep(60)
            """
        )
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BusyError, match=rf"Process {holder.pid} \(write\) is writing"):
            small.build(force=True)
        holder.kill()
        holder.wait()
    assert small.build(force=True).manifest.number == 2


def test_a_folder_that_cannot_be_written_is_told(small: ClusterGraph) -> None:
    """Reading goes on."""
    small.build()
    releases = small.settings.variable / "releases"
    if os.geteuid() == 0:
        releases.rename(small.settings.variable / "kept")
        releases.write_text("in the way")
        with pytest.raises(Exception, match="cannot be written"):
            small.build(force=True)
    else:
        releases.chmod(0o500)
        with pytest.raises(Exception, match="written"):
            small.build(force=True)
        releases.chmod(0o700)


def test_strangers_queries_see_a_new_release(small: ClusterGraph) -> None:
    """Each release has workers of its own; what runs on the old one is not disturbed."""
    small.build()
    graph = ClusterGraph(small.settings, public=True)
    query = graph.parse("SELECT ?name { ?s <http://www.w3.org/2004/02/skos/core#prefLabel> ?name }")
    try:
        assert b"Another Cluster" in b"".join(graph.release().answer(query, rdf.CSV))
        edit(small, '"Another Cluster"@en', '"Other Cluster"@en')
        small.build()
        for _ in range(200):  # the old one goes on until the new one is open
            if graph.release().manifest.number == 2:
                break
            time.sleep(0.1)
        assert b"Other Cluster" in b"".join(graph.release().answer(query, rdf.CSV))
    finally:
        graph.close()


def test_a_release_that_cannot_be_opened_is_not_shown(small: ClusterGraph) -> None:
    """The one before goes on."""
    small.build()
    graph = ClusterGraph(small.settings, public=True)
    try:
        assert graph.release().manifest.number == 1
        edit(small, '"Another Cluster"@en', '"Other Cluster"@en')
        small.build()
        (small.archive.path(2) / "report.ttl").unlink()
        for _ in range(3):
            assert graph.release().manifest.number == 1
    finally:
        graph.close()
