"""``validate(data, shapes)`` and ``clustergraph validate`` on files of any project."""

from __future__ import annotations

import json
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from click.testing import CliRunner, Result

from clustergraph import project, rdf, scaffold, settings, validate
from clustergraph.cli.main import main
from clustergraph.errors import SourceError, UsageError, ValidationFailedError
from clustergraph.service import ClusterGraph
from clustergraph.validation import syntax

PREFIXES = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix e: <http://e/> .\n"
SHAPES = (
    PREFIXES
    + """e:S a sh:NodeShape ; sh:targetClass e:Person ;
    sh:property [ sh:path e:name ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path e:knows ; sh:class e:Person ] .
"""
)
GOOD = '@prefix e: <http://e/> .\ne:anna a e:Person ; e:name "Anna" .\n'
BAD = '@prefix e: <http://e/> .\ne:anna a e:Person ; e:name "A" , "B" ; e:knows [ a e:Dog ] .\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that knows nothing of ClusterGraph."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("shapes", SHAPES), ("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.ttl").write_text(text)
    return tmp_path


def run(*arguments: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, ["validate", *arguments])


def quads(text: str) -> list[ox.Quad]:
    """The statements of a Turtle text."""
    return list(ox.parse(text.encode(), ox.RdfFormat.TURTLE))


def lint(shapes: str, data: str = GOOD) -> list[tuple[str, str, str]]:
    """Rule, severity and help of what is found."""
    findings = validate(quads(data), quads(PREFIXES + shapes)).findings
    return [(each.rule, each.severity.value, each.help) for each in findings]


def test_data_and_shapes_may_come_in_every_form(folder: Path) -> None:
    """Files, folders, statements, a store, rdflib's graphs; the findings are the same."""
    store = ox.Store()
    store.extend(quads(BAD))
    for data in (
        "bad.ttl",
        Path("bad.ttl"),
        [folder / "bad.ttl"],
        quads(BAD),
        [quad.triple for quad in quads(BAD)],
        store,
        rdflib.Graph().parse(data=BAD),
    ):
        report = validate(data, "shapes.ttl")
        assert {each.path for each in report.findings} == {"http://e/name", "http://e/knows"}
        with pytest.raises(ValidationFailedError, match="2 violations"):
            report.raise_for_violations()
    assert not validate(".", "shapes.ttl").conforms
    with pytest.raises(UsageError, match="neither a file nor a statement"):
        validate([1], "shapes.ttl")  # type: ignore[list-item]


def test_conforming_data_conform() -> None:
    """With nothing to say."""
    report = validate("good.ttl", "shapes.ttl")
    assert report.conforms
    report.raise_for_violations()
    assert b"sh:conforms true" in report.to_turtle()


def test_shapes_may_stand_in_the_data() -> None:
    """If no others are given."""
    Path("both.ttl").write_text(SHAPES + BAD)
    assert len(validate("both.ttl").findings) == 2


def test_each_finding_has_its_place_the_rules_place_and_the_others() -> None:
    """In both files."""
    findings = {each.path: each for each in validate("bad.ttl", "shapes.ttl").findings}
    name, knows = findings["http://e/name"], findings["http://e/knows"]
    line = BAD.splitlines()[1]
    assert str(name.place) == f"bad.ttl:2:{line.index('B')}"
    assert [each.message for each in name.related] == ["it is also given here", "the rule"]
    assert str(name.related[-1].place) == "shapes.ttl:4:17"
    assert str(knows.place) == f"bad.ttl:2:{line.index('[') + 1}"
    assert str(knows.related[0].place) == f"bad.ttl:2:{line.index('e:Dog') + 1}"


@pytest.mark.parametrize(("suffix", "fmt"), [("jsonld", rdf.JSON_LD), ("rdf", rdf.RDF_XML)])
def test_formats_without_positions_are_told_by_file(suffix: str, fmt: rdf.RdfFormat) -> None:
    """JSON-LD and RDF/XML."""
    Path(f"x.{suffix}").write_bytes(rdf.serialise(quads(BAD), fmt))
    assert {str(each.place) for each in validate(f"x.{suffix}", "shapes.ttl").findings} == {
        f"x.{suffix}"
    }


