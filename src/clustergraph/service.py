"""ClusterGraph: the façade where the parts are put together; the public API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyoxigraph as ox

    from clustergraph.queries import StoredQuery
    from clustergraph.releases import Manifest
    from clustergraph.settings import Settings
    from clustergraph.store import Backend


@dataclass(frozen=True)
class OpenRelease:
    """A release that is open for reading."""

    manifest: Manifest
    store: Backend
    queries: Mapping[str, StoredQuery]

    @property
    def etag(self) -> str:
        """The strong validator of everything that this release answers, without quotes."""
        return f"{self.manifest.number}-{self.manifest.digest[:16]}"


class ClusterGraph:
    """One project and its releases."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def release(self) -> OpenRelease:
        """The current release."""
        raise NotImplementedError

    def describe(self, iri: str) -> list[ox.Quad]:
        """What the graph says of a thing."""
        raise NotImplementedError
