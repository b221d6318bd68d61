"""The command line as a person uses it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from clustergraph.cli.main import main
from clustergraph.settings import declared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh project."""
    target = tmp_path / "alliance"
    assert run("init", str(target), "--title", "Alliance").exit_code == 0
    return target


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run the command line; an exception that is not an exit fails the test."""
    result = CliRunner().invoke(main, arguments, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def on(folder: Path, *arguments: str, stdin: str | None = None) -> Result:
    """Run a command on a project."""
    return run("--project", str(folder), *arguments, stdin=stdin)


def test_a_new_project_validates_builds_and_answers(folder: Path) -> None:
    """The first minutes of a newcomer."""
    assert on(folder, "validate").output == "conforms: 0 errors, 0 warnings, 0 notes\n"
    assert "Published release 1:" in on(folder, "build", "-m", "first").output
    assert "Nothing has changed since release 1:" in on(folder, "build").output
    assert on(folder, "query", "--name", "partners", "--format", "csv").stdout.splitlines() == [
        "partner,name",
        "http://127.0.0.1:8080/id/organisation/another-cluster,Another Cluster",
    ]
    assert "first" in on(folder, "releases").output
    assert json.loads(on(folder, "releases", "--json").output)["number"] == 1
    assert "partners\tWho works with a cluster" in on(folder, "query", "--list").output


def test_init_does_not_write_over_anything(folder: Path) -> None:
    """Exit code 2."""
    result = run("init", str(folder))
    assert (result.exit_code, "is not empty" in result.output) == (2, True)


def test_a_violation_exits_with_1_and_says_what_to_do(folder: Path) -> None:
    """On standard output, where a report belongs."""
    data = folder / "data/organisations.ttl"
    data.write_text(data.read_text().replace('skos:prefLabel "Another Cluster"@en', "a ex:X"))
    for command in ("validate", "build"):
        result = on(folder, command)
        assert result.exit_code == 1
        assert "needs a preferred label" in result.stdout
        assert "another-cluster" in result.stdout
    assert json.loads(on(folder, "validate", "--format", "json").stdout)["conforms"] is False


def test_a_broken_file_exits_with_2_and_names_the_place(folder: Path) -> None:
    """On standard error."""
    (folder / "data/broken.ttl").write_text("a b c .\n")
    result = on(folder, "build")
    assert result.exit_code == 2
    assert "data/broken.ttl:1:1:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "SELECT * { SERVICE <http://a/> {} }"), "SERVICE is not allowed"),
        (("query", "SELECT"), "line 1"),
        (("query",), "Give one of"),
        (("query", "ASK {}", "--format", "ttl"), "cannot hold"),
        (("query", "--name", "nothing"), "no stored query 'nothing'"),
        (("query", "--name", "partners", "-p", "x"), "NAME=VALUE"),
        (("query", "--name", "partners", "-p", "x=1"), "has no parameter x"),
        (("describe", "id/nothing"), "says nothing of id/nothing"),
        (("export", "--graph", "graph/nothing"), "no graph"),
    ],
)
def test_mistakes_exit_with_2(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """With a message, never a traceback."""
    on(folder, "build")
    result = on(folder, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_describe_and_export_write_rdf(folder: Path) -> None:
    """In the asked format."""
    on(folder, "build")
    described = on(folder, "describe", "id/organisation/example-cluster", "--format", "nq").stdout
    assert "Example Cluster" in described
    assert "graph/source/organisations" in described
    target = folder / "all.ttl"
    assert on(folder, "export", "--format", "ttl", "-o", str(target)).exit_code == 0
    assert "Example Cluster" in target.read_text()
    one = on(folder, "export", "--format", "nt", "--graph", "graph/source/organisations").stdout
    assert len(one.splitlines()) == 5


def test_passages_and_attestations_are_written_for_pasting(folder: Path) -> None:
    """And the check accepts what was pasted."""
    source = folder / "source.txt"
    source.write_text("One line.\nTwo clusters work together.\n")
    command = ("evidence", "passage", "--source", str(source), "--slug", "x", "clusters work")
    passage = on(folder, *command).stdout
    assert "id/passage/x-14-27> a cg:Passage" in passage
    statement = "<id/organisation/a> <http://xmlns.com/foaf/0.1/name> 'A' ."
    place = ("--graph", "graph/source/x", "--passage", "id/passage/x-14-27")
    attestation = on(folder, "evidence", "attest", *place, statement).stdout
    prefixes = (
        "@prefix cg: <http://127.0.0.1:8080/ontology#> . @prefix oa: <http://www.w3.org/ns/oa#> ."
        "@prefix prov: <http://www.w3.org/ns/prov#> ."
        "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> ."
    )
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    document = f'<http://127.0.0.1:8080/id/source/x> cg:sha256 "{digest}" .'
    stated = "GRAPH <{0}graph/source/x> {{ <{0}id/organisation/a> <{1}name> 'A' }}".format(
        "http://127.0.0.1:8080/", "http://xmlns.com/foaf/0.1/"
    )
    (folder / "data/x.trig").write_text(
        f"{prefixes}\n{stated}\n{document}\n{passage}\n{attestation}"
    )
    assert on(folder, "validate").exit_code == 0
    checked = on(folder, "evidence", "check", "--source", str(source))
    assert (checked.exit_code, "1 passages" in checked.stdout) == (0, True)
    source.write_text("Something else.")
    assert on(folder, "evidence", "check", "--source", str(source)).exit_code == 2


def test_a_query_comes_from_standard_input(folder: Path) -> None:
    """In a pipe."""
    on(folder, "build")
    result = on(folder, "query", "-", "--format", "json", stdin="ASK { ?s ?p ?o }")
    assert json.loads(result.stdout)["boolean"] is True


def test_the_doctor_tells_what_is_wrong_and_every_setting(folder: Path) -> None:
    """Exit code 1 if anything is wrong."""
    result = on(folder, "doctor")
    assert result.exit_code == 1
    assert "FAIL release: There is no release" in result.output
    assert all(key in result.output for _name, key, _default, _help in declared())
    on(folder, "build")
    assert on(folder, "doctor").exit_code == 0


def test_every_command_has_help_that_says_what_it_does() -> None:
    """And every option of it too."""
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_what_was_declared_is_told_beside_the_answer(folder: Path) -> None:
    """On standard error, so that the answer stays what it is."""
    on(folder, "build")
    query = "SELECT ?o { ?s skos:prefLabel ?o }"
    result = on(folder, "query", query, "--format", "csv")
    assert result.stdout.startswith("o\n")
    assert "Declared for you: skos:" in result.stderr
    wrong = on(folder, "query", "ASK { ?s sokos:prefLabel ?o }")
    assert wrong.exit_code == 2
    assert "skos:" in wrong.stderr


def test_an_empty_answer_is_explained(folder: Path) -> None:
    """With the part that nothing matches."""
    on(folder, "build")
    query = "SELECT ?s { ?s skos:prefLabl ?o }"
    result = on(folder, "query", "--explain", query)
    assert "?s skos:prefLabl ?o ." in result.stdout
    assert "Try skos:prefLabel" in result.stdout
    other = on(folder, "query", "--explain", "--at", "http://127.0.0.1:9/", query)
    assert other.exit_code == 2


def test_unexpected_rows_exit_with_1(folder: Path) -> None:
    """As a violation does, with the difference."""
    (folder / "queries" / "partners.csv").write_text("partner,name\n")
    result = on(folder, "build")
    assert result.exit_code == 1
    assert "partners (- expected, + found)" in result.output
