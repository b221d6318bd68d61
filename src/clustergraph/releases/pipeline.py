"""The one pipeline of every change: fork the current release, change, check, publish or discard."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import (
    catalogue,
    examples,
    expectations,
    inference,
    loading,
    patch,
    project,
    rdf,
    validation,
)
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    NotFoundError,
    StoreError,
    UsageError,
    ValidationFailedError,
)
from clustergraph.releases import building, bulk, history, incremental, writes
from clustergraph.releases import standing as standings
from clustergraph.releases.candidate import (
    FULL,
    PUBLIC,
    REPORT,
    Candidate,
    Record,
    digest_of,
    stated,
)
from clustergraph.releases.standing import Standing
from clustergraph.releases.writes import Applied
from clustergraph.store import flat, sorting
from clustergraph.vocab import prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from clustergraph.patch import Patch
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.releases.writes import Write
    from clustergraph.settings import Settings

_SH = "http://www.w3.org/ns/shacl#"


@dataclass(frozen=True)
class Done:
    """A write that is in a release, durably."""

    manifest: Manifest
    """The release that holds it; the one before, where nothing had to change."""
    added: int
    removed: int
    new_graph: bool


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


class Pipeline:
    """Makes releases of one project; every method that publishes holds the lock meanwhile."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self.settings = settings
        self._standing: Standing | None = None
        """What is known of the release that was published last, from which a write is followed."""

    # -- what every change goes through --------------------------------------------------------

    def completed(
        self,
        asserted: Iterable[ox.Quad],
        progress: Callable[[str], None] = _quiet,
        *,
        focus: Callable[[Sequence[ox.Quad]], Collection[rdf.Term] | None] = lambda _: None,
    ) -> tuple[list[ox.Quad], validation.Report]:
        """The quads that the program computes for a graph, and the report on the whole.

        Args:
            asserted: all quads that are stated, restricted ones too.
            progress: called with the name of each step before it is taken.
            focus: gives, for the public quads, the only nodes to hold against the shapes; None
                for all.

        Raises:
            UsageError: the shapes or a rule cannot be used.
        """
        settings = self.settings
        public = [quad for quad in asserted if not self._is_restricted(quad)]
        derived: list[ox.Quad] = []
        if settings.derive:
            progress("inference")
            rules = {**inference.owl_rules(settings), **project.rules(settings)}
            inferred = inference.infer(public, rules)
            derived = inferred.quads(settings)
            derived += examples.describe(project.stored_queries(settings).values(), settings)
            derived += catalogue.describe([*public, *derived], rules, settings)
        shapes = ox.NamedNode(settings.iri("shapes"))
        report = validation.check(
            public,
            [quad for quad in public if quad.graph_name == shapes],
            rules=project.dataset_rules(settings),
            derived=derived,
            base=settings.base,
            prefixes=prefixes(settings.base),
            focus=focus(public),
            progress=progress,
        )
        stated_already = set(public)
        return [quad for quad in dict.fromkeys(derived) if quad not in stated_already], report

    def _is_restricted(self, quad: ox.Quad) -> bool:
        return isinstance(quad.graph_name, ox.NamedNode) and self.settings.is_restricted(
            quad.graph_name.value
        )

    def is_asserted(self, quad: ox.Quad) -> bool:
        """Whether a quad was stated by somebody, not computed."""
        return not (self.settings.derive and catalogue.is_computed(quad, self.settings))

    def is_seen(self, quad: ox.Quad) -> bool:
        """Whether shapes look at a quad: it is public, and was stated by somebody."""
        return self.is_asserted(quad) and not self._is_restricted(quad)

    def quads_of(self, manifest: Manifest) -> set[ox.Quad]:
        """All quads of a release, without the merge.

        Raises:
            StoreError: it cannot be read.
        """
        name = FULL if manifest.restricted else PUBLIC
        folder = self.archive.path(manifest.number) / name
        try:
            store = ox.Store.read_only(str(folder))
            return set(stated(store, self.settings.default_graph == "merge"))
        except (OSError, RuntimeError) as error:
            raise CorruptedError(f"{folder} cannot be read: {error}") from error

    # -- build ---------------------------------------------------------------------------------

    def build(
        self,
        *,
        erased: frozenset[str],
        fingerprint: str,
        record: Record,
        keep_written: bool = True,
        progress: Callable[[str], None] = _quiet,
    ) -> tuple[Manifest, validation.Report]:
        """Publish what the project's files say, with what was written beside them.

        Args:
            erased: hashes of what was erased, so that no file may hold it any more.
            fingerprint: of the files.
            record: who builds, and why.
            keep_written: whether what was written over HTTP since is carried over.
            progress: called with the name of each step before it is taken.

        Raises:
            SourceError: a file cannot be read.
            ValidationFailedError: a shape is violated, or a stored query gives other rows than
                stand beside it; the current release stays.
            StoreError: the release could not be written; the current one stays.
        """
        current = self.archive.current() if keep_written else self._usable_current()
        with self.archive.scratch() as scratch:
            texts = loading.texts(self.settings, progress, erased=erased)
            files = building.content(texts, self.settings, scratch)
            written = self._written(current) if current and keep_written else patch.Patch()
            written = building.untold(written, files)
            asserted = building.changed(files, written, self._is_restricted)
            derived, report = self._computed(asserted, progress)
            progress("writing the release")
            target = bulk.Content(
                sorting.Changed(asserted.public, frozenset(), derived), asserted.restricted
            )
            usable = self._usable_current()
            delta = small = None
            if current is not None:
                delta = building.delta(self._lines(current, scratch), target, scratch)
                small = building.small(delta, target)
            if usable and usable.base == self.settings.base and small is not None:
                candidate = Candidate.fork(self.archive, self.settings, usable)
                candidate.apply(small)
                candidate.drop_empty_graphs()
            else:
                candidate = Candidate.empty(self.archive, self.settings)
                candidate.fill(target, delta)
            manifest = candidate.publish(
                [record],
                report=report.to_turtle(),
                findings=report.counts(),
                fingerprint=fingerprint,
                written=written,
            )
        return manifest, report

    def _computed(
        self, asserted: bulk.Content, progress: Callable[[str], None]
    ) -> tuple[list[bytes], validation.Report]:
        """The lines that the program computes, and the report on the whole.

        Where there is nothing to compute and nothing to check by, no term is looked at.
        """
        settings = self.settings
        queries = project.stored_queries(settings).values()
        expected = any(each.expected is not None for each in queries)
        shapes, named = f"<{settings.iri('shapes')}> .\n", f"<{settings.iri('id/attestation/')}"
        checked = expected or bool(project.dataset_rules(settings))
        if not (
            settings.derive
            or checked
            or building.mentions(asserted.public, shapes.encode(), named.encode())
        ):
            return [], validation.Report(prefixes=prefixes(settings.base))
        quads = list(building.quads_of(asserted.public))
        derived, report = self.completed(quads, progress)
        report.raise_for_violations()
        progress("stored queries")
        expectations.check(queries, itertools.chain(quads, derived), settings)
        return loading.stored(derived).splitlines(keepends=True), report

    def _lines(self, manifest: Manifest, scratch: Path) -> bulk.Content:
        """The lines of a release; term by term, where its file of lines is not whole.

        Raises:
            CorruptedError: neither its store nor the deltas can be read.
        """
        found = building.stored(self.archive, manifest, scratch)
        if found is None:
            text = b"".join(flat.lines_of(self._content(manifest)))
            found = building.content([text], self.settings, scratch)
        return found

    def _content(self, manifest: Manifest | None) -> Iterable[ox.Quad]:
        """The quads of a release; from the deltas, where its store is damaged.

        Raises:
            CorruptedError: neither can be read.
        """
        if manifest is None:
            return ()
        with contextlib.suppress(CorruptedError):
            self.archive.manifest(manifest.number)
            return self.quads_of(manifest)
        with contextlib.suppress(CorruptedError):
            return history.content(self.archive, manifest.number)
        quads = self.quads_of(manifest)  # a delta is damaged: is the store?
        public = (quad for quad in quads if not self._is_restricted(quad))
        if digest_of(public)[0] != manifest.digest:
            raise CorruptedError(
                f"Neither the store nor the deltas of release {manifest.number} can be read.",
                hint="Restore a backup: clustergraph restore",
            )
        return quads

    def _usable_current(self) -> Manifest | None:
        """The current release, if its store can be read: a build mends what is damaged."""
        try:
            number = self.archive.current_number()
            return None if number is None else self.archive.manifest(number)
        except CorruptedError:
            return None

    def _readable_current(self) -> Manifest | None:
        """The current manifest, if it can be read; its store may be damaged."""
        with contextlib.suppress(CorruptedError):
            return self.archive.current()
        return None

    def _written(self, current: Manifest) -> Patch:
        """What was written beside the files, under the base of today."""
        found = history.written(self.archive, current)
        if current.base != self.settings.base:
            found = patch.Patch(
                *(
                    frozenset(rdf.rebase(quads, current.base, self.settings.base))
                    for quads in (found.added, found.removed)
                )
            )
        return found.where(self.is_asserted)

    # -- writes --------------------------------------------------------------------------------

    def commit(
        self, requests: Sequence[Write], *, wait: float = 0.0
    ) -> list[Done | ClusterGraphError]:
        """Publish writes that wait together as one release; what each of them came to.

        If the whole does not pass its checks, each is tried for itself, so that a bad one takes no
        other with it.

        Args:
            requests: in the order in which they came.
            wait: how long to wait for another writer, in seconds.

        Raises:
            BusyError: another process is writing.
            StoreError: nothing could be written; the current release is as it was.
        """
        with self.archive.writing("update", wait=wait):
            outcomes = self._together(requests)
            if outcomes is None:
                outcomes = []
                for each in requests:
                    try:
                        outcomes += self._together([each]) or []
                    except StoreError as error:  # what was published before it stays published
                        outcomes.append(_without_frames(error))
            with contextlib.suppress(StoreError, OSError):  # the writes are durable; tried again
                self.archive.thin(self.settings.keep, self.settings.keep_days)
            return outcomes

    def _together(self, requests: Sequence[Write]) -> list[Done | ClusterGraphError] | None:
        """One release of several writes, or None if they fail their checks together."""
        number = self.archive.current_number()
        if number is None:
            raise NotFoundError("There is no release yet.", hint="clustergraph build")
        parent = self.archive.manifest(number)
        candidate = Candidate.fork(self.archive, self.settings, parent)
        try:
            tried = [self._try(each, candidate, parent) for each in requests]
            accepted = [
                each
                for each, outcome in zip(requests, tried, strict=True)
                if not isinstance(outcome, ClusterGraphError)
            ]
            if not accepted or not candidate.is_changed():
                candidate.discard()
                return [_outcome(each, parent) for each in tried]
            standing, self._standing = self._fitting(parent), None
            report = self._followed(candidate, standing)
            if report is None:
                standing, report = None, self._complete(candidate, parent)
            refusal = self._refusal(report, parent, lenient=all(w.lenient for w in accepted))
            if refusal is not None:
                candidate.discard()
                if standing is not None:
                    standing.undo()
                    self._standing = standing
                if len(accepted) > 1:
                    return None
                return [each if isinstance(each, ClusterGraphError) else refusal for each in tried]
            manifest = candidate.publish(
                [
                    replace(each.record, hidden=self._tells(outcome))
                    for each, outcome in zip(requests, tried, strict=True)
                    if isinstance(outcome, Applied)
                ],
                report=report.to_turtle(),
                findings=report.counts(),
                fingerprint=parent.fingerprint,
            )
            if standing is not None:
                standing.keep(manifest, report)
                self._standing = standing
            return [_outcome(each, manifest) for each in tried]
        except BaseException:
            candidate.discard()
            raise

    def _try(
        self, write: Write, candidate: Candidate, parent: Manifest
    ) -> Applied | ClusterGraphError:
        try:
            first = not candidate.is_changed()
            return writes.apply(
                write, candidate, self.settings, parent, first=first, erased=self._erased(parent)
            )
        except StoreError:
            raise  # the candidate is lost, and all writes with it
        except ClusterGraphError as error:
            return _without_frames(error)

    def _tells(self, applied: Applied) -> bool:
        """Whether a write changed what is restricted."""
        effect = applied.effect
        graphs = {each.value for each in (*effect.created, *effect.dropped)}
        return any(map(self.settings.is_restricted, graphs | effect.patch.graphs()))

    def _erased(self, parent: Manifest) -> frozenset[str]:
        """Hashes of the IRIs that were erased, here or by the project's list."""
        return project.erasures(self.settings) | {each["hash"] for each in parent.tombstones}

    def prepare(self) -> None:
        """Take up the current release, so that the next write to it is quick; at leisure.

        Raises:
            StoreError: the release cannot be read.
        """
        current = self.archive.current()
        if current is None or self._is_plain(current) or self._fitting(current) is not None:
            return
        self._standing = None
        if current.quads <= standings.MOST and incremental.rests_on_now(current, self.settings):
            public = (quad for quad in self.quads_of(current) if not self._is_restricted(quad))
            self._standing = Standing.of(self.archive, current, public, self.settings)

    def _is_plain(self, manifest: Manifest) -> bool:
        """Whether nothing is computed of a release, and there is nothing to check it by."""
        return not (
            self.settings.derive
            or manifest.graphs.get(self.settings.iri("shapes"))
            or project.dataset_rules(self.settings)
        )

    def _fitting(self, parent: Manifest) -> Standing | None:
        """What is known of a release, if it is of this very one, by the files of now."""
        standing = self._standing
        if standing is None or standing.manifest.etag != parent.etag:
            return None
        return standing if incremental.rests_on_now(parent, self.settings) else None

    def _followed(
        self, candidate: Candidate, standing: Standing | None
    ) -> validation.Report | None:
        """Compute and check what changed in a candidate; None where all must be looked at."""
        if standing is None:
            return None
        found = standing.follow(candidate.patch.where(self.is_seen))
        if found is None:
            return None
        candidate.apply(found[0])
        return found[1]

    def _complete(self, candidate: Candidate, parent: Manifest) -> validation.Report:
        """Compute anew what is computed in a candidate, and check it."""
        if self._is_plain(parent) and not candidate.graphs[self.settings.iri("shapes")]:
            return validation.Report()  # a plain store: nothing to compute, nothing to check by
        quads = list(candidate.quads())
        asserted = [quad for quad in quads if self.is_asserted(quad)]
        nodes = incremental.focus(candidate, self.archive, parent, self.is_seen)
        derived, report = self.completed(asserted, focus=lambda _: nodes)
        candidate.apply(
            patch.between((quad for quad in quads if not self.is_asserted(quad)), derived)
        )
        return report

    def _refusal(
        self, report: validation.Report, parent: Manifest, *, lenient: bool
    ) -> ValidationFailedError | None:
        """Why a change may not be published: violations, or new warnings unless lenient."""
        try:
            report.raise_for_violations()
        except ValidationFailedError as error:
            return error
        known = _known_findings(
            (self.archive.path(parent.number) / REPORT).read_bytes(), self.settings.base
        )
        new = [
            each
            for each in report.findings
            if each.severity is validation.Severity.WARNING
            and (str(each.focus), each.message) not in known
        ]
        if lenient or not new:
            return None
        only = validation.Report(tuple(new), report.prefixes)
        return ValidationFailedError(
            f"{len(new)} new warning{'s' if len(new) > 1 else ''}: nothing was changed. "
            "Prefer: handling=lenient accepts warnings.",
            only.to_text(),
            only.documents(),
        )

    # -- rollback ------------------------------------------------------------------------------

    def rollback(self, number: int, record: Record) -> Manifest:
        """Publish a new release that is equal to an earlier one.

        What the files say is not read; a later build applies only what changes in them from now.

        Raises:
            NotFoundError: there never was such a release.
            GoneError: it is not kept any more.
            UsageError: it stands under another base.
            StoreError: it cannot be read, or the new one not be written.
        """
        target = self.archive.manifest(number)
        if target.base != self.settings.base:
            raise UsageError(
                f"Release {number} was made under the base {target.base}; now it is "
                f"{self.settings.base}.",
                hint="Set that base again, or check out the files of then and build.",
            )
        candidate = Candidate.fork(self.archive, self.settings, target)
        current = self._readable_current()
        report = (self.archive.path(number) / REPORT).read_bytes()
        try:
            delta = patch.between(self._content(current), candidate.quads())
            return candidate.publish(
                [record],
                report=report,
                findings=target.findings,
                fingerprint=(current or target).fingerprint,
                delta=delta,
                written=None if current else history.written(self.archive, target),
            )
        except BaseException:
            candidate.discard()
            raise


def _without_frames(error: ClusterGraphError) -> ClusterGraphError:
    """An error that holds no frames, in which the candidate's stores would live on."""
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def _outcome(each: Applied | ClusterGraphError, manifest: Manifest) -> Done | ClusterGraphError:
    if isinstance(each, ClusterGraphError):
        return each
    change = each.effect.patch
    return Done(manifest, len(change.added), len(change.removed), each.new_graph)


def _known_findings(report: bytes, base: str) -> set[tuple[str, str]]:
    """Focus node and message of each finding of a stored report."""
    focus: dict[object, str] = {}
    message: dict[object, str] = {}
    for quad in rdf.parse(report, rdf.TURTLE, base=base, name=REPORT):
        if quad.predicate.value == _SH + "focusNode":
            focus[quad.subject] = str(quad.object)
        elif quad.predicate.value == _SH + "resultMessage" and isinstance(quad.object, ox.Literal):
            message[quad.subject] = quad.object.value
    return {(node, message.get(result, "")) for result, node in focus.items()}
