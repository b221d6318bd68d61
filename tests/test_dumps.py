"""Dumps: the same data in every format, in the same bytes; they go with their release."""

from __future__ import annotations

import gzip
import hashlib
import io
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pyjelly.integrations.generic.generic_sink import IRI, Literal
from pyjelly.integrations.generic.parse import parse_jelly_flat

from clustergraph import dumps, rdf, scaffold, settings
from clustergraph.dumps import lines as text
from clustergraph.dumps import serialised
from clustergraph.errors import BusyError, GoneError, NotFoundError
from clustergraph.service import ClusterGraph
from clustergraph.store import flat

TERMS = st.sampled_from(
    ["<http://x/a>", "<http://x/a/b>", "_:b1", '"a"', '"a"@en', '"a b"@en',
     '"a <http://x/g> ."', '"\\"q\\" <http://x/a>"', '"1"^^<http://x/a>', '"é\\n"']
)  # fmt: skip
SUBJECTS = st.sampled_from(["<http://x/a>", "<http://x/a/b>", "_:b1"])
GRAPHS = st.sampled_from(["", "<http://x/a>", "<http://x/g>", "_:g"])


def content(dump: dumps.Dump, fmt: rdf.Format, suffix: str = "gz") -> bytes:
    """What is in a file."""
    (found,) = [
        each for each in dump.files if each.format == fmt.name and each.name.endswith(suffix)
    ]
    packed = (dump.folder / found.name).read_bytes()
    plain = (
        gzip.decompress(packed)
        if suffix == "gz"
        else zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    )
    assert (len(packed), hashlib.sha256(packed).hexdigest()) == (found.size, found.sha256)
    assert len(plain) == found.uncompressed_size
    assert hashlib.sha256(plain).hexdigest() == found.uncompressed_sha256
    return plain


@given(st.lists(st.tuples(SUBJECTS, TERMS, GRAPHS), max_size=20))
def test_lines_are_taken_apart_as_the_engine_does(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str, str]]
) -> None:
    """Triple and graph of each line; the merge; the order of graphs."""
    lines = sorted({
        f"{subject} <http://x/p> {value}{' ' if graph else ''}{graph} .\n".encode()
        for subject, value, graph in made
    })  # fmt: skip
    quads = list(ox.parse(b"".join(lines), ox.RdfFormat.N_QUADS))
    for line, quad in zip(lines, quads, strict=True):
        triple, graph = text.split(line)
        assert next(iter(ox.parse(triple + b" .", ox.RdfFormat.N_TRIPLES))).triple == quad.triple
        assert graph.decode() == (
            "" if quad.graph_name == ox.DefaultGraph() else str(quad.graph_name)
        )
    merged = list(text.merged(lines))
    assert merged == sorted(merged)
    assert len(merged) == len({quad.triple for quad in quads})
    grouped = list(text.by_graph(lines, tmp_path_factory.mktemp("runs")))
    assert grouped == sorted(lines, key=lambda line: (text.split(line)[1], line))


def test_all_formats_say_the_same(shipped: ClusterGraph) -> None:
    """Quads or triples, read by libraries of others; the sums are true; both compressions too."""
    while True:
        try:
            dump = shipped.dumps.write()
        except BusyError:  # the server of another test is at it
            time.sleep(0.2)
        else:
            break
    exported = b"".join(shipped.export(rdf.N_QUADS))
    store = set(ox.parse(exported, ox.RdfFormat.N_QUADS))
    triples = set(rdf.triples(store))
    for fmt in rdf.DUMP_FORMATS:
        plain = content(dump, fmt)
        assert plain == content(dump, fmt, "zst")
        if fmt is rdf.JELLY:
            read = {tuple(map(_plain, each)) for each in parse_jelly_flat(io.BytesIO(plain))}
            assert len(read) == len(store)
            assert read == {tuple(map(_plain, quad)) for quad in store}
            continue
        found = list(ox.parse(plain, fmt.engine))
        assert len(found) == len(set(found)), fmt
        if fmt.dataset:
            assert set(found) == store, fmt
        else:
            assert set(rdf.triples(found)) == triples, fmt
    manifest = shipped.release().manifest
    assert (dump.quads, dump.triples) == (manifest.quads, manifest.triples)
    assert {each.statements for each in dump.files} == {manifest.quads, manifest.triples}
    lines = content(dump, rdf.N_QUADS).splitlines(keepends=True)
    assert lines == sorted(lines)
    assert flat.digest(lines) == (manifest.digest, manifest.quads)


def _plain(term: object) -> str:
    if isinstance(term, IRI):
        return f"<{term._iri}>"
    if isinstance(term, Literal):
        datatype = ox.NamedNode(term._datatype) if term._datatype else None
        return str(ox.Literal(term._lex, language=term._langtag or None, datatype=datatype))
    return str(term)


