"""What tests of the web share: the small project, built, served in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clustergraph import scaffold, settings
from clustergraph.service import ClusterGraph
from clustergraph.web.app import create_app


@dataclass
class Site:
    """A site, a client of it, and a token that may do everything."""

    graph: ClusterGraph
    client: FlaskClient
    token: str = ""

    def iri(self, path: str) -> str:
        """The IRI of a path under the base."""
        return self.graph.settings.iri(path)

    def get(self, address: str, **options: Any) -> TestResponse:
        """Ask as a stranger."""
        return self.client.get(address, **options)

    def send(
        self, method: str, address: str, *, token: str | None = None, **options: Any
    ) -> TestResponse:
        """Ask with a token: the one for everything unless another is given ("" for none)."""
        headers = dict(options.pop("headers", {}))
        used = self.token if token is None else token
        if used:
            headers["Authorization"] = f"Bearer {used}"
        return self.client.open(address, method=method, headers=headers, **options)

    def update(self, text: str, **options: Any) -> TestResponse:
        """Send an update."""
        return self.send("POST", "/update", data={"update": text}, **options)


def served(folder: Path, **overrides: Any) -> Iterator[Site]:
    """Serve the project in a folder, without a token."""
    graph = ClusterGraph(settings.load(folder, environment={}, **overrides), public=True)
    graph.build()
    yield Site(graph, create_app(graph).test_client())
    graph.close()


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Site]:
    """The small project, for which no token was ever made."""
    scaffold.init(tmp_path / "example", title="Example")
    yield from served(tmp_path / "example")


@pytest.fixture
def site(untouched: Site) -> Site:
    """The small project, and a token."""
    _made, untouched.token = untouched.graph.tokens.create("admin", admin=True)
    return untouched


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Site]:
    """A plain SPARQL store, and a token."""
    scaffold.init(tmp_path / "plain", bare=True)
    for each in served(tmp_path / "plain"):
        _made, each.token = each.graph.tokens.create("admin", admin=True)
        yield each
