"""Keeping releases: what is forgotten is nowhere, what is backed up comes back, damage is found."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import zstandard
from tests.faults.scenarios import holds

from clustergraph import rdf, scaffold, settings
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    ForbiddenError,
    GoneError,
    NoSpaceError,
    NotFoundError,
    SourceError,
    UsageError,
    ValidationFailedError,
)
from clustergraph.releases import Done, Write, candidate
from clustergraph.service import ClusterGraph
from clustergraph.tokens import Grant

LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
XL = "http://www.w3.org/2008/05/skos-xl#"
ALL = Grant(("*",), sees_restricted=True)
SECRETS = ("Ada Canary", "ada@canary.example", "+49 30 canary", "ada-canary", "canaria")


def write(graph: ClusterGraph, text: str, why: str = "") -> Done | ClusterGraphError:
    """What an update comes to."""
    head = f"PREFIX : <{graph.settings.base}id/> PREFIX x: <http://x/> "
    (outcome,) = graph.commit(
        [Write(method="UPDATE", payload=(head + text).encode(), grant=ALL, who="test", why=why)]
    )
    return outcome


@pytest.fixture
def person(small: ClusterGraph) -> ClusterGraph:
    """A person with all that hangs on one, over several releases, some of it restricted."""
    small.build()
    base = small.settings.base
    ada = f"<{base}id/person/ada-canary>"
    xl = f"<{XL}altLabel> <{base}id/label/1> . <{base}id/label/1> <{XL}literalForm> 'canaria'@es"
    contact = (
        f'<{base}id/contact/1> x:of {ada} ; x:email "ada@canary.example" ; x:phone "+49 30 canary"'
    )
    subject = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#subject>"
    event = f'<{base}id/event/1> {LABEL} "An event"@en ; x:speaker {ada}'
    for text in (
        f'INSERT DATA {{ {ada} {LABEL} "Ada Canary"@en ; {xl} }}',
        f'INSERT DATA {{ {ada} x:at :place . :place {LABEL} "A place"@en ; x:size 3 }}',
        f'INSERT DATA {{ {event} ; x:about "A talk by Ada Canary." }}',
        f"INSERT DATA {{ GRAPH <{base}graph/restricted/c> {{ {contact} }} }}",
        f'INSERT DATA {{ [] {subject} {ada} ; x:says "stated" }}',
        f"INSERT DATA {{ <{base}id/a/1> {subject} <{base}id/label/1> ; x:says 'so' }}",
        'INSERT DATA { :other x:note "write to ada@canary.example" }',
        'DELETE DATA { :other x:note "write to ada@canary.example" }',
    ):
        assert isinstance(write(small, text, why="for Ada Canary"), Done)
    return small


def test_what_is_forgotten_is_nowhere(person: ClusterGraph, tmp_path: Path) -> None:
    """No file below the data folder holds it, in any release, delta, manifest or freed table."""
    folder = person.settings.variable
    assert all(holds(folder, secret) for secret in SECRETS)
    iri = person.settings.iri("id/person/ada-canary")
    manifest, plan = person.forget([iri], reason="asked for")
    assert not [each for secret in SECRETS for each in holds(folder, secret)]
    assert {str(quad.predicate) for quad in plan.named} >= {
        "<http://x/about>",
        "<http://x/speaker>",
    }
    assert person.archive.numbers() == [manifest.number]
    assert person.archive.history()[0].kind == "forget"
    assert len(person.archive.history()) == manifest.number
    kept = {row["s"].value for row in person.select("SELECT ?s { ?s ?p ?o }")}
    assert {person.settings.iri("id/place"), person.settings.iri("id/event/1")} <= kept
    assert not manifest.restricted
    assert not kept & {person.settings.iri("id/label/1"), person.settings.iri("id/a/1")}
    assert not list(person.diff(1, manifest.number).where(lambda q: "canary" in str(q)).lines())
    assert not [problem for _number, problems in person.verify() for problem in problems]


def test_others_are_not_forgotten_with_it(person: ClusterGraph) -> None:
    """Those who point to it and can be reached, those of a longer name; what goes is listed."""
    iri = person.settings.iri("id/person/ada-canary")
    for text in (
        f"INSERT DATA {{ :bo x:knows <{iri}> ; x:name 'Bo' ; x:email 'bo@x.example' }}",
        "INSERT DATA { :cy x:knows :bo ; x:name 'Cy' ; x:phone '12345678' }",
        f"INSERT DATA {{ <{iri}> x:kapitel 'Kapitel' ; x:hotel 'Grand' . :d x:t 'Kapitel Grand' }}",
        "INSERT DATA { :e x:note 'The Canarian' ; x:label 'Ada Canaryson' ; x:l 'Ada Canary.' }",
        f"INSERT DATA {{ :f x:note 'see {iri}.' ; x:other 'see {iri}-2' }}",
    ):
        assert isinstance(write(person, text), Done)
    before = set(person.pipeline.quads_of(person.release().manifest))
    plan = person.forgetting([iri])
    manifest, done = person.forget([iri])
    assert plan == done
    after = set(person.pipeline.quads_of(manifest))
    gone = {quad for quad in before - after if person.pipeline.is_asserted(quad)}
    listed = {str(quad.subject) for quad in gone if quad not in plan.named}
    assert listed - set(plan.parts) == {f"<{iri}>"}
    left = {
        (
            str(quad.subject)[1:-1].removeprefix(f"{person.settings.base}id/"),
            quad.predicate.value[9:],
        )
        for quad in after
    }
    assert left >= {("bo", "email"), ("bo", "name"), ("cy", "knows"), ("cy", "phone"), ("d", "t"),
                    ("e", "note"), ("e", "label"), ("f", "other")}  # fmt: skip
    assert not left & {("bo", "knows"), ("e", "l"), ("f", "note")}


def test_what_goes_is_found_however_it_is_spelt(small: ClusterGraph) -> None:
    """IRIs by their spelling, to their end; names whatever the case, the spaces, the encoding."""
    small.build()
    base = small.settings.base
    iri, mail = small.settings.iri("id/person/zoe"), "Zoé.Canary@canary.example"
    text = "x:title 'Directrice'@fr ; x:givenName 'Zoé' ; x:familyName 'Canary' ; x:email"
    assert isinstance(write(small, f"INSERT DATA {{ <{iri}> {text} <mailto:{mail}> }}"), Done)
    goes = {
        f"<{base}doc/person/zoe>", f"<{base}doc/person/zoe.ttl>", f"<{base}id/person/z%6Fe>",
        f"<{base}id/./person/zoe#x>", f"<{base}id/x/../person/zoe>", f'"1"^^<{iri}>',
        f"'see {iri}, please'", f"'see <{iri}#x>'", f"'({iri})'", f"'of {iri};b'@en",
        "'ZOÉ   CANARY'", "'Canary, Zoe\u0301 said'", "'zoé\\ncanary'",
        f"'write to {mail.upper()}'",
        f"<MAILTO:{mail}?subject=x>", f"<https://x.example/?to={mail.replace('@', '%40')}>",
        "<https://x.example/?q=Zo%C3%A9+Canary>", f"<https://x.example/?u={quote(iri, safe='')}>",
        f"'https://x.example/?u={quote(iri, safe='')}'",
    }  # fmt: skip
    stays = {
        f"<{base}id/person/Zoe>", f"<{base}id/person/zoe2>", f"<{base}id/person/zoe%2Fb>",
        f"<{base}id/person/zoe/b>", f"'see {base}id/person/Zoe'", f"'see {iri}-2'",
        f"'{iri}s'", "'Directrice'@fr", "'Zoé'", "'Canary'", "'Zoé Canaryson'", "'Canary Zoéline'",
    }  # fmt: skip
    stays |= {f"'{base}id/person/zoe%2Fb'", f"'{base}id/person/zoe/b'"}

    for value in sorted(goes | stays):
        assert isinstance(write(small, f"INSERT DATA {{ :other x:p {value} }}"), Done), value
    manifest, _plan = small.forget([iri])
    kept = {
        str(quad.object)
        for quad in small.pipeline.quads_of(manifest)
        if quad.predicate.value == "http://x/p"
    }
    expected = {
        str(term)
        for value in stays
        for term in [next(ox.parse(f"<x:s> <x:p> {value} .", ox.RdfFormat.TURTLE)).object]
    }
    assert kept == expected
    for value in sorted(goes):
        if "canary" not in value.lower():
            outcome = write(small, f"INSERT DATA {{ :other x:p {value} }}")
            assert isinstance(outcome, ForbiddenError), value
    for value in sorted(stays):
        assert isinstance(write(small, f"INSERT DATA {{ :other x:q {value} }}"), Done), value


def test_what_stands_under_another_base_is_forgotten_too(small: ClusterGraph) -> None:
    """And does not come back, by a file or a write, as a term or within a text."""
    small.build()
    iri = "https://people.example/Ada"
    assert isinstance(write(small, f"INSERT DATA {{ <{iri}> x:p 1 }}"), Done)
    small.forget([iri])
    for value in (f"<{iri}>", f"'see {iri}.'", "<HTTPS://People.example/%41da#me>"):
        outcome = write(small, f"INSERT DATA {{ :b x:p {value} }}")
        assert isinstance(outcome, ForbiddenError), value
        file = small.settings.project / "data/again.ttl"
        file.write_text(f"<http://x/b> <http://x/p> {value} .")
        with pytest.raises(SourceError, match="erased"):
            small.build()
        file.unlink()
    assert isinstance(write(small, "INSERT DATA { :b x:p <https://people.example/ada> }"), Done)


def test_the_history_does_not_name_who_was_forgotten(person: ClusterGraph) -> None:
    """Neither as author nor as reason; its figures are those of the deltas that are left."""
    iri = person.settings.iri("id/person/ada-canary")
    text = f"PREFIX x: <http://x/> INSERT DATA {{ <{iri}> x:b 1 . x:c x:d 1 }}"
    person.commit([Write(method="UPDATE", payload=text.encode(), grant=ALL, who="Ada Canary")])
    number = person.release().manifest.number
    with pytest.raises(UsageError, match="must not name"):
        person.forget([iri], reason="Ada Canary asked")
    assert person.archive.current_number() == number
    person.forget([iri])
    record = person.manifest(number)
    change = person.delta(number)
    assert (record.added, record.removed) == (len(change.added), len(change.removed))
    assert not holds(person.settings.variable, "Ada Canary")


def test_a_backup_does_not_bring_back_what_was_forgotten(
    person: ClusterGraph, tmp_path: Path
) -> None:
    """What was forgotten since is forgotten in what is restored, before it is served."""
    iri, other = person.settings.iri("id/person/ada-canary"), person.settings.iri("id/late")
    person.backup(tmp_path / "backup")
    assert isinstance(write(person, f"INSERT DATA {{ <{other}> x:p 1 }}"), Done)
    person.forget([iri, other])
    person.restore(tmp_path / "backup", replace=True)
    assert not [each for secret in SECRETS for each in holds(person.settings.variable, secret)]
    assert person.is_erased(iri)
    assert person.is_erased(other)
    assert isinstance(write(person, f"INSERT DATA {{ :b x:p <{other}> }}"), ForbiddenError)
    assert not [problem for _number, problems in person.verify() for problem in problems]


def test_what_is_forgotten_does_not_come_back(person: ClusterGraph) -> None:
    """Not by files, not by writes, under no base; other builds go on."""
    iri = person.settings.iri("id/person/ada-canary")
    person.forget([iri])
    assert person.is_erased(iri)
    assert person.is_erased(iri + "#part")
    assert isinstance(write(person, f"INSERT DATA {{ :b x:p <{iri}> }}"), ForbiddenError)
    for text in (f"CREATE GRAPH <{iri}>", f"INSERT DATA {{ :b x:p 'see <{iri}>.' }}"):
        assert isinstance(write(person, text), ForbiddenError)
    assert isinstance(write(person, "INSERT DATA { :b x:p :c }"), Done)
    file = person.settings.project / "data/again.ttl"
    file.write_text(f"<{iri}> <http://x/p> 1 .")
    with pytest.raises(SourceError, match=r"data/again\.ttl.*erased"):
        person.build()
    file.write_text("<http://x/fine> <http://x/p> 1 .")
    assert person.build().manifest.tombstones == person.archive.tombstones()
    other = ClusterGraph(
        settings.load(
            person.settings.project,
            environment={},
            base="http://other.example/",
            variable=person.settings.variable,
        )
    )
    file.write_text(f"<{iri}> <http://x/p> 1 .")
    with pytest.raises(SourceError, match="erased"):
        other.build()


def test_a_list_of_erasures_holds_for_every_copy(small: ClusterGraph) -> None:
    """By IRI or by its hash."""
    lines = ["iri,erased,reason", "id/organisation/another-cluster,2026-01-01,asked"]
    (small.settings.project / "data/erasures.csv").write_text("\n".join(lines))
    with pytest.raises(SourceError, match="erased"):
        small.build()


def test_forgetting_needs_the_shapes_consent(person: ClusterGraph) -> None:
    """Unless it is forced; what nobody ever knew cannot be forgotten."""
    cluster, kind = person.settings.iri("id/x"), person.settings.iri("ontology#Cluster")
    label = f'{LABEL} "Canary Cluster"@en'
    assert isinstance(write(person, f"INSERT DATA {{ <{cluster}> a <{kind}> ; {label} }}"), Done)
    assert isinstance(write(person, "INSERT DATA { :named x:name 'Canary Cluster' }"), Done)
    before = person.release().manifest.number
    with pytest.raises(ValidationFailedError):
        person.forget([person.settings.iri("id/named")])
    assert person.release().manifest.number == before
    person.forget([person.settings.iri("id/named")], force=True)
    assert not holds(person.settings.variable, "Canary Cluster")
    with pytest.raises(NotFoundError):
        person.forget([person.settings.iri("id/nobody")])


def test_a_backup_comes_back(person: ClusterGraph, tmp_path: Path) -> None:
    """All releases, their history, what is restricted; and it shares no bytes with the original."""
    numbers = person.backup(tmp_path / "backup")
    digest = person.release().manifest.digest
    original = {path.stat().st_ino for path in person.settings.variable.rglob("*.sst")}
    assert not original & {path.stat().st_ino for path in (tmp_path / "backup").rglob("*.sst")}
    shutil.rmtree(person.settings.variable)
    again = ClusterGraph(person.settings)
    assert again.restore(tmp_path / "backup") == numbers
    assert again.release().manifest.digest == digest
    assert holds(person.settings.variable, "ada@canary.example")
    assert not [problem for _number, problems in again.verify() for problem in problems]
    assert isinstance(write(again, "INSERT DATA { :b x:p :c }"), Done)
    with pytest.raises(UsageError, match="holds releases already"):
        again.restore(tmp_path / "backup")
    again.restore(tmp_path / "backup", replace=True)
    assert again.release().manifest.digest == digest
    with pytest.raises(UsageError, match="not empty"):
        again.backup(tmp_path / "backup")


def test_a_damaged_backup_changes_nothing(person: ClusterGraph, tmp_path: Path) -> None:
    """It is verified before anything is replaced."""
    person.backup(tmp_path / "backup")
    table = max((tmp_path / "backup").rglob("*.sst"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 0xFF
    table.write_bytes(content)
    before = person.release().manifest
    with pytest.raises(CorruptedError, match="backup"):
        person.restore(tmp_path / "backup", replace=True)
    assert ClusterGraph(person.settings).release().manifest == before


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _largest(folder: Path) -> Path:
    return max(folder.glob("public/*.sst"), key=lambda path: path.stat().st_size)


def _add(path: Path, content: bytes) -> None:
    path.write_bytes(path.read_bytes() + content)


def _recount(path: Path) -> None:
    path.write_text(path.read_text().replace('"triples": ', '"triples": 1'))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a byte of a table flipped": lambda folder: _flip(_largest(folder)),
    "a table cut": lambda folder: _cut(_largest(folder)),
    "a table gone": lambda folder: _largest(folder).unlink(),
    "the engine's manifest flipped": lambda folder: _flip(next(folder.glob("public/MANIFEST-*"))),
    "CURRENT gone": lambda folder: (folder / "public/CURRENT").unlink(),
    "the delta cut": lambda folder: _cut(folder / "delta.nq.gz"),
    "the report changed": lambda folder: _add(folder / "report.ttl", b"#"),
    "the manifest cut": lambda folder: _cut(folder / "manifest.json"),
    "a count of the manifest changed": lambda folder: _recount(folder / "manifest.json"),
    "the store gone": lambda folder: shutil.rmtree(folder / "public"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_can_be_mended(small: ClusterGraph, damage: str) -> None:
    """Never a silently empty graph: verify names the release, and going back mends it."""
    small.build()
    assert isinstance(write(small, "INSERT DATA { :b x:p :c }"), Done)
    # releases share files: a copy gets the damage, as a bad sector would touch one release alone
    folder = small.archive.path(2)
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)
    DAMAGES[damage](folder)
    found = dict(small.verify())
    assert found[1] == []
    assert found[2]
    graph = ClusterGraph(small.settings)
    back = graph.rollback(1)
    assert graph.release().manifest.digest == back.digest == graph.manifest(1).digest
    assert dict(graph.verify())[back.number] == []


@pytest.mark.parametrize("content", ["", "x", "000099\n", None])
def test_a_damaged_pointer_is_told(small: ClusterGraph, content: str | None) -> None:
    """With the way to mend it; no release is served by guess."""
    small.build()
    pointer = small.settings.variable / "current"
    if content is None:
        pointer.unlink()
    else:
        pointer.write_text(content)
    with pytest.raises(CorruptedError) as caught:
        ClusterGraph(small.settings).release()
    assert caught.value.hint
    graph = ClusterGraph(small.settings)
    graph.rollback(1)
    assert graph.release().manifest.number == 2


def test_damage_does_not_lose_what_was_written(small: ClusterGraph) -> None:
    """A build beside a damaged store takes it from the deltas."""
    small.build()
    assert isinstance(write(small, "INSERT DATA { :b x:p 'kept' }"), Done)
    folder = small.archive.path(2)
    shutil.copytree(folder, folder.with_name("copy"))  # it shares its files with the first
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)
    _largest(folder).write_bytes(b"")
    with pytest.raises(CorruptedError):
        ClusterGraph(small.settings).release()
    graph = ClusterGraph(small.settings)
    graph.build()
    assert graph.select("SELECT ?s { ?s ?p 'kept' }")
    assert dict(graph.verify())[3] == []


def test_the_clock_may_go_back(small: ClusterGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and times of releases never do."""

    class Clock(datetime.datetime):
        days = 0

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]  # of this class
            return datetime.datetime(2026, 5, 20, tzinfo=tz) + datetime.timedelta(days=cls.days)

    monkeypatch.setattr(candidate.datetime, "datetime", Clock)
    small.build()
    for days in (10, -10, 0, 11):
        Clock.days = days
        assert isinstance(write(small, f"INSERT DATA {{ :b x:p {days} }}"), Done)
    times = [small.manifest(number).created for number in small.archive.known()]
    assert times == sorted(times)
    assert small.archive.known() == [1, 2, 3, 4, 5]


