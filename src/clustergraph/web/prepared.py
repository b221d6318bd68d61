"""What pages take long for in a large release, found out before anybody waits for it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from clustergraph import pages
from clustergraph.errors import ClusterGraphError
from clustergraph.web import home

if TYPE_CHECKING:
    from clustergraph.service import ClusterGraph

_LARGE = 100_000
"""Quads from which on it takes long."""
_QUIET = 5.0
"""Seconds for which a release must be the current one: nobody looks at those in between."""


def prepare(graph: ClusterGraph) -> None:
    """Find it out for the current release.

    Raises:
        ClusterGraphError: the release cannot be read, or is closed meanwhile.
    """
    release = graph.release()
    home.prepare(graph)
    pages.prepare_lists(release.store, graph.settings.base)
    graph.quality(release.manifest.number)


def keep_prepared(graph: ClusterGraph) -> None:
    """Prepare one release after the other, as long as the process lives."""
    prepared = seen = 0
    while True:
        with contextlib.suppress(ClusterGraphError, OSError):
            manifest = graph.release().manifest
            if manifest.number != prepared and (not seen or manifest.number == seen):
                if manifest.quads > _LARGE:
                    prepare(graph)
                prepared = manifest.number
            seen = manifest.number
        time.sleep(_QUIET)