def test_the_same_data_are_the_same_bytes(tmp_path: Path) -> None:
    """Two builds in two places; Turtle and TriG group what belongs together."""
    sums = []
    for name in ("one", "two"):
        scaffold.init(tmp_path / name / "example", title="Example")
        graph = ClusterGraph(settings.load(tmp_path / name / "example", environment={}))
        graph.build()
        dump = graph.dumps.write()
        sums.append((dump.folder / "SHA256SUMS").read_text())
        turtle, trig = content(dump, rdf.TURTLE), content(dump, rdf.TRIG)
        subjects = {str(each.subject) for each in ox.parse(turtle, ox.RdfFormat.TURTLE)}
        assert turtle.count(b" .\n") <= len(subjects) + turtle.count(b"@prefix")
        assert trig.count(b" {\n") == len(graph.release().graphs)
    assert sums[0] == sums[1]


def test_they_are_written_once(small: ClusterGraph) -> None:
    """Asked again, nothing is written; while another writes, nobody else does."""
    small.build()
    left = small.archive.dumps(1).with_name(".000001")  # by a writer that was killed
    left.mkdir(parents=True)
    (left / "example.nq.gz").write_bytes(b"cut")
    first = small.dumps.write()
    assert not left.exists()
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    assert small.dumps.write() == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == before
    small.build(force=True)
    with small.dumps._locked(), pytest.raises(BusyError):
        dumps.Dumps(small.archive, small.settings).write()
    assert small.dumps.newest() == first
    assert small.dumps.write().release == 2


def test_they_go_with_their_release(small: ClusterGraph) -> None:
    """Thinned: gone; another release of the same number does not take them for its own."""
    small.build()
    first = small.dumps.write()
    small.build(force=True)
    small.archive.thin(1, 0)
    assert not first.folder.exists()
    with pytest.raises(GoneError):
        small.dumps.of(1)
    with pytest.raises(NotFoundError):
        small.dumps.of(2)
    stale = small.dumps.write()
    index = stale.folder / "index.json"
    index.write_text(index.read_text().replace(stale.digest, "0" * 64))
    assert small.dumps.newest() is None
    assert small.dumps.write() == stale


def test_what_is_forgotten_is_in_no_file(small: ClusterGraph) -> None:
    """Written before, being written meanwhile, or left by a writer that was killed."""
    small.build()
    small.dumps.write()
    iri = small.settings.iri("id/organisation/example-cluster")
    part = small.archive.dumps(1).with_name(".000001")
    part.mkdir()
    (part / "x.nq").write_text(iri)
    manifest = small.release().manifest
    lines = small.dumps._lines(manifest)
    next(lines)
    small.forget([iri], force=True)
    assert not part.exists()
    assert not small.archive.dumps(1).exists()
    with pytest.raises(GoneError):
        small.dumps._written(manifest, lambda _: None)
    assert [path for path in (small.archive.folder / "dumps").iterdir() if path.is_dir()] == []
    left = content(small.dumps.write(), rdf.N_QUADS)
    assert not [line for line in left.splitlines() if line.startswith(f"<{iri}>".encode())]


def test_memory_stays_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six times the lines need no more: in every format."""
    monkeypatch.setattr(text, "_RUN", 1_000)
    monkeypatch.setattr(serialised, "_BATCH", 300)

    class Nowhere:
        def write(self, data: bytes) -> int:
            return len(data)

        def flush(self) -> None: ...

    def made(number: int) -> Iterator[bytes]:
        for each in range(number):
            yield b'<http://x/%08d> <http://x/p> "%d" <http://x/g/%d> .\n' % (each, each, each % 7)

    for fmt in rdf.DUMP_FORMATS:
        peaks = []
        for size in (2_500, 10_000):
            tracemalloc.start()
            assert serialised.write(
                made(size), fmt, Nowhere(), prefixes={"x": "http://x/"}, folder=tmp_path
            ) == size  # fmt: skip
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.5 * peaks[0] + 300_000, (fmt.name, peaks)
    assert list(tmp_path.iterdir()) == []


def test_large_sets_are_sorted_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in one."""
    lines = sorted(
        b"<http://x/%d> <http://x/p> <http://x/o> <http://x/g%d> .\n" % (each, each * 7 % 5)
        for each in range(1000)
    )
    whole = list(text.by_graph(lines, tmp_path))
    monkeypatch.setattr(text, "_RUN", 100)
    assert list(text.by_graph(lines, tmp_path)) == whole
    assert list(tmp_path.iterdir()) == []


def test_a_flat_file_is_read_line_by_line(tmp_path: Path) -> None:
    """The same lines as at once."""
    lines = [b'<http://x/%03d> <http://x/p> "\xc3\xa9" <http://x/g> .\n' % n for n in range(300)]
    for merged in (True, False):
        flat.write(tmp_path / "x.nq.zst", lines, merged=merged)
        assert list(flat.stream(tmp_path / "x.nq.zst")) == lines