def test_a_misspelt_term_is_a_violation() -> None:
    """In properties and in values, with what was meant."""
    shape = "e:S a sh:NodeShape ; sh:targetClass e:Person ; "
    assert lint(shape + "sh:property [ sh:path e:name ; sh:minCuont 1 ] .") == [
        ("unknown-term", "Violation", "Do you mean sh:minCount?")
    ]
    assert lint(shape + "sh:nodeKind sh:IRI ; sh:severity sh:Warnign .")[0][0] == "unknown-term"


def test_shapes_that_check_nothing_are_told() -> None:
    """No shape at all; no target; a target that the data do not know."""
    assert [each[:2] for each in lint("")] == [("no-shapes", "Violation")]
    assert [each[:2] for each in lint("e:S sh:nodeKind sh:IRI .")] == [("no-target", "Warning")]
    assert lint("e:S sh:targetClass e:Persn ; sh:nodeKind sh:IRI .") == [
        (
            "no-target",
            "Violation",
            "Check the targets of the shapes against the classes of the data.",
        ),
        ("no-target", "Warning", "Do you mean <http://e/Person>?"),
    ]
    idle = "e:S sh:targetClass e:Dog ; sh:nodeKind sh:IRI . e:Dog a <x:Class> ."
    assert [each[:2] for each in lint(idle)] == [("no-target", "Violation")]
    assert lint("e:S sh:targetNode e:x ; sh:nodeKind sh:IRI .") == []
    assert lint("e:S sh:targetSubjectsOf e:name ; sh:nodeKind sh:IRI .") == []


def test_terms_of_shacl_in_data_are_no_mistakes() -> None:
    """A thing of another class may stand beside the shapes."""
    shape = "e:S sh:targetClass e:Person ; sh:nodeKind sh:IRI . e:x a e:Note ; sh:nothing 1 ."
    assert lint(shape) == []


def test_exit_codes() -> None:
    """0 fine, 1 findings, 2 could not run."""
    assert run("good.ttl", "--shapes", "shapes.ttl").exit_code == 0
    assert run("bad.ttl", "--shapes", "shapes.ttl").exit_code == 1
    Path("broken.ttl").write_text("<a> <b> .\n<c> <d> x:e .\n")
    broken = run("broken.ttl", "--shapes", "shapes.ttl")
    assert broken.exit_code == 2
    assert "broken.ttl:1:8: error[syntax]" in broken.stdout
    assert "broken.ttl:2:9: error[syntax] The prefix x: is not declared." in broken.stdout
    assert "nothing was validated" in broken.stderr
    assert run("none.ttl").exit_code == 2
    assert run("--shapes", "shapes.ttl").exit_code == 2
    Path("warning.ttl").write_text(PREFIXES + "e:Lost sh:nodeKind sh:IRI .")
    warned = ("good.ttl", "--shapes", "shapes.ttl", "--shapes", "warning.ttl")
    assert run(*warned).exit_code == 0
    assert run(*warned, "--strict").exit_code == 1


def test_a_baseline_lets_old_findings_pass() -> None:
    """Until there is a new one."""
    arguments = ("bad.ttl", "--shapes", "shapes.ttl", "--baseline", "known.json")
    assert run(*arguments).exit_code == 2
    assert run(*arguments, "--write-baseline").exit_code == 0
    assert run(*arguments).exit_code == 0
    Path("bad.ttl").write_text("\n" + BAD + "e:bob a e:Person .\n")
    fresh = run(*arguments, "--format", "json")
    assert fresh.exit_code == 1
    assert [each["focusNode"] for each in json.loads(fresh.stdout)["findings"]] == ["http://e/bob"]
    assert run("bad.ttl", "--shapes", "shapes.ttl", "--write-baseline").exit_code == 2


