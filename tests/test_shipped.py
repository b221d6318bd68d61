"""The shipped project as a whole: it conforms, builds under any base, and guards its facts."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from clustergraph import rdf, settings
from clustergraph.cli.main import main
from clustergraph.service import ClusterGraph

REPOSITORY = Path(__file__).resolve().parent.parent
OTHER_BASE = "http://localhost:9999/graph/"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped project that a test may break."""
    for name in ("ontology", "data", "shapes", "queries"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    shutil.copy(REPOSITORY / settings.PROJECT_FILE, tmp_path)
    return tmp_path


def public_lines(graph: ClusterGraph) -> list[str]:
    """The release as sorted N-Quads; blank nodes by their place only."""
    lines = b"".join(graph.export(rdf.N_QUADS)).decode().splitlines()
    return sorted(re.sub(r"_:\w+", "_:b", line) for line in lines)


def test_the_shipped_graph_conforms(shipped: ClusterGraph) -> None:
    """No violation; warnings are told in the release."""
    assert shipped.release().manifest.findings["Violation"] == 0


def test_two_bases_give_the_same_graph(shipped: ClusterGraph, tmp_path: Path) -> None:
    """But for the base itself."""
    options = settings.load(REPOSITORY, environment={}, base=OTHER_BASE, variable=tmp_path)
    other = ClusterGraph(options)
    other.build()
    moved = [line.replace(OTHER_BASE, shipped.settings.base) for line in public_lines(other)]
    assert sorted(moved) == public_lines(shipped)


def test_two_builds_give_the_same_bytes(shipped: ClusterGraph, tmp_path: Path) -> None:
    """The digest of the dataset is the same."""
    again = ClusterGraph(settings.load(REPOSITORY, environment={}, variable=tmp_path))
    assert again.build().manifest.digest == shipped.release().manifest.digest


def test_a_removed_signature_is_found(copy: Path) -> None:
    """Whether its node goes, its link, or both: exit code 1, and the signature is named."""
    path = copy / "data/agreements.trig"
    whole = path.read_text(encoding="utf-8")
    node = re.compile(r"\n    signature:super-cluster-2016-biosa\n.*?\.\n(?=\n|})", re.DOTALL)
    link = re.compile(r"\bsignature:super-cluster-2016-biosa\s*,\s*")
    without_node, without_link = node.sub("\n", whole), link.sub("", whole)
    assert len({whole, without_node, without_link}) == 3
    for text in (without_node, without_link, link.sub("", without_node)):
        path.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(main, ["--project", str(copy), "validate"])
        assert result.exit_code == 1
        assert re.search(r"error\[R\d+\].*signature", result.stdout, re.IGNORECASE)


def test_the_wheel_ships_all_data_and_nothing_restricted() -> None:
    """Files are named one by one, so that private details of a checkout stay out."""
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    shipped = build["targets"]["wheel"]["force-include"]
    data = REPOSITORY / "data"
    public = {path.name for path in data.iterdir() if path.is_file()} | {"enrichment"}
    assert {name.removeprefix("data/") for name in shipped if name.startswith("data/")} == {
        *public,
        "restricted/README.md",
        "restricted/contacts.trig.template",
    }
    for name, target in shipped.items():
        assert (REPOSITORY / name).exists()
        assert target == f"clustergraph/project/{name}"


def test_no_personal_contact_detail_is_in_the_repository() -> None:
    """Neither e-mail addresses nor telephone numbers, but for those kept for fiction."""
    address = re.compile(r"[\w.+-]+@(?!example\.(?:org|com)\b)[\w-]+\.[a-z]{2,}")
    for folder in ("data", "ontology", "shapes", "queries"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                assert not address.search(text), path
                assert not re.search(r"\+(?!44 20 7946 0)\d{1,3}[ \d]{8,}", text), path
