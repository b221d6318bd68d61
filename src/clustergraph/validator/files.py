"""The project's own files that strangers may pick: what they hold is public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph import project, tombstones
from clustergraph.errors import ClusterGraphError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyoxigraph as ox

    from clustergraph.settings import Settings


def stamp(settings: Settings) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file of the project does."""
    found = []
    for path in project.files(settings):
        status = (settings.project / path).stat()
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def public(settings: Settings, erased: frozenset[str]) -> tuple[str, ...]:
    """The files, relative to the project, that hold nothing restricted and nothing erased.

    A file that cannot be read is not among them, since nobody can tell what it holds.

    Args:
        settings: of the project.
        erased: hashes of what was erased.
    """
    by_name = {project.shown(settings, path): path for path in project.files(settings)}
    found = []
    for source in project.sources(settings):
        try:
            quads = list(source.engine())
        except ClusterGraphError:
            continue
        if not _is_hidden(quads, settings, erased):
            found.append(by_name[source.path].as_posix())
    return tuple(found)


def _is_hidden(quads: Iterable[ox.Quad], settings: Settings, erased: frozenset[str]) -> bool:
    named = set(tombstones.iris_of(quads))
    return any(
        settings.is_restricted(iri) or tombstones.is_erased(iri, settings.base, erased)
        for iri in named
    )
