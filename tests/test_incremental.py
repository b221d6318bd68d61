"""What is validated after a change gives the report that validating everything gives."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from clustergraph import rdf, scaffold, settings
from clustergraph.cli.main import main
from clustergraph.releases import Done, Write
from clustergraph.releases.candidate import REPORT
from clustergraph.service import ClusterGraph
from clustergraph.tokens import Grant
from clustergraph.validation import engine, run, since
from test_shacl_engine_affected import edited
from test_shacl_engine_random import LITERALS, for_values, target, turtle, unique
from test_shacl_engine_random import graph as random_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .
ex:Near a sh:NodeShape ; sh:targetClass ex:Thing ; sh:severity sh:Warning ;
  sh:property [ sh:path ex:name ; sh:maxCount 1 ; sh:severity sh:Warning ] ,
    [ sh:path ( ex:knows ex:name ) ; sh:maxCount 2 ; sh:severity sh:Warning ] ;
  sh:sparql [ sh:message "loop" ; sh:severity sh:Warning ;
    sh:select "SELECT $this WHERE { $this <http://e/knows>/<http://e/knows> $this }" ] .
"""


@pytest.mark.parametrize("seed", range(60))
def test_random_edits(seed: int) -> None:
    """Random shapes, graphs and edits: the whole report is the same, with its order."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    values = chance.sample(LITERALS, 8)
    before = list(dict.fromkeys(turtle(random_graph(chance, values))))
    lines = [
        f":S{number} a sh:NodeShape ; {target(chance, LITERALS)} ; "
        f"{' ; '.join(unique([for_values(chance, values, 2) for _ in range(2)]))} ."
        for number in range(3)
    ]
    shapes = turtle("\n".join(lines))
    known = {each.focus for each in run.check(before, shapes, rules={}).findings}
    after, _added, _removed = edited(before, chance, 3)
    moved = since.nodes(before, after, shapes)
    focus = None if moved is None else moved | known
    full = run.check(after, shapes, rules={})
    assert run.check(after, shapes, rules={}, focus=focus).findings == full.findings
    # and what is told with --changed-since is no more than that, and all that is new
    told = set(run.check(after, shapes, rules={}, focus=moved).findings)
    old = set(run.check(before, shapes, rules={}).findings)
    assert set(full.findings) - old <= told <= set(full.findings)


@pytest.fixture
def small(tmp_path: Path) -> ClusterGraph:
    """A project with warnings."""
    root = tmp_path / "example"
    scaffold.init(root, title="Example")
    (root / "shapes" / "near.ttl").write_text(SHAPES)
    (root / "data" / "things.ttl").write_text(
        "@prefix ex: <http://e/> .\nex:a a ex:Thing ; ex:name 1 , 2 .\n"
        "ex:b a ex:Thing ; ex:knows ex:a ."
    )
    made = ClusterGraph(settings.load(root, environment={}))
    made.build()
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The focus nodes of each validation; None for all."""
    seen: list[object] = []
    check = engine.check

    def spied(*args: object, **options: object) -> object:
        seen.append(options.get("focus"))
        return check(*args, **options)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(engine, "check", spied)
    return iter([seen])


def updated(graph: ClusterGraph, text: str) -> Done:
    """A write that takes warnings."""
    (outcome,) = graph.commit(
        [
            Write(
                method="UPDATE",
                payload=text.encode(),
                grant=Grant(("*",), sees_restricted=True),
                who="test",
                lenient=True,
            )
        ]
    )
    assert isinstance(outcome, Done), outcome
    return outcome


def test_random_writes(small: ClusterGraph, asked: Iterator[list[object]]) -> None:
    """The stored report of each release is that of all its quads, though few were looked at."""
    seen = next(asked)
    chance = random.Random(11)  # noqa: S311  # no secret
    names = [f"<http://e/{each}>" for each in "abcdef"]
    facts = [
        lambda: f"{chance.choice(names)} a <http://e/Thing>",
        lambda: f"{chance.choice(names)} <http://e/name> {chance.randrange(3)}",
        lambda: f"{chance.choice(names)} <http://e/knows> {chance.choice(names)}",
    ]
    graph = f"<{small.settings.iri('graph/source/things')}>"
    counts = set()
    for _ in range(12):
        word = chance.choice(["INSERT DATA", "INSERT DATA", "DELETE DATA"])
        lines = " . ".join(chance.choice(facts)() for _ in range(4))
        seen.clear()
        manifest = updated(small, f"{word} {{ GRAPH {graph} {{ {lines} }} }}").manifest
        if seen:
            assert seen[0] is not None
            assert len(seen[0]) < 12  # type: ignore[arg-type]  # a set
        stored = (small.archive.path(manifest.number) / REPORT).read_bytes()
        quads = small.pipeline.quads_of(manifest)
        asserted = [quad for quad in quads if small.pipeline.is_asserted(quad)]
        report = small.pipeline.completed(asserted)[1]
        assert stored == report.to_turtle()
        assert manifest.findings == report.counts()
        counts.add(manifest.findings["Warning"])
    assert len(counts) > 2


