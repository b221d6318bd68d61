"""ClusterGraph: the façade where the parts are put together; the public API.

graph = ClusterGraph(settings.load())
graph.build()
for row in graph.select("SELECT ?s { ?s a <http://xmlns.com/foaf/0.1/Person> }"):
    print(row["s"])
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
import zstandard

from clustergraph import (
    evidence,
    pages,
    project,
    rdf,
    sparql,
    store,
    tombstones,
    validation,
    validator,
)
from clustergraph.dumps import Dumps
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    NotFoundError,
    SourceError,
    StoreError,
    UsageError,
    ValidationFailedError,
)
from clustergraph.fragments import Fragments
from clustergraph.quality import Standing
from clustergraph.reading import OpenRelease, Reader, export
from clustergraph.reconciliation import Matcher
from clustergraph.releases import Archive, Manifest, Pipeline, Record, feed, history, incremental
from clustergraph.releases import backup as backups
from clustergraph.releases import forget as forgetting
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import PUBLIC
from clustergraph.releases.carrying import Engine, examined
from clustergraph.tokens import Tokens
from clustergraph.validation import locate
from clustergraph.validator import files
from clustergraph.vocab import prefixes
from clustergraph.writing import WriteQueue, Written
from clustergraph.writing.batches import WAIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from clustergraph.patch import Patch
    from clustergraph.project import Content
    from clustergraph.quality import Change, Quality
    from clustergraph.releases import Done, Write
    from clustergraph.releases.history import Version
    from clustergraph.settings import Settings
    from clustergraph.store import Row


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Built:
    """What a build did."""

    manifest: Manifest
    report: validation.Report
    fresh: bool
    """False if the current release was already built from the same sources."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's findings."""

    name: str
    fine: bool
    message: str