def test_thinning_keeps_days_deltas_and_what_is_being_read(small: ClusterGraph) -> None:
    """The newest, the last of each day, and every delta; a query on an old release finishes."""
    small.build()
    for number in range(5):
        write(small, f"INSERT DATA {{ :b x:p {number} }}")
    old = small.release(2)
    answer = old.answer(small.parse("SELECT * { ?s ?p ?o }"), rdf.CSV)
    first = next(answer)
    assert small.archive.thin(2, 0) == [1, 2, 3, 4]
    assert first + b"".join(answer)
    assert small.archive.numbers() == [5, 6]
    assert small.archive.known() == [1, 2, 3, 4, 5, 6]
    since = small.diff(1, 6)
    assert len(since.where(lambda quad: quad.predicate.value == "http://x/p")) == 5
    with pytest.raises(GoneError):
        small.release(2)
    assert small.archive.thin(1, 30) == [5]  # of each day the last one stays
    small.build(force=True)
    assert isinstance(write(small, "INSERT DATA { :b x:p 9 }"), Done)
    assert small.select("SELECT ?o { ?s <http://x/p> ?o }")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"a disk of its own needs the right to mount: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(disk: Path, tmp_path: Path) -> None:
    """Writes are refused with 507, reads go on, and with space again writes do too."""
    scaffold.init(tmp_path / "p", title="P")
    graph = ClusterGraph(settings.load(tmp_path / "p", environment={}, variable=disk / "var"))
    graph.build()
    before = graph.release().manifest
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 4096))
    for _ in range(3):
        with pytest.raises(NoSpaceError, match=r"No space left|cannot be written"):
            write(graph, 'INSERT DATA { :b x:p "' + "long " * 9000 + '" }')
        fresh = ClusterGraph(graph.settings)
        assert fresh.release().manifest == before
        assert fresh.select("SELECT ?s { ?s ?p ?o } LIMIT 1")
    (disk / "filler").unlink()
    assert isinstance(write(graph, "INSERT DATA { :b x:p :c }"), Done)
    assert not [problem for _number, problems in graph.verify() for problem in problems]


