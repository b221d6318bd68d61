"""A project's files as lines: the same, whichever way a file is read; mistakes have places."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyoxigraph as ox
import pytest
import zstandard

from clustergraph import loading, project, rdf, scaffold, settings
from clustergraph.errors import SourceError
from clustergraph.releases import bulk
from clustergraph.service import ClusterGraph
from clustergraph.settings import Settings
from clustergraph.store import flat

TEXT = """@prefix x: <http://127.0.0.1:8080/> .
x:a x:p 01, "a\\nb"@en-GB, "c \\\\ \\"d\\"", "2020-02-30"^^x:day ; x:q x:b .
"""
LINE = '<http://x/{}> <http://x/p> "{}"^^<http://www.w3.org/2001/XMLSchema#integer>{} .\n'


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    """A project without anything."""
    scaffold.init(tmp_path / "bare", bare=True)
    (tmp_path / "bare/data").mkdir()
    return settings.load(tmp_path / "bare", environment={})


def loaded(options: Settings) -> set[bytes]:
    """All lines of a project's files."""
    return set(b"".join(loading.texts(options)).splitlines(keepends=True))


def read(options: Settings) -> set[bytes]:
    """The same by way of terms."""
    return set(loading.stored(project.read(options).quads).splitlines(keepends=True))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ttl", TEXT),
        ("a.trig", TEXT + "x:g { x:s x:p 5 }"),
        ("a.trig", TEXT + "x:g { x:s x:p [ x:q 5 ] }"),
        ("a.nt", LINE.format("a", "007", "")),
        ("a.nq", LINE.format("a", "1", "") + LINE.format("b", "02", " <http://x/g>")),
        ("a.nq", LINE.format("a", "1", "") + "_:b <http://x/p> _:c <http://x/g> .\n"),
        ("a.nt", '<http://x/a> <http://x/p> "no _:blank node" .\n'),
        ("a.rdf", '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'),
        ("restricted/a.ttl", TEXT),
        ("empty.nq", ""),
    ],
)
def test_lines_are_those_of_the_terms(bare: Settings, name: str, content: str) -> None:
    """Numbers as the store writes them, graphs of files, blank nodes by content."""
    path = bare.project / "data" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    assert loaded(bare) == read(bare)


@pytest.mark.parametrize("name", ["a.nq.gz", "a.nq.zst"])
def test_compressed_files(bare: Settings, name: str) -> None:
    """In pieces too; one that is cut is told as such."""
    text = "".join(LINE.format(number, number, " <http://x/g>") for number in range(9000)).encode()
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor().compress
    path = bare.project / "data" / name
    path.write_bytes(pack(text))
    assert loaded(bare) == set(text.splitlines(keepends=True))
    path.write_bytes(pack(text)[:-9])
    with pytest.raises(SourceError, match="cut"):
        loaded(bare)


def test_under_another_base(bare: Settings) -> None:
    """IRIs move, also those within texts."""
    (bare.project / "data/a.ttl").write_text(TEXT, encoding="utf-8")
    moved = settings.load(bare.project, environment={"CG_BASE": "https://example.org/"})
    assert loaded(moved) == read(moved)
    assert all(b"<https://example.org/graph/source/a>" in line for line in loaded(moved))


@pytest.mark.parametrize("name", ["a.nt", "a.nq", "a.ttl"])
def test_a_mistake_has_its_place(bare: Settings, name: str) -> None:
    """As in a file that is read with care: line and column."""
    path = bare.project / "data" / name
    path.write_text('<http://x/a> <http://x/p> "1" .\n<http://x/a> nonsense .\n', encoding="utf-8")
    with pytest.raises(SourceError) as quick:
        loaded(bare)
    with pytest.raises(SourceError) as careful:
        project.read(bare)
    assert (quick.value.line, quick.value.column) == (careful.value.line, careful.value.column)
    assert quick.value.line == 2


def test_triple_terms_are_refused(bare: Settings) -> None:
    """Where the engine would take them."""
    text = "<http://x/a> <http://x/p> <<( <http://x/a> <http://x/p> <http://x/b> )>> .\n"
    (bare.project / "data/a.nt").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="Triple terms"):
        loaded(bare)


def test_a_release_of_many_pieces_is_that_of_one(
    bare: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sorted by way of files, loaded bit by bit: blank nodes, the merge and the digest hold."""
    lines = [LINE.format(n % 70, n, f" <http://x/g{n % 3}>") for n in range(300)]
    lines += [f"<http://x/{n}> <http://x/q> <http://x/b> <http://x/g{n % 2}> .\n" for n in range(9)]
    (bare.project / "data/a.nq").write_text("".join(lines * 2), encoding="utf-8")
    (bare.project / "data/b.ttl").write_text(
        "<http://x/z> <http://x/p> [ <http://x/q> [] ] .", encoding="utf-8"
    )
    hidden = bare.project / "data/restricted"
    hidden.mkdir()
    (hidden / "c.ttl").write_text("<http://x/c> <http://x/p> 1 .", encoding="utf-8")
    config = bare.project / "clustergraph.toml"
    config.write_text(config.read_text().replace('"separate"', '"merge"'), encoding="utf-8")
    options = settings.load(bare.project, environment={})
    one = ClusterGraph(options)
    first = one.build().manifest
    monkeypatch.setattr(bulk, "_LOADED", 1000)
    monkeypatch.setattr("clustergraph.store.sorting._BYTES", 5000)
    monkeypatch.setattr("clustergraph.store.sorting._LINES", 7)
    variable = bare.project.parent / "other"
    other = ClusterGraph(settings.load(bare.project, environment={}, variable=variable))
    second = other.build().manifest
    for field in ("digest", "quads", "triples", "graphs", "restricted_graphs", "added"):
        assert getattr(first, field) == getattr(second, field)
    for name in ("public", "full"):
        stores = [
            set(ox.Store.read_only(str(graph.archive.path(1) / name))) for graph in (one, other)
        ]
        assert stores[0] == stores[1]
    public = ox.Store.read_only(str(other.archive.path(1) / "public"))
    named = [q for q in public if not isinstance(q.graph_name, ox.DefaultGraph)]
    bareness = {(t.subject, t.predicate, t.object) for t in rdf.triples(named)}
    default = public.quads_for_pattern(None, None, None, ox.DefaultGraph())
    assert {(q.subject, q.predicate, q.object) for q in default} == bareness
    assert second.triples == len(bareness)
    assert flat.digest(flat.lines_of(named)) == (second.digest, second.quads)
    assert not any("restricted" in str(quad) for quad in public)