class ClusterGraph:
    """One project and its releases."""

    def __init__(self, settings: Settings, *, public: bool = False) -> None:
        """Open a project.

        Args:
            settings: the project's settings.
            public: queries given to ``answer`` come from strangers: run them in workers that
                are bounded in time and memory and cannot reach out.
        """
        self.settings = settings
        self.archive = Archive(settings.variable)
        self.engine = Engine(self.archive, settings) if settings.store else None
        self.archive.carrier = self.engine
        self.pipeline = Pipeline(self.archive, settings)
        self.tokens = Tokens(settings.variable / "tokens.json")
        self._reader = Reader(self.archive, settings, public=public, engine=self.engine)
        self._writes = WriteQueue(settings, self.engine)
        self.fragments = Fragments(self.archive)
        self._prefixes = prefixes(settings.base)
        self._matcher = Matcher(self._prefixes)
        self._erasures: tuple[int | None, frozenset[str]] | None = None
        self.dumps = Dumps(self.archive, settings)
        self._standing = Standing(self.archive, settings)
        self._files: tuple[object, tuple[str, ...]] | None = None

    # -- the graph in the project's files ---------------------------------------------------

    def read(self, progress: Callable[[str], None] = _quiet) -> Content:
        """Read the project's files.

        Raises:
            SourceError: a file cannot be read.
        """
        return project.read(self.settings, progress, erased=self.erased())

    def validate(
        self, progress: Callable[[str], None] = _quiet, *, since: int | Path | None = None
    ) -> validation.Report:
        """Validate the project's files as a build would; nothing is written.

        The findings have their places in the files.

        Args:
            progress: called with the name of each step before it is taken.
            since: a release, or a file with the graph as it was: only what changed since then is
                held against the shapes. Rules over quads see everything all the same.

        Raises:
            SourceError: a file cannot be read.
            NotFoundError: there never was such a release.
            GoneError: it is not kept any more.
        """
        focus = incremental.changed(self.pipeline, since)
        report = self.pipeline.completed(self.read(progress).quads, progress, focus=focus)[1]
        if not report.findings:
            return report
        progress("places")
        return locate.located(
            report,
            project.sources(self.settings),
            named=lambda path: project.shown(self.settings, path),
        )

    def build(
        self,
        *,
        message: str = "",
        who: str = "",
        force: bool = False,
        keep_written: bool = True,
        progress: Callable[[str], None] = _quiet,
    ) -> Built:
        """Build a release from the project's files and make it current.

        Args:
            message: why; kept in the release's manifest.
            who: who builds; the user's name if not given.
            force: publish although the files are those of the current release.
            keep_written: carry over what was written over HTTP; else the files alone count.
            progress: called with the name of each step before it is taken.

        Raises:
            SourceError: a file cannot be read.
            ValidationFailedError: a shape is violated; the current release stays.
            BusyError: another process is writing.
            StoreError: the release could not be written; the current one stays.
        """
        with self.archive.writing("build"):
            self._ensure_feed()
            fingerprint = project.fingerprint(self.settings)
            manifest = self._unchanged(fingerprint)
            if manifest is not None and keep_written and not force:
                self._bring(progress)
                return Built(manifest, validation.Report(), fresh=False)
            try:
                manifest, report = self.pipeline.build(
                    erased=self.erased(),
                    fingerprint=fingerprint,
                    record=Record(
                        kind="build", who=who or self.user(), why=message or self._last_commit()
                    ),
                    keep_written=keep_written,
                    progress=progress,
                )
            except ValidationFailedError:
                self.validate(progress).raise_for_violations()  # the same, with places
                raise  # what was written beside the files is at fault
            self.archive.thin(self.settings.keep, self.settings.keep_days)
        self._reader.refresh()
        return Built(manifest, report, fresh=True)

    def carry(self, *, whole: bool = False, progress: Callable[[str], None] = _quiet) -> bool:
        """Bring the engine to the current release, from whatever it holds.

        Args:
            whole: load all of it anew, although the engine says that it holds it.
            progress: called with the name of each step before it is taken.

        Returns:
            Whether there was anything to do.

        Raises:
            UsageError: no engine is set.
            NotFoundError: nothing was built yet.
            BusyError: another process is writing.
            StoreError: it could not be done.
        """
        if self.engine is None:
            raise UsageError(
                "The current release is in the store that comes with the program.",
                hint='An engine is set by a first line in clustergraph.toml: store = "https://..."',
            )
        number = self.release().manifest.number
        with self.archive.writing("carry", wait=WAIT):
            progress("engine")
            return self.engine.bring(number, whole=whole)

    def _bring(self, progress: Callable[[str], None] = _quiet) -> None:
        """Bring the engine to the current release, where there is one; under the lock."""
        number = self.archive.current_number()
        if self.engine is not None and number is not None:
            progress("engine")
            self.engine.bring(number)

    def _ensure_feed(self) -> None:
        """Write the change feed where it is missing; to be used under the lock."""
        with contextlib.suppress(StoreError, OSError, zstandard.ZstdError):  # the graph goes before
            current = self.archive.current()
            if current is not None:
                feed.ensure(self.archive, self.settings, current)

    def _unchanged(self, fingerprint: str) -> Manifest | None:
        """The current release, if it rests on files with that fingerprint and is whole."""
        try:
            current = self.archive.current()
            manifest = self.archive.manifest(current.number) if current else None
        except CorruptedError:
            return None
        return manifest if manifest and manifest.fingerprint == fingerprint else None

    def check_evidence(self, source: Path) -> evidence.Checked:
        """Check every passage and every literal of the project's files against a source text.

        Raises:
            SourceError: a file cannot be read, or no source document is this text.
        """
        text = evidence.read_source(source)
        return evidence.check(self.read().quads, text, self.settings)

    # -- the graph as published -----------------------------------------------------------

    @property
    def prefixes(self) -> Mapping[str, str]:
        """Prefixes for showing IRIs and for writing Turtle."""
        return self._prefixes

    def releases(self) -> list[Manifest]:
        """The manifests of all releases, newest first."""
        return self.archive.manifests()

    def release(self, number: int | None = None, *, restricted: bool = False) -> OpenRelease:
        """A release, open for reading.

        Args:
            number: None: the current one; a newer one is picked up at the next call.
            restricted: show what is restricted too.

        Raises:
            NotFoundError: nothing was built yet, or there never was such a release.
            GoneError: it is not kept any more.
            CorruptedError: the release on disk is damaged.
        """
        return self._reader.release(number, restricted=restricted)

    def number(self) -> int | None:
        """The number of the release that is shown now; None if there is none."""
        return self._reader.number()

    def match(self, question: Mapping[str, Any], *, client: str = "") -> tuple[int, Any]:
        """The answer to a question about names; see ``Matcher.ask``.

        Returns:
            The number of the release that answered (one before the current, while the names of that
            one are being read), and the answer.

        Raises:
            NotFoundError: nothing was built yet.
            LimitError: it takes too long, or too many ask.
            StoreError: the release cannot be read.
        """
        number = self.release().manifest.number
        folder = self.archive.path(number) / PUBLIC
        return self._matcher.ask(number, folder, question, client=client)

    def close(self) -> None:
        """End the query workers, the writer, the matcher, and what writes dumps."""
        self.dumps.close()
        self._writes.close()
        self._matcher.close()
        self._reader.close()
        if self.engine is not None:
            self.engine.close()

    def parse(self, text: str) -> sparql.Query:
        """A query text, guarded, with the project's prefixes; see ``sparql.parse``.

        Raises:
            QueryError: it cannot be run.
        """
        return sparql.parse(
            text,
            max_length=self.settings.max_query,
            max_nesting=self.settings.max_nesting,
            prefixes=self.prefixes,
            base=self.settings.iri("sparql"),
        )

    def stored_query(self, name: str, values: Mapping[str, str]) -> str:
        """The text of a stored query with its parameters set.

        Raises:
            NotFoundError: there is no query of that name.
            ParameterError: a value is missing or does not fit.
        """
        stored = self.release().queries.get(name)
        if stored is None:
            raise NotFoundError(
                f"There is no stored query {name!r}.",
                hint="List them with: clustergraph query --list",
            )
        return stored.bound(values, self.settings.base)

    def select(self, text: str) -> list[Row]:
        """The solutions of a SELECT query.

        Raises:
            QueryError: it cannot be run.
        """
        return store.select(self.release().store, text)

    def describe(self, iri: str) -> list[ox.Quad]:
        """What the current release says of a thing, graph by graph; empty if it says nothing.

        Raises:
            UsageError: the text is not an IRI.
        """
        return self.release().describe(iri)

    def export(self, fmt: rdf.RdfFormat, graph: str | None = None) -> Iterator[bytes]:
        """The whole public graph, or one named graph, in ``fmt``.

        Formats that can name graphs get all named graphs, the others the merge.

        Raises:
            NotFoundError: there is no such graph.
        """
        return export(self.archive, self.release(), fmt, graph)

    def report(self, number: int | None = None) -> bytes:
        """The SHACL report in Turtle with which a release was published."""
        manifest = self.archive.manifest(number) if number else self.release().manifest
        return (self.archive.path(manifest.number) / "report.ttl").read_bytes()

    def manifest(self, number: int) -> Manifest:
        """The manifest of a release, be it thinned.

        Raises:
            NotFoundError: there never was such a release.
        """
        return manifests.read(self.archive.record(number))

    def delta(self, number: int) -> Patch:
        """What a release changed against its parent, in public graphs.

        Raises:
            NotFoundError: there never was such a release.
        """
        return history.delta(self.archive, number)

    def versions(self, iri: str) -> list[Version]:
        """The releases that changed what is said of a thing, the newest first."""
        return list(history.versions(self.archive, iri))

    def diff(self, old: int, new: int) -> Patch:
        """What makes release ``new`` out of ``old``, in public graphs.

        Raises:
            NotFoundError: there never was such a release.
        """
        return history.diff(self.archive, old, new)

    def explained(self, change: Patch) -> list[pages.ChangedThing]:
        """A patch for people: grouped by thing, with labels."""
        return pages.explained(self.release().store, change, self.settings, self.prefixes)

    def rollback(self, number: int, *, message: str = "", who: str = "") -> Manifest:
        """Publish a new release that is equal to an earlier one.

        Raises:
            NotFoundError, GoneError: there is no such release.
            BusyError: another process is writing.
            StoreError: it cannot be read, or the new one not be written.
        """
        why = message or f"Back to release {number}"
        with self.archive.writing("rollback"):
            record = Record(kind="rollback", who=who or self.user(), why=why)
            manifest = self.pipeline.rollback(number, record)
        self._reader.refresh()
        return manifest

    def forget(
        self, iris: Sequence[str], *, reason: str = "", force: bool = False
    ) -> tuple[Manifest, forgetting.Plan]:
        """Erase things from the graph and from all its history; see ``releases.forget``.

        Returns:
            The release without them, and what went.

        Raises:
            NotFoundError: nothing was ever said of one of them.
            UsageError: the reason names what is to be forgotten.
            ValidationFailedError: what is left breaks the shapes; nothing was changed.
            BusyError, StoreError: it could not be done.
        """
        record = self._forgetful(reason)
        with self.archive.writing("forget", wait=WAIT):
            plan = forgetting.plan(self.pipeline, iris)
            return forgetting.forget(self.pipeline, plan, record, reason=reason, force=force), plan

    def forgetting(self, iris: Sequence[str]) -> forgetting.Plan:
        """What ``forget`` would take; nothing is changed.

        Raises:
            NotFoundError: nothing was ever said of one of them.
        """
        return forgetting.plan(self.pipeline, iris)

    def _forgetful(self, reason: str = "") -> Record:
        return Record(kind="forget", who=self.user(), why=reason or "Erased on request")

    def is_erased(self, iri: str) -> bool:
        """Whether a thing, or what an IRI is a part of, was forgotten."""
        return tombstones.is_erased(iri, self.settings.base, self.erased())

    def erased(self) -> frozenset[str]:
        """The hashes of what was forgotten, here or by the project's list of erasures."""
        number = self.archive.current_number()
        if self._erasures is None or self._erasures[0] != number:
            hashes = {each["hash"] for each in self.archive.tombstones()}
            hashes |= project.erasures(self.settings)
            self._erasures = (number, frozenset(hashes))
        return self._erasures[1]

    def backup(self, target: Path, *, public: bool = False) -> list[int]:
        """Copy all releases into a new folder while readers and the server go on.

        Raises:
            UsageError: the target holds something.
            StoreError: something could not be read or written.
        """
        self.release()
        return backups.backup(self.archive, target, public=public)

    def restore(self, source: Path, *, replace: bool = False) -> list[int]:
        """Put a backup in the place of the releases, after it was verified.

        What was forgotten since it was made is forgotten in it too.

        Raises:
            UsageError: there are releases already.
            NotFoundError: the source is no backup.
            CorruptedError: the backup is damaged.
        """
        stones = self.archive.tombstones()

        def prepare(copy: Archive) -> None:
            pipeline = Pipeline(copy, self.settings)
            forgetting.forget_again(pipeline, self._forgetful("Forgotten before"), stones)

        numbers = backups.restore(
            source, self.archive, merged=self._merged, replace_all=replace, prepare=prepare
        )
        with self.archive.writing("restore", wait=WAIT):
            self._ensure_feed()
            self._bring()
        self._reader.refresh()
        return numbers

    def verify(self, progress: Callable[[str], None] = _quiet) -> Iterator[tuple[int, list[str]]]:
        """Compare every release that is kept with its manifest; what is wrong with each."""
        return backups.verify(self.archive, merged=self._merged, progress=progress)

    @property
    def _merged(self) -> bool:
        return self.settings.default_graph == "merge"

    def commit(self, writes: Sequence[Write]) -> list[Done | ClusterGraphError]:
        """Publish writes in one release, in this process; see ``Pipeline.commit``.

        Raises:
            BusyError: another process is writing.
            StoreError: nothing could be written.
        """
        outcomes = self.pipeline.commit(writes, wait=WAIT)
        self._reader.refresh()
        return outcomes

    def write(self, write: Write) -> Written:
        """Publish what a stranger wrote: by the writer process, together with what else waits.

        When this returns, the write is durable, and ``release`` gives a release that holds it.

        Raises:
            ClusterGraphError: it was refused or could not be done; nothing of it is left.
        """
        written = self._writes.submit(write)
        self._reader.refresh()
        return written

    def quality(self, number: int | None = None) -> Quality:
        """Where a release stands: its findings, completeness, evidence, links; public ones alone.

        Raises:
            NotFoundError, GoneError: there is no such release.
            StoreError: it cannot be read.
        """
        release = self.release(number)
        return self._standing.of(release.manifest, release.store)

    def findings_history(self) -> list[Change]:
        """What became of the findings, release by release, the newest first."""
        return self._standing.history()

    def check_document(
        self,
        document: validator.Document | str,
        *,
        shapes: validator.Document | None = None,
        against: validator.Against = validator.Against.PROJECT,
        form: str = "text",
        seconds: float | None = None,
        client: str = "",
    ) -> validator.Outcome:
        """Validate what a stranger sent, in a process of its own; see ``validator.validate``.

        Args:
            document: what came, or one of ``public_files``.
            shapes: its own shapes, if they do not stand in it.
            against: what it is held against.
            form: of the report.
            seconds: how long it may take; as long as a query if not given.
            client: who asks; "" for one without a share.

        Raises:
            NotFoundError: there is no such file, or no release yet.
            UsageError, LimitError: see ``validator.validate``.
        """
        if isinstance(document, str) and document not in self.public_files():
            raise NotFoundError(f"The project has no public file {document[:80]!r}.")
        release = None
        if against is validator.Against.PROJECT:
            release = self.archive.path(self.release().manifest.number) / PUBLIC
        return validator.validate(
            self.settings,
            document,
            release=release,
            shapes=shapes,
            against=against,
            form=form,
            seconds=seconds or self.settings.query_seconds,
            client=client,
        )

    def public_files(self) -> tuple[str, ...]:
        """The project's files that hold nothing restricted and nothing erased."""
        key = (self.archive.current_number(), files.stamp(self.settings))
        if self._files is None or self._files[0] != key:
            self._files = (key, files.public(self.settings, self.erased()))
        return self._files[1]

    # -- the installation -----------------------------------------------------------------

    def doctor(self, *, write: bool = False) -> Sequence[Check]:
        """Look at everything that must be right for a build and for serving.

        Args:
            write: try the engine anew, with graphs of a moment.
        """
        checks = [
            Check("project", fine=True, message=str(self.settings.project)),
            Check("base", fine=True, message=self.settings.base),
        ]
        checks.append(self._doctor_files())
        checks.append(self._doctor_variable())
        checks.append(self._doctor_release())
        if self.engine is not None:
            checks += self._doctor_engine(self.engine, write=write)
        return checks

    def _doctor_engine(self, engine: Engine, *, write: bool) -> Iterator[Check]:
        """What the engine can do, and whether it holds what it should."""
        try:
            probed = examined(self.settings, write=write)
        except ClusterGraphError as error:
            yield Check("engine", fine=False, message=error.message)
            return
        for each in probed.findings:
            needed = each.fine is False and bool(each.needed)
            meaning = f" ({each.missing})" if each.fine is False else ""
            yield Check(f"engine, {each.title}", not needed, f"{each.message}{meaning}")
        if not probed.findings[0].fine:
            return
        if write:
            engine.forget_findings()
        try:
            current = self.archive.current()
            if current is not None:
                yield self._doctor_held(engine, current)
        except ClusterGraphError as error:
            yield Check("engine, release", fine=False, message=error.message)

    def _doctor_held(self, engine: Engine, current: Manifest) -> Check:
        """Whether the engine holds the current release, graph by graph."""
        name, mend = "engine, release", "mend it with: clustergraph carry"
        if not engine.holds(current):
            return Check(name, False, f"it does not hold release {current.number}; {mend}")
        expected = {**current.graphs, "": current.triples}
        for graph, size in expected.items():
            found = engine.count(graph)
            if found != size:
                shown = f"<{graph}>" if graph else "The default graph"
                return Check(
                    name, False, f"{shown} holds {found} statements instead of {size}; {mend} --all"
                )
        told = (
            f"release {current.number}, {len(current.graphs)} graphs, every count as it should be"
        )
        return Check(name, True, told)

    def engine_lacks(self) -> list[str]:
        """What the engine cannot do, for people; empty where none is set, or nothing lacks."""
        return [] if self.engine is None else self.engine.lacks(self.archive.current())

    def _doctor_files(self) -> Check:
        try:
            content = self.read()
        except SourceError as error:
            return Check("files", fine=False, message=str(error))
        if not content.quads:
            return Check("files", fine=False, message="The project has no RDF files.")
        return Check(
            "files",
            fine=True,
            message=f"{len(project.files(self.settings))} files, {len(content.quads)} quads, "
            f"{len(content.queries)} stored queries",
        )

    def _doctor_variable(self) -> Check:
        try:
            with self.archive.writing():
                return Check("variable", fine=True, message=f"{self.settings.variable} is writable")
        except UsageError as error:
            return Check("variable", fine=False, message=str(error))
        except Exception as error:  # whatever it is, the doctor tells it
            return Check("variable", fine=False, message=str(error))

    def _doctor_release(self) -> Check:
        try:
            manifest = self.release().manifest
            stale = manifest.fingerprint != project.fingerprint(self.settings)
        except Exception as error:  # whatever it is, the doctor tells it
            return Check("release", fine=False, message=str(error))
        return Check(
            "release",
            fine=True,
            message=f"release {manifest.number} of {manifest.created}: {manifest.triples} triples"
            + (" (the files have changed since: build again)" if stale else ""),
        )

    # -- who and when ---------------------------------------------------------------------

    @staticmethod
    def user() -> str:
        """The name of whoever runs this process."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # no entry in the password file, as in some containers
            return "unknown"

    @staticmethod
    def now() -> str:
        """The time, as manifests and tokens write it: RFC 3339, UTC."""
        return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")

    def _last_commit(self) -> str:
        """The subject of the last commit of the project's folder, if it is under git."""
        command = [
            "git",
            "-C",
            str(self.settings.project),
            "log",
            "-1",
            "--format=%h %s",
            "--",
            ".",
        ]
        try:
            done = subprocess.run(  # noqa: S603  a fixed command, no shell
                command, capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""