def test_writes_that_are_followed(small: ClusterGraph) -> None:
    """From the release before, in memory: what is computed and found is what a full run gives."""
    chance = random.Random(5)  # noqa: S311  # no secret
    names = [f"<http://e/{each}>" for each in "abcd"]
    graph = f"<{small.settings.iri('graph/source/things')}>"
    small.pipeline.prepare()
    for _ in range(8):
        lines = " . ".join(
            f"{chance.choice(names)} {chance.choice(['a <http://e/Thing>', '<http://e/name> 1'])}"
            for _ in range(3)
        )
        word = chance.choice(["INSERT DATA", "DELETE DATA"])
        manifest = updated(small, f"{word} {{ GRAPH {graph} {{ {lines} }} }}").manifest
        standing = small.pipeline._standing
        assert standing is not None
        assert standing.manifest == manifest
        quads = small.pipeline.quads_of(manifest)
        asserted = [quad for quad in quads if small.pipeline.is_asserted(quad)]
        computed, report = small.pipeline.completed(asserted)
        assert set(computed) == quads - set(asserted)
        stored = (small.archive.path(manifest.number) / REPORT).read_bytes()
        assert stored == report.to_turtle()


def test_all_is_validated_when_the_files_are_others(
    small: ClusterGraph, asked: Iterator[list[object]]
) -> None:
    """The program or the shapes may be others than those that made the parent."""
    seen = next(asked)
    (small.settings.project / "shapes" / "near.ttl").write_text(SHAPES + "# more\n")
    updated(small, "INSERT DATA { GRAPH <http://e/g> { <http://e/a> <http://e/name> 3 } }")
    assert seen[0] is None


def test_changed_since_a_release_or_a_file(small: ClusterGraph, tmp_path: Path) -> None:
    """Findings about other nodes are not told; nor is anything if nothing changed."""
    root = small.settings.project
    things = root / "data" / "things.ttl"

    def said(*options: str) -> str:
        done = CliRunner().invoke(main, ["--project", str(root), "validate", *options])
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return done.output

    assert "1 warning," in said()
    assert "0 warnings" in said("--changed-since", "1")
    dump = tmp_path / "dump.trig"
    dump.write_bytes(b"".join(small.export(rdf.TRIG)))
    assert "0 warnings" in said("--changed-since", str(dump))
    things.write_text(things.read_text() + " ex:c a ex:Thing ; ex:name 1 , 2 .")
    for then in ("1", str(dump)):
        told = said("--changed-since", then)
        assert "1 warning" in told
        assert "e/c>" in told
    assert "2 warnings" in said()
    shapes = root / "shapes" / "near.ttl"
    shapes.write_text(SHAPES.replace("maxCount 1", "maxCount 0"))
    assert "2 warnings" in said("--changed-since", "1")
    assert "neither" in said("--changed-since", "nothing")
    assert "99" in said("--changed-since", "99")


def test_changed_since_for_files_of_no_project(tmp_path: Path) -> None:
    """The file as it was."""
    (tmp_path / "s.ttl").write_text(SHAPES)
    old, new = tmp_path / "old.ttl", tmp_path / "new.ttl"
    old.write_text("@prefix ex: <http://e/> . ex:a a ex:Thing ; ex:name 1 , 2 .")
    new.write_text(old.read_text() + " ex:b a ex:Thing ; ex:name 1 , 2 .")
    options = ["validate", str(new), "--shapes", str(tmp_path / "s.ttl")]
    assert "2 warnings" in CliRunner().invoke(main, options).output
    done = CliRunner().invoke(main, [*options, "--changed-since", str(old)])
    assert "1 warning," in done.output
    assert CliRunner().invoke(main, [*options, "--changed-since", "4"]).exit_code == 2