def test_turtle_may_hold_the_places() -> None:
    """On demand, so that the report is otherwise that of the standard."""
    plain = run("bad.ttl", "--shapes", "shapes.ttl", "--format", "turtle").stdout
    assert "lineNumber" not in plain
    placed = run("bad.ttl", "--shapes", "shapes.ttl", "--format", "turtle", "--places").stdout
    assert "ptr:lineNumber" in placed


def test_files_of_a_project_are_checked_as_the_project_checks_them(tmp_path: Path) -> None:
    """And only what is found in them is told."""
    folder = tmp_path / "example"
    scaffold.init(folder, title="Example")
    (data,) = sorted((folder / "data").glob("*.t*"))[:1]
    other = folder / "data/other.ttl"
    base = settings.load(folder, environment={}).written_base
    other.write_text(f"<{base}id/organisation/x> a <{base}ontology#Cluster> .\n")
    assert run(str(data)).exit_code == 0
    told = run(str(other), "--format", "json")
    assert told.exit_code == 1
    assert {each["place"]["line"] for each in json.loads(told.stdout)["findings"]} == {1}


def test_a_project_under_another_base_has_places_too(tmp_path: Path) -> None:
    """Though its things have other IRIs than in the files; blank nodes are found as well."""
    folder = tmp_path / "example"
    scaffold.init(folder, title="Example")
    written = settings.load(folder, environment={}).written_base
    (folder / "shapes/own.ttl").write_text(
        f"{PREFIXES}<{written}shapes#Own> sh:targetClass <{written}ontology#Part> ; "
        f"sh:property [ sh:path <{written}ontology#size> ; sh:maxInclusive 5 ] ."
    )
    (folder / "data/own.ttl").write_text(
        f"PREFIX cg: <{written}ontology#>\n"
        "<x:a> cg:part [ a cg:Part ; cg:size 4 ] ,\n  [ a cg:Part ; cg:size 6 ] .\n"
    )
    graph = ClusterGraph(settings.load(folder, environment={}, base="https://new.example/"))
    found = [each for each in graph.validate().findings if each.rule == "Own"]
    assert [str(each.place).rpartition("/")[2] for each in found] == ["own.ttl:3:25"]
    assert found[0].shape == "https://new.example/shapes#Own"
    assert len(project.sources(graph.settings)) >= 2


def test_every_unreadable_file_is_told(tmp_path: Path) -> None:
    """Also those that are read without positions, are no text, or are not there."""
    (tmp_path / "a.jsonld").write_text("{")
    (tmp_path / "b.ttl").write_bytes(b"\xff")
    (tmp_path / "c.nt").write_text("<a> <x:b> <x:c> .\n")
    paths = [tmp_path / name for name in ("a.jsonld", "b.ttl", "c.nt", "d.ttl", "good.ttl")]
    report = syntax.check(paths, base="x:", named=lambda path: path.name)
    assert [each.place.path for each in report.findings if each.place] == [
        "a.jsonld", "b.ttl", "c.nt", "d.ttl",
    ]  # fmt: skip
    assert not report.conforms


def test_files_that_cannot_be_read_raise() -> None:
    """From the library."""
    Path("broken.ttl").write_text("<a> <b> .")
    with pytest.raises(SourceError):
        validate("broken.ttl", "shapes.ttl")
    with pytest.raises(UsageError, match="no file"):
        validate("none.ttl", "shapes.ttl")


def test_what_was_meant_is_suggested() -> None:
    """The nearest term, the nearest thing, a forgotten language."""
    Path("s.ttl").write_text(
        PREFIXES
        + "e:S sh:targetClass e:Person ; sh:property [ sh:path e:knows ; sh:class e:Person ] ,"
        " [ sh:path e:label ; sh:languageIn ( 'en' ) ] ."
    )
    Path("d.ttl").write_text(
        "@prefix e: <http://e/> .\ne:anna a e:Person ; e:knows e:robret ; e:label 'A' .\n"
        "e:robert a e:Person ; e:label 'Robert'@en .\n"
    )
    helps = {each.help: each.suggestion for each in validate("d.ttl", "s.ttl").findings}
    assert helps == {
        "Do you mean e:robert?": "e:robert",
        'Say its language: "A"@en, if it is English.': '"A"@en',
    }
