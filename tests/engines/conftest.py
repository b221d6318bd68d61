"""What tests of engines share: real servers, and small projects on them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines import servers

from clustergraph import settings
from clustergraph.releases import Archive
from clustergraph.releases.carrying import FINDINGS, Engine
from clustergraph.service import ClusterGraph

_numbers = itertools.count(1)


@dataclass
class Place:
    """Where a project's release is held."""

    name: str
    settings: dict[str, Any]
    findings: Path | None = None
    """What was found out of the engine: so that it is not tried anew for each project."""


Make = Callable[..., ClusterGraph]


def place(name: str, folder: Path) -> Iterator[Place]:
    """The embedded store, or a server that runs meanwhile."""
    if name == "embedded":
        yield Place(name, {})
        return
    if not servers.is_there(name):
        pytest.fail(f"{name} is not installed: .ci/run says how")
    with servers.running(name, folder) as server:
        made = {"store": server.query, **server.settings}
        probed = settings.load(
            _project(folder / "probed", "http://probed.example/"), environment={}, **made
        )
        engine = Engine(Archive(probed.variable), probed)
        engine.opened(write=True)
        engine.close()
        yield Place(name, made, probed.variable / FINDINGS)


@pytest.fixture(scope="session", params=["oxigraph", "virtuoso"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each engine."""
    yield from place(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session", params=["embedded", "oxigraph", "virtuoso"])
def anywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The embedded store, and each engine."""
    yield from place(request.param, tmp_path_factory.mktemp(request.param))


def _project(folder: Path, base: str) -> Path:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    text = f'[project]\nbase = "{base}"\n\n[dataset]\nderive = false\ndefault-graph = "merge"\n'
    (folder / "clustergraph.toml").write_text(text, encoding="utf-8")
    return folder


def project(where: Place, folder: Path, data: str, **overrides: Any) -> ClusterGraph:
    """A project with some TriG; its base is ``http://pN.example/``, declared as the prefix b:."""
    base = f"http://p{next(_numbers)}.example/"
    _project(folder, base)
    write(folder, base, data)
    public = overrides.pop("public", False)
    found = settings.load(folder, environment={}, **{**where.settings, **overrides})
    if where.findings is not None:
        found.variable.mkdir(parents=True, exist_ok=True)
        shutil.copy(where.findings, found.variable / FINDINGS)
    return ClusterGraph(found, public=public)


def write(folder: Path, base: str, data: str) -> None:
    """Write the data of a project anew."""
    text = f"@prefix b: <{base}> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n{data}"
    (folder / "data" / "data.trig").write_text(text, encoding="utf-8")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes projects, which are closed at the end."""
    made: list[ClusterGraph] = []

    def one(where: Place, data: str, **overrides: Any) -> ClusterGraph:
        graph = project(where, tmp_path / f"project-{len(made)}", data, **overrides)
        made.append(graph)
        return graph

    yield one
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def second(
    request: pytest.FixtureRequest, engine: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """The settings by which an engine of the same kind holds what is restricted."""
    with servers.running(engine.name, tmp_path_factory.mktemp(f"{engine.name}-2")) as server:
        yield {
            "store_restricted": server.query,
            "store_restricted_update": server.settings.get("store_update", ""),
        }