def test_a_disk_that_cannot_be_written(disk: Path, tmp_path: Path) -> None:
    """What was built is served; writes say why they cannot be done."""
    scaffold.init(tmp_path / "p", title="P")
    graph = ClusterGraph(settings.load(tmp_path / "p", environment={}, variable=disk / "var"))
    graph.build()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(NoSpaceError, match="Read-only"):
        write(graph, "INSERT DATA { :b x:p :c }")
    fresh = ClusterGraph(graph.settings)
    assert fresh.select("SELECT ?s { ?s ?p ?o } LIMIT 1")
    with pytest.raises(NoSpaceError, match="Read-only"):
        fresh.build(force=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.ttl", b"<http://x/a> <http://x/b> <http://x", r"cut\.ttl:1:"),
        ("binary.nt", bytes(range(256)) * 9, r"binary\.nt"),
        ("suffix.trig", b"<?xml version='1.0'?><a/>", r"suffix\.trig:1:"),
        ("gz.ttl.gz", b"\x1f\x8b\x08\x00\x00\x00", r"gz\.ttl\.gz.*cut"),
        ("deep.jsonld", b"[" * 5000, r"deep\.jsonld"),
    ],
)
def test_files_that_cannot_be_read(
    small: ClusterGraph, name: str, content: bytes, message: str
) -> None:
    """Are named, with the place; the current release stays."""
    small.build()
    (small.settings.project / "data" / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        small.build()
    assert small.archive.numbers() == [1]


def test_compressed_files_are_read(small: ClusterGraph) -> None:
    """By their suffixes."""
    folder = small.settings.project / "data"
    (folder / "a.ttl.gz").write_bytes(gzip.compress(b"<http://x/a> <http://x/p> 1 ."))
    zipped = zstandard.ZstdCompressor().compress(b'<http://x/b> <http://x/p> "2" .')
    (folder / "b.nt.zst").write_bytes(zipped)
    small.build()
    assert len(small.select("SELECT ?s { ?s <http://x/p> ?o }")) == 2


def run(graph: ClusterGraph, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command line on a project."""
    command = [sys.executable, "-m", "clustergraph", "--project", str(graph.settings.project)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_the_commands(small: ClusterGraph, tmp_path: Path) -> None:
    """As a person types them, with exit codes and one message each."""
    assert run(small, "update", "INSERT DATA {").returncode == 2
    assert "no release" in run(small, "rollback", "1").stderr
    small.build()
    made = run(small, "token", "create", "Jo", "--write", "graph/a*", "--days", "9")
    assert made.stdout.startswith("cg_")
    assert "write http://127.0.0.1:8080/graph/a*" in run(small, "token", "list").stdout
    assert run(small, "token", "create", "Jo").returncode == 2
    assert run(small, "token", "create", "Jo", "--query-seconds", "60").returncode == 0
    assert "queries of 60 s" in run(small, "token", "list").stdout
    hidden = run(small, "token", "create", "Jo", "--write", "graph/restricted/*")
    assert (hidden.returncode, "--read-restricted" in hidden.stderr) == (2, True)
    assert "revoked" in run(small, "token", "revoke", made.stdout.split("_")[1]).stdout
    assert run(small, "token", "revoke", "none").returncode == 2
    text = "INSERT DATA { <http://127.0.0.1:8080/id/person/doe> <http://x/name> 'Jane Doe' }"
    assert "Release 2: +1 -0" in run(small, "update", text, "-m", "why").stdout
    kind = small.settings.iri("ontology#Cluster")
    refused = run(small, "update", f"INSERT DATA {{ <http://x/c> a <{kind}> }}")
    assert (refused.returncode, "preferred label" in refused.stdout) == (1, True)
    shown = run(small, "diff", "1")
    assert (shown.returncode, "Jane Doe" in shown.stdout) == (1, True)
    assert run(small, "diff", "1", "2", "--format", "patch").stdout.startswith("TX .")
    assert run(small, "diff", "2", "2").returncode == 0
    assert run(small, "diff", "1", "9").returncode == 2
    assert "Release 3 is equal to release 1" in run(small, "rollback", "1").stdout
    assert run(small, "backup", str(tmp_path / "b")).returncode == 0
    assert run(small, "backup", str(tmp_path / "b")).returncode == 2
    verified = run(small, "verify")
    assert (verified.returncode, verified.stdout.count("ok")) == (0, 3)
    unasked = run(small, "forget", "id/person/doe")  # nobody is there to be asked
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert not small.is_erased(small.settings.iri("id/person/doe"))
    gone = run(small, "forget", "id/person/doe", "--yes", "--reason", "asked")
    assert gone.returncode == 0
    assert "sha256:" in gone.stdout
    assert run(small, "forget", "id/person/none", "--yes").returncode == 2
    assert run(small, "restore", str(tmp_path / "b")).returncode == 2
    assert run(small, "restore", str(tmp_path / "b"), "--replace").returncode == 0
    for each in (made, refused, shown, verified, gone):
        assert "Traceback" not in each.stderr
    number = small.archive.current_number()
    os.truncate(max(small.archive.path(number or 0).glob("public/*.sst")), 1)
    broken = run(small, "verify")
    assert (broken.returncode, "FAIL release" in broken.stdout) == (1, True)


def test_manifests_of_the_first_format_are_read(small: ClusterGraph) -> None:
    """What an earlier version built is served, written on and rolled back."""
    small.build()
    path = small.archive.path(1) / "manifest.json"
    fields = json.loads(path.read_text())
    for name in ("kind", "changes", "built", "restricted_graphs", "tombstones"):
        del fields[name]
    path.write_text(json.dumps(fields | {"version": 1}))
    graph = ClusterGraph(small.settings)
    assert graph.release().manifest.number == 1
    assert isinstance(write(graph, "INSERT DATA { :b x:p :c }"), Done)
    assert graph.rollback(1).number == 3
