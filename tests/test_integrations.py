"""The pre-commit hooks and the GitHub Action call the program as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clustergraph.cli.main import main

REPOSITORY = Path(__file__).resolve().parent.parent
SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .
ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:name ; sh:property ex:One .
ex:One sh:path ex:name ; sh:maxCount 1 .
"""


def test_hooks_name_commands_and_options_that_there_are() -> None:
    """And files that Git could give them."""
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert {each["id"] for each in hooks} >= {"clustergraph-validate", "clustergraph-fix"}
    for each in hooks:
        program, command, *options = each["entry"].split()
        assert program == "clustergraph"
        known = {name for option in main.commands[command].params for name in option.opts}
        assert set(options) <= known
        assert re.search(each["files"], "data/people.trig" if "nq" in each["files"] else "")
        assert each["language"] == "python"


@pytest.mark.parametrize(("names", "code"), [("1 , 2", 1), ("1", 0), ("1 ,", 2)])
def test_the_action_reports_and_says_how_it_went(tmp_path: Path, names: str, code: int) -> None:
    """The step as GitHub runs it, with hostile names of files."""
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    (step,) = [each for each in action["runs"]["steps"] if each.get("id") == "validate"]
    assert "${{" not in step["run"]
    data = tmp_path / 'a $(touch "hacked").ttl'
    data.write_text(f"@prefix ex: <http://e/> . ex:a ex:name {names} .")
    (tmp_path / "shapes.ttl").write_text(SHAPES)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "clustergraph"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clustergraph "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "INPUT_PATHS": data.name + "\n",
        "INPUT_SHAPES": "shapes.ttl",
        "INPUT_STRICT": "false",
        "INPUT_BASELINE": "",
        "INPUT_SARIF": "out.sarif",
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (tmp_path / "hacked").exists()
    said = dict(line.split("=") for line in (tmp_path / "output").read_text().splitlines())
    assert said == {"exit-code": str(code), "sarif-file": "out.sarif", "written": "true"}
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert bool([each for each in results if each["level"] == "error"]) == bool(code)
    assert ("::error" in done.stdout) == bool(code)
    assert (tmp_path / "summary.md").stat().st_size


def test_the_action_needs_no_input() -> None:
    """Each input has a default, and what runs uses all."""
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    text = (REPOSITORY / "action.yml").read_text()
    for name, each in action["inputs"].items():
        assert isinstance(each["default"], str)
        assert f"inputs.{name}" in text
