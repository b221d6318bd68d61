"""Forget a thing: a release without it, in new files; and nothing of it in any earlier one.

Deleting does not erase: the engine keeps the strings of what is deleted, and releases share files.
So the graph is written anew, every earlier release goes, and their history is written without it.
"""

from __future__ import annotations

import datetime
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import patch
from clustergraph.errors import NoSpaceError, NotFoundError
from clustergraph.releases import history
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import Candidate, Record, sync
from clustergraph.releases.erasure import Erasure, erasure, hashed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clustergraph.patch import Patch
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.releases.pipeline import Pipeline


def forget(
    pipeline: Pipeline,
    iris: Sequence[str],
    record: Record,
    *,
    reason: str = "",
    force: bool = False,
) -> tuple[Manifest, list[ox.Quad]]:
    """Publish a release without some things, and erase them from all that was before.

    The stores are written anew: the engine keeps the strings of what is deleted. Every earlier
    release goes; their history stays, without what is forgotten.

    To be used under the lock.

    Args:
        pipeline: of the project.
        iris: the things.
        record: who, and why; kept, so it must not name them.
        reason: for the tombstone.
        force: publish even if shapes are violated then.

    Returns:
        The release, and the statements of other things that went because they named these.

    Raises:
        NotFoundError: nothing was ever said of one of them.
        ValidationFailedError: what is left breaks the shapes; nothing was changed.
        StoreError: it could not be written.
    """
    archive, settings = pipeline.archive, pipeline.settings
    number = archive.current_number()
    if number is None:
        raise NotFoundError("There is no release yet.")
    current = archive.manifest(number)
    before = pipeline.quads_of(current)
    past = {each: history.delta(archive, each, restricted=True)
            for each in archive.known()}  # fmt: skip
    universe = {quad for each in past.values() for quad in (*each.added, *each.removed)}
    goes = erasure(filter(pipeline.is_asserted, universe | before), iris)
    _check_known(iris, universe | before)
    left = [quad for quad in before if pipeline.is_asserted(quad) and not goes.takes(quad)]
    left.sort(key=str)
    derived, report = pipeline.completed(left)
    if not force:
        report.raise_for_violations()
    target = {*left, *derived}
    candidate = Candidate.empty(archive, settings)
    try:
        candidate.apply(patch.Patch(added=frozenset(target)))
        written = history.written(archive, current).where(
            lambda quad: pipeline.is_asserted(quad) and not goes.takes(quad)
        )
        _rewrite_history(archive, goes, past)
        manifest = candidate.publish(
            [record],
            report=report.to_turtle(),
            findings=report.counts(),
            fingerprint=current.fingerprint,
            delta=patch.between((q for q in before if not goes.takes(q)), target),
            written=written,
            tombstones=tuple(
                {
                    "hash": hashed(iri, settings.base),
                    "erased": datetime.datetime.now(datetime.UTC).date().isoformat(),
                    "reason": reason,
                }
                for iri in iris
            ),
        )
    except BaseException:
        candidate.discard()
        raise
    try:
        archive.finish_forgetting()
    except OSError as error:
        raise NoSpaceError(
            f"Release {manifest.number} holds nothing of it, but what was before could not be "
            f"removed: {error.strerror}",
            hint="It is removed by whatever writes next; to be sure, run: clustergraph build",
        ) from error
    named = [
        quad
        for quad in before
        if pipeline.is_asserted(quad)
        and goes.takes(quad)
        and str(getattr(quad.subject, "value", "")) not in goes.nodes
    ]
    return manifest, sorted(named, key=str)


def _check_known(iris: Sequence[str], universe: set[ox.Quad]) -> None:
    known = {term.value for quad in universe for term in quad if isinstance(term, ox.NamedNode)}
    for iri in iris:
        if iri not in known:
            raise NotFoundError(f"Nothing is said of <{iri}>, and nothing ever was.")


def _rewrite_history(archive: Archive, goes: Erasure, past: Mapping[int, Patch]) -> None:
    """Write the history of all releases without what is forgotten, beside the one there is."""
    folder = archive.forgetting(archive.next_number())
    shutil.rmtree(folder, ignore_errors=True)
    for number in past:
        record = archive.record(number)
        manifest = manifests.read(record)
        place = folder / record.name
        place.mkdir(parents=True)
        for name in manifest.files:
            if name.endswith(".nq.gz"):
                found = patch.read(record / name)
                patch.write(place / name, found.where(lambda quad: not goes.takes(quad)))
        manifest = _without_names(manifest, goes)
        files = {name: entry for name, entry in manifest.files.items() if "/" not in name}
        manifest = replace(manifest, files=files)
        (place / manifests.NAME).write_text(manifest.to_json(), encoding="utf-8")
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def _without_names(manifest: Manifest, goes: Erasure) -> Manifest:
    """A manifest in which nobody who was forgotten is named."""
    if goes.mentions(manifest.why) or any(goes.mentions(str(each)) for each in manifest.changes):
        manifest = replace(manifest, why="(removed)", changes=())
    graphs = {name: size for name, size in manifest.graphs.items() if not goes.mentions(name)}
    return replace(manifest, graphs=graphs, restricted_graphs={})
