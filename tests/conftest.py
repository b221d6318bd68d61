"""What tests share: a small project of their own, and one release of the shipped graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustergraph import scaffold, settings
from clustergraph.service import ClusterGraph

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def small(tmp_path: Path) -> ClusterGraph:
    """The project that ``clustergraph init`` writes; not built."""
    folder = tmp_path / "example"
    scaffold.init(folder, title="Example")
    return ClusterGraph(settings.load(folder, environment={}))


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> ClusterGraph:
    """The shipped project, with one release built in a folder of the tests."""
    variable = tmp_path_factory.mktemp("var")
    graph = ClusterGraph(settings.load(REPOSITORY, environment={}, variable=variable))
    graph.build(message="for the tests")
    return graph
