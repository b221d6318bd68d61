"""The operations that are broken, the state that they start from, and what must hold afterwards."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import scaffold, settings
from clustergraph.releases import Write
from clustergraph.service import ClusterGraph
from clustergraph.tokens import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CANARY = "canary-7f3a"
"""Stands in everything that is forgotten, and nowhere else."""
_LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of the program, as a command line."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _folder: None
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, folder: Path) -> list[str]:
        """The command line, for the project in ``folder``."""
        filled = [each.replace("FOLDER", str(folder)) for each in self.arguments]
        return [sys.executable, "-m", "clustergraph", "--project", str(folder), *filled]

    def environ(self) -> dict[str, str]:
        """The environment of the command."""
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **self.environment}


def _edit(folder: Path) -> None:
    path = folder / "data/organisations.ttl"
    path.write_text(path.read_text().replace('"Another Cluster"@en', '"Other Cluster"@en'))


def insert(graph: ClusterGraph, name: str, label: str) -> str:
    """An update that says one thing."""
    return f'INSERT DATA {{ <{graph.settings.iri(name)}> {_LABEL} "{label}"@en }}'


UPDATE = f'INSERT DATA {{ <http://127.0.0.1:8080/id/x/new> {_LABEL} "new"@en }}'
OPERATIONS = (
    Operation("build", ("build",), prepare=_edit),
    Operation("update", ("update", UPDATE)),
    Operation("rollback", ("rollback", "1")),
    Operation("thinning", ("update", UPDATE), environment={"CG_KEEP": "1", "CG_KEEP_DAYS": "0"}),
    Operation("forget", ("forget", "--yes", "id/person/doe")),
    Operation("backup", ("backup", "FOLDER/backup")),
)


def start(folder: Path) -> None:
    """Make the project that every operation starts from: three releases, one of them restricted."""
    scaffold.init(folder, title="Faults")
    graph = opened(folder)
    graph.build()
    person = graph.settings.iri("id/person/doe")
    hidden = graph.settings.iri("graph/restricted/contacts")
    commit(graph, insert(graph, "id/person/doe", f"Doe {CANARY}"))
    email = f'<{person}> <http://x.example/email> "{CANARY}@x"'
    commit(graph, f"INSERT DATA {{ GRAPH <{hidden}> {{ {email} }} }}")


def opened(folder: Path, **overrides: object) -> ClusterGraph:
    """The project in ``folder``."""
    return ClusterGraph(settings.load(folder, environment={}, **overrides))


def commit(graph: ClusterGraph, text: str) -> None:
    """Publish an update."""
    grant = Grant(("*",), sees_restricted=True)
    (outcome,) = graph.commit(
        [Write(method="UPDATE", payload=text.encode(), who="test", grant=grant)]
    )
    if isinstance(outcome, Exception):
        raise outcome


def state(folder: Path) -> str:
    """The digest of the current release, and that of what is restricted."""
    graph = opened(folder)
    manifest = graph.release().manifest
    return f"{manifest.digest} {sorted(manifest.restricted_graphs.items())}"


def problems(folder: Path) -> list[str]:
    """What is not as it should be in a project's releases."""
    graph = opened(folder)
    return [f"release {number}: {problem}" for number, each in graph.verify() for problem in each]


def gaps(folder: Path) -> list[str]:
    """What is missing in a project's history."""
    archive = opened(folder).archive
    known = archive.known()
    found = [] if known == list(range(1, len(known) + 1)) else [f"the history has gaps: {known}"]
    if len(archive.history()) != len(known):
        found.append("a manifest is missing")
    return found


def holds(folder: Path, text: str) -> list[Path]:
    """The files below a folder that hold a text, compressed ones unpacked."""
    found: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content += gzip.decompress(content)
            if text.encode() in content:
                found.append(path)
    return found


def copy(source: Path, target: Path) -> None:
    """Start anew from a state."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
