"""Forget a thing: a release without it, in new files; and nothing of it in any earlier one.

Deleting does not erase: the engine keeps the strings of what is deleted, and releases share files.
So the graph is written anew, every earlier release goes, and their history is written without it.
"""

from __future__ import annotations

import datetime
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import patch
from clustergraph.errors import NoSpaceError, NotFoundError, UsageError
from clustergraph.releases import history
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import DELTA, Candidate, Record
from clustergraph.releases.erasure import Erasure, erasure
from clustergraph.releases.sealing import sync
from clustergraph.tombstones import hashed, iris_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clustergraph.patch import Patch
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.releases.pipeline import Pipeline


@dataclass(frozen=True)
class Plan:
    """What forgetting some things takes with it; made and used under the same lock."""

    iris: tuple[str, ...]
    current: Manifest
    goes: Erasure
    before: frozenset[ox.Quad]
    """All quads of the current release."""
    past: Mapping[int, Patch]
    """The deltas of all releases."""
    parts: tuple[str, ...]
    """Other things that go as a whole: labels, contact points, statements about them."""
    named: tuple[ox.Quad, ...]
    """Statements of things that stay, which go because they name those that go."""


def plan(pipeline: Pipeline, iris: Sequence[str], *, strange: bool = False) -> Plan:
    """Find out what goes if some things are forgotten; nothing is changed.

    Args:
        pipeline: of the project.
        iris: the things.
        strange: whether nothing needs to have been said of them; texts may name them still.

    Raises:
        NotFoundError: nothing was ever said of one of them.
        StoreError: the releases cannot be read.
    """
    archive = pipeline.archive
    number = archive.current_number()
    if number is None:
        raise NotFoundError("There is no release yet.")
    current = archive.manifest(number)
    before = frozenset(pipeline.quads_of(current))
    past = {each: history.delta(archive, each, restricted=True) for each in archive.known()}
    universe = {quad for each in past.values() for quad in (*each.added, *each.removed)} | before
    if not strange:
        _check_known(iris, universe)
    goes = erasure(filter(pipeline.is_asserted, universe), iris, pipeline.settings.base)
    taken = [quad for quad in before if pipeline.is_asserted(quad) and goes.takes(quad)]
    asked = replace(goes, nodes=frozenset(iris), texts=())
    parts = {
        str(quad.subject)
        for quad in taken
        if goes.is_whole(quad.subject) and not asked.is_whole(quad.subject)
    }
    named = [quad for quad in taken if not goes.is_whole(quad.subject)]
    return Plan(
        tuple(iris), current, goes, before, past,
        tuple(sorted(parts)), tuple(sorted(named, key=str)),
    )  # fmt: skip


def forget(
    pipeline: Pipeline,
    plan: Plan,
    record: Record,
    *,
    reason: str = "",
    force: bool = False,
    tombstones: tuple[dict[str, str], ...] = (),
) -> Manifest:
    """Publish a release without some things, and erase them from all that was before.

    The stores are written anew: the engine keeps the strings of what is deleted. Every earlier
    release goes; their history stays, without what is forgotten.

    To be used under the lock.

    Args:
        pipeline: of the project.
        plan: what goes.
        record: who, and why.
        reason: for the tombstone.
        force: publish even if shapes are violated then.
        tombstones: of what was forgotten before and stands in no manifest.

    Raises:
        UsageError: the reason names what is to be forgotten.
        ValidationFailedError: what is left breaks the shapes; nothing was changed.
        StoreError: it could not be written.
    """
    archive, settings, goes = pipeline.archive, pipeline.settings, plan.goes
    if goes.mentions(reason) or goes.mentions(record.why):
        raise UsageError("The reason is kept: it must not name what is forgotten.")
    left = [quad for quad in plan.before if pipeline.is_asserted(quad) and not goes.takes(quad)]
    left.sort(key=str)
    derived, report = pipeline.completed(left)
    if not force:
        report.raise_for_violations()
    target = {*left, *derived}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    candidate = Candidate.empty(archive, settings)
    try:
        candidate.apply(patch.Patch(added=frozenset(target)))
        written = history.written(archive, plan.current).where(
            lambda quad: pipeline.is_asserted(quad) and not goes.takes(quad)
        )
        _rewrite_history(archive, goes, plan.past)
        manifest = candidate.publish(
            [record],
            report=report.to_turtle(),
            findings=report.counts(),
            fingerprint=plan.current.fingerprint,
            delta=patch.between((q for q in plan.before if not goes.takes(q)), target),
            written=written,
            tombstones=(
                *tombstones,
                *(
                    {"hash": hashed(iri, settings.base), "erased": today, "reason": reason}
                    for iri in plan.iris
                ),
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
    return manifest


def forget_again(
    pipeline: Pipeline, record: Record, tombstones: Sequence[Mapping[str, str]]
) -> None:
    """Forget what was forgotten before, in releases that are older than that (a backup's).

    Args:
        pipeline: of these releases.
        record: who, and why.
        tombstones: of all that was forgotten.

    Raises:
        StoreError: it could not be written.
    """
    archive, base = pipeline.archive, pipeline.settings.base
    with archive.writing("forget"):
        known = {each["hash"] for each in archive.tombstones()}
        lost = {each["hash"]: dict(each) for each in tombstones if each["hash"] not in known}
        if not lost:
            return
        current = archive.current()
        quads = set(pipeline.quads_of(current)) if current else set()
        for number in archive.known():
            delta = history.delta(archive, number, restricted=True)
            quads |= delta.added | delta.removed
        iris = {each.split("#", 1)[0] for each in iris_of(quads)}
        found = sorted(iri for iri in iris if hashed(iri, base) in lost)
        others = {hashed(iri, base) for iri in found}
        goes = plan(pipeline, found, strange=True)
        forget(
            pipeline, goes, record, force=True, reason="Forgotten before",
            tombstones=tuple(stone for each, stone in lost.items() if each not in others),
        )  # fmt: skip


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
                found = patch.read(record / name).where(lambda quad: not goes.takes(quad))
                patch.write(place / name, found)
                if name == DELTA:
                    manifest = replace(manifest, added=len(found.added), removed=len(found.removed))
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
    if goes.mentions(manifest.who):
        manifest = replace(manifest, who="(removed)", changes=())
    if goes.mentions(manifest.restricted_why):
        manifest = replace(manifest, restricted_why="(removed)")
    graphs = {name: size for name, size in manifest.graphs.items() if not goes.mentions(name)}
    return replace(manifest, graphs=graphs, restricted_graphs={})
