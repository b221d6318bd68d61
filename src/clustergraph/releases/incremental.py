"""What of a candidate need be validated, since its parent was validated by the same shapes.

The nodes that the change can matter to, and those about which the parent's report says something:
what is found about the others is what was found in the parent, which is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import project, rdf
from clustergraph.errors import ClusterGraphError
from clustergraph.releases.candidate import REPORT
from clustergraph.validation import since

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from clustergraph.rdf import Term
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.candidate import Candidate
    from clustergraph.releases.manifest import Manifest
    from clustergraph.releases.pipeline import Pipeline
    from clustergraph.settings import Settings

_known: dict[Path, tuple[object, str]] = {}
"""Fingerprints by project, each with what changes when it may."""
_FOCUS = ox.NamedNode(rdf.SHACL + "focusNode")


def focus(
    candidate: Candidate,
    archive: Archive,
    parent: Manifest,
    is_seen: Callable[[ox.Quad], bool],
) -> set[Term] | None:
    """The focus nodes that must be validated; None if all must.

    All must if the shapes change, the files or this program are others than those that made the
    parent, the shapes look too far, or the parent's report names a blank node.

    Args:
        candidate: with what was asked for applied, and nothing computed anew.
        archive: where the parent is.
        parent: the release that the candidate was forked from.
        is_seen: whether shapes look at a quad: it is public, and stated by somebody.
    """
    settings = candidate.settings
    shapes = ox.NamedNode(settings.iri("shapes"))
    change = candidate.patch.where(is_seen)
    if any(quad.graph_name == shapes for quad in (*change.added, *change.removed)):
        return None
    if not rests_on_now(parent, settings):
        return None
    found = _of_report(archive, parent)
    if found is None:
        return None
    moved = since.within(
        candidate.public,
        change.added,
        change.removed,
        candidate.public.quads_for_pattern(None, None, None, shapes),
    )
    return None if moved is None else moved | found


def changed(
    pipeline: Pipeline, then: int | Path | None
) -> Callable[[Sequence[ox.Quad]], Collection[Term] | None]:
    """Gives, for the public quads of now, the nodes to which a change can matter; None for all.

    Args:
        pipeline: of the project.
        then: since which release, or since the graph was as in which file; None for all.

    Raises:
        SourceError: the file cannot be read.
        NotFoundError: there never was such a release.
        GoneError: it is not kept any more.
    """
    settings = pipeline.settings
    if isinstance(then, int):
        manifest = pipeline.archive.manifest(then)
        then = None if manifest.base != settings.base else then
    if then is None:
        return lambda _: None
    if isinstance(then, int):
        quads: Iterable[ox.Quad] = pipeline.quads_of(manifest)
    else:
        raw = rdf.read(then, base=settings.written_base)
        quads = rdf.rebase(raw, settings.written_base, settings.base)
    before = [quad for quad in quads if pipeline.is_seen(quad)]
    graph = ox.NamedNode(settings.iri("shapes"))
    old = [quad for quad in before if quad.graph_name == graph]

    def among(public: Sequence[ox.Quad]) -> Collection[Term] | None:
        shapes = [quad for quad in public if quad.graph_name == graph]
        return since.nodes(before, public, shapes, shapes_before=old or None)

    return among


def rests_on_now(manifest: Manifest, settings: Settings) -> bool:
    """Whether a release rests on the files, the settings and the program of now."""
    try:
        return manifest.base == settings.base and manifest.fingerprint == _fingerprint(settings)
    except OSError:  # somebody is changing the files
        return False


def _fingerprint(settings: Settings) -> str:
    """That of the project's files, worked out anew only if one of them changed."""
    found = []
    for path in (
        *(settings.project / each for each in project.files(settings)),
        *project.other_files(settings),
    ):
        status = path.stat()
        found.append((path, status.st_mtime_ns, status.st_size))
    stamp = (settings.base, *found)
    known = _known.get(settings.project)
    if known is None or known[0] != stamp:
        known = _known[settings.project] = (stamp, project.fingerprint(settings))
    return known[1]


def _of_report(archive: Archive, parent: Manifest) -> set[Term] | None:
    try:
        report = (archive.path(parent.number) / REPORT).read_bytes()
        quads = rdf.parse(report, rdf.TURTLE, base=parent.base, name=REPORT)
    except (OSError, ClusterGraphError):
        return None
    found: set[Term] = set()
    for quad in quads:
        if quad.predicate == _FOCUS:
            if not isinstance(quad.object, ox.NamedNode | ox.Literal):
                return None  # the label of a blank node may be another one there
            found.add(quad.object)
    return found
