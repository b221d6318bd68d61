"""Open releases: the current one, earlier ones, with or without what is restricted."""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import explain, pages, patch, queries, rdf, search, store
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    NotFoundError,
    QueryError,
    SettingsError,
    UsageError,
)
from clustergraph.query import EngineQueries, Limits, OwnQueries, QueryPool
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import DELTA, FULL, PUBLIC
from clustergraph.search import Index
from clustergraph.store.embedded import EmbeddedStore, opened
from clustergraph.store.replica import Replica
from clustergraph.vocab import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from clustergraph import sparql
    from clustergraph.explain import Explanation
    from clustergraph.queries import StoredQuery
    from clustergraph.releases import Archive, Manifest
    from clustergraph.releases.carrying import Engine
    from clustergraph.settings import Settings
    from clustergraph.store import Answer, Backend, DatasetClause

_AGAIN = 5.0
"""Seconds after which a release that could not be opened is tried again."""
_MOMENT = 2.0
"""Longest wait of the request that finds a new release."""
_SMALL = 300_000
"""Quads up to which a release is held in this process beside its query workers."""
_FEW = 10_000
"""Quads up to which a change is applied to what is in memory already."""
_PROBE = 2.0
"""Seconds that one question may take which explains a query."""
_OTHERS = 3
"""Releases that are held open beside the current one."""


@dataclass(frozen=True)
class OpenRelease:
    """A release that is open for reading."""

    manifest: Manifest
    store: Backend
    """For queries of our own, which are known to be light."""
    pool: QueryPool | EngineQueries | None
    """For queries of strangers; None where nobody but the caller asks (the command line)."""
    queries: Mapping[str, StoredQuery]
    prefixes: Mapping[str, str]
    restricted: bool = False
    """Whether it shows what is restricted."""
    index: Index | None = None
    """For searching what is public; None in a release that has none."""

    @property
    def etag(self) -> str:
        """The validator of everything that this release answers, without quotes."""
        return f"{self.manifest.etag}{'-restricted' if self.restricted else ''}"

    @cached_property
    def graphs(self) -> Mapping[str, int]:
        """The named graphs that can be seen, and their sizes."""
        hidden = self.manifest.restricted_graphs if self.restricted else {}
        return {**self.manifest.graphs, **hidden}

    def statistics(self) -> Mapping[str, int]:
        """What the workers for strangers' queries have done, by kind of event."""
        return dict(self.pool.statistics) if self.pool is not None else {}

    def running(self) -> int:
        """How many queries of strangers are running."""
        return self.pool.active() if self.pool is not None else 0

    def answer(
        self,
        query: sparql.Query,
        fmt: rdf.Format,
        dataset: DatasetClause | None = None,
        *,
        client: str = "",
        seconds: float | None = None,
    ) -> Answer:
        """The answer to a query in ``fmt``, chunk by chunk.

        Args:
            query: from ``ClusterGraph.parse``.
            fmt: how the answer is written; must suit the query's form.
            dataset: what the protocol's parameters say.
            client: who asks; for fairness between clients. "" for one without a share.
            seconds: a time limit other than the one of the settings.

        Raises:
            QueryError: the query is wrong.
            LimitError: it takes more than a query may take, or too many are running.
            StoreError: the release cannot be read.
        """
        clause = dataset or store.STORED_DATASET
        try:
            if self.pool is None:
                return self.store.answer(query, fmt, clause)
            return self.pool.answer(query, fmt, clause, client=client, seconds=seconds)
        except QueryError as error:
            raise query.placed(error) from error

    def explain(
        self, query: sparql.Query, dataset: DatasetClause | None = None, *, client: str = ""
    ) -> Explanation:
        """Why a query answers nothing; see ``explain.explain``.

        Args:
            query: from ``ClusterGraph.parse``.
            dataset: what the protocol's parameters say.
            client: who asks.

        Raises:
            QueryError, UsageError: the query is wrong, or cannot be explained.
            OverloadedError, StoreError: nothing can be asked now.
        """
        probed = _Probed(self, dataset or store.STORED_DATASET, client)
        try:
            return explain.explain(query, probed, self.prefixes)
        except QueryError as error:
            raise query.placed(error) from error

    def describe(self, iri: str) -> list[ox.Quad]:
        """What the graph says of a thing, graph by graph; see ``pages.document``.

        Empty if it says nothing.

        Raises:
            UsageError: the text is not an IRI.
        """
        try:
            ox.NamedNode(iri)
        except ValueError as error:
            raise UsageError(f"{iri!r} is not an IRI.") from error
        return pages.document(self.store, self.graphs, iri)


@dataclass(frozen=True)
class _Probed:
    """A release that is asked short questions for somebody."""

    release: OpenRelease
    dataset: DatasetClause
    client: str

    def answer(
        self, query: sparql.Query, fmt: rdf.Format, dataset: DatasetClause = store.STORED_DATASET
    ) -> Answer:
        """See ``Backend.answer``."""
        return self.release.answer(
            query, fmt, dataset or self.dataset, client=self.client, seconds=_PROBE
        )

    def select(self, query: sparql.Query) -> list[store.Row]:
        """See ``Backend.select``."""
        return store.rows(b"".join(self.answer(query, rdf.JSON)))

    def close(self) -> None:
        """The release stays open."""


class Reader:
    """Keeps the current release open, and some others that were asked for."""

    def __init__(
        self, archive: Archive, settings: Settings, *, public: bool, engine: Engine | None = None
    ) -> None:
        """Open nothing yet.

        Args:
            archive: the releases.
            settings: of the project.
            public: queries come from strangers: they run in workers of their own.
            engine: what holds the current release; None: it is read here, as all others are.
        """
        self._archive = archive
        self._engine = engine
        self._settings = settings
        self._public = public
        self._current: OpenRelease | None = None
        self._replica: Replica | None = None
        self._others: OrderedDict[tuple[int, bool], OpenRelease] = OrderedDict()
        self._opening = threading.Lock()
        self._noticing = threading.Lock()
        self._refreshing: threading.Thread | None = None
        self._failed: tuple[int, float] = (0, 0.0)

    def release(self, number: int | None = None, *, restricted: bool = False) -> OpenRelease:
        """A release, open for reading.

        Args:
            number: None: the current one. Where strangers ask, one that another process published
                is opened meanwhile, and shown as soon as it is open.
            restricted: show what is restricted too.

        Raises:
            NotFoundError: nothing was built yet, or there never was such a release.
            GoneError: it is not kept any more.
            CorruptedError: the release on disk is damaged.
        """
        current = self._archive.current_number()
        if current is None:
            raise NotFoundError(
                f"There is no release in {self._settings.variable} yet.",
                hint="Make one with: clustergraph build",
            )
        if restricted or number not in {None, current}:
            return self._other(number or current, restricted=restricted, current=current)
        return self._newest(current) if number is not None else self._shown(current)

    def _shown(self, current: int) -> OpenRelease:
        """The release that is shown to who names none, where that number is the current one."""
        held = self._current
        if held is None or not self._public:
            return self._newest(current)
        if held.manifest.number != current:
            self._refresh_soon(current)
        return self._current or held

    def number(self) -> int | None:
        """The number of the release that is shown now; None if there is none."""
        current = self._archive.current_number()
        return None if current is None else self._shown(current).manifest.number

    def refresh(self) -> None:
        """Show the newest release from now on, where one is shown already."""
        current = self._archive.current_number()
        if self._current is not None and current is not None:
            self._newest(current)

    def _refresh_soon(self, number: int) -> None:
        """Open a release that another process published, while the one before goes on.

        Who notices it first waits for it a moment; nobody else does. One that cannot be opened is
        tried again after a while.
        """
        failed, moment = self._failed
        if failed == number and time.monotonic() - moment < _AGAIN:
            return
        with self._noticing:
            if self._refreshing is not None and self._refreshing.is_alive():
                return
            self._refreshing = threading.Thread(
                target=self._refresh, args=(number,), name="refresh", daemon=True
            )
            self._refreshing.start()
        self._refreshing.join(_MOMENT)

    def _refresh(self, number: int) -> None:
        try:
            self._newest(number)
        except ClusterGraphError as error:
            self._failed = (number, time.monotonic())
            sys.stderr.write(f"Release {number} cannot be shown: {error}\n")

    def _newest(self, number: int) -> OpenRelease:
        held = self._current
        if held is None or held.manifest.number != number:
            with self._opening:
                held = self._current
                if held is None or held.manifest.number != number:
                    former, held = held, self._opened(number, current=True)
                    self._current = held
                    if former is not None:
                        former.store.close()
                        if former.pool is not None:
                            former.pool.retire()
        return held

    def _other(self, number: int, *, restricted: bool, current: int) -> OpenRelease:
        manifest = self._archive.manifest(number)  # be it open: 410 from the moment it is thinned
        restricted = restricted and manifest.restricted
        if not restricted and number == current:
            return replace(self._newest(number), restricted=True)
        with self._opening:
            key = (number, restricted)
            held = self._others.pop(key, None)
            if held is None:
                held = self._opened(number, restricted=restricted, current=number == current)
            self._others[key] = held
            while len(self._others) > _OTHERS:
                _key, oldest = self._others.popitem(last=False)
                if oldest.pool is not None:
                    oldest.pool.retire()
        return held

    def _opened(self, number: int, *, current: bool, restricted: bool = False) -> OpenRelease:
        manifest = self._archive.manifest(number)
        if manifest.base != self._settings.base:
            raise SettingsError(
                f"Release {number} was built with the base {manifest.base}, "
                f"not {self._settings.base}.",
                hint="Build again with: clustergraph build",
            )
        folder = self._archive.path(number) / (FULL if restricted else PUBLIC)
        held, pool = self._backends(
            folder, manifest, self._former(manifest, current=current, restricted=restricted),
            current=current, restricted=restricted,
        )  # fmt: skip
        return OpenRelease(
            manifest,
            held,
            pool,
            queries.read_folder(
                self._settings.project / "queries",
                written_base=self._settings.written_base,
                base=self._settings.base,
            ),
            prefixes(self._settings.base),
            restricted=restricted,
            index=self._index(number),
        )

    def _former(
        self, manifest: Manifest, *, current: bool, restricted: bool
    ) -> tuple[QueryPool, list[Path]] | None:
        """The workers of the release that is shown, and the changes that lead from it to another.

        None if there are none, or the changes are too many to be worth it.
        """
        held = self._current
        if held is None or not isinstance(held.pool, QueryPool) or restricted or not current:
            return None
        try:
            deltas = self._deltas(held.manifest, manifest)
        except (NotFoundError, CorruptedError):
            return None
        return (held.pool, deltas) if deltas is not None else None

    def _deltas(self, old: Manifest, new: Manifest) -> list[Path] | None:
        """The changes that lead from a release to another; None if there are too many of them.

        Or if one names a blank node: in memory those have other names.

        Raises:
            NotFoundError, CorruptedError: a change cannot be read.
        """
        deltas: list[Path] = []
        changed, number = 0, new.number
        while number > old.number:
            step = manifests.read(self._archive.record(number))
            deltas.insert(0, self._archive.record(number) / DELTA)
            changed += step.added + step.removed
            number = step.parent or 0
        whole = number == old.number and changed <= _FEW
        return deltas if whole and not any(patch.mentions(each, b"_:") for each in deltas) else None

    def _index(self, number: int) -> Index | None:
        path = self._archive.path(number) / search.NAME
        return Index(path) if path.exists() else None

    def _backends(
        self,
        folder: Path,
        manifest: Manifest,
        former: tuple[QueryPool, list[Path]] | None,
        *,
        current: bool,
        restricted: bool,
    ) -> tuple[Backend, QueryPool | EngineQueries | None]:
        """What answers queries of our own, and those of strangers.

        A small release is held in this process too, which is faster; what is restricted never is.
        One that changed little is there at once: its workers share the memory of those before, and
        the copy in this process follows.
        """
        if self._engine is not None and current and (self._engine.has_everything or not restricted):
            published = self._engine.published(manifest, everything=restricted)
            limits = self._limits(current=current)
            return published, EngineQueries(published, limits) if self._public else None
        if not (self._public or restricted):
            return EmbeddedStore.open(folder, manifest.quads), None
        if former is not None:
            merged = self._settings.default_graph == "merge"
            heir = former[0].successor(folder, former[1], merged=merged)
            if heir is not None:
                return self._followed(manifest, former[1], heir), heir
        self._replica = None if current else self._replica
        if restricted or manifest.quads > _SMALL:
            pool = QueryPool(folder, self._limits(current=current))
            return OwnQueries(pool), pool
        with ThreadPoolExecutor(1) as beside:
            copy = beside.submit(opened, folder, manifest.quads)
            pool = QueryPool(folder, self._limits(current=current))
            try:
                replica = Replica(copy.result(), manifest.number)
            except BaseException:
                pool.close()
                raise
        if current:
            self._replica = replica
        return replica.view(manifest.number, OwnQueries(pool)), pool

    def _followed(self, manifest: Manifest, deltas: Sequence[Path], pool: QueryPool) -> Backend:
        """What answers queries of our own in a release that changed little."""
        workers = OwnQueries(pool)
        if self._replica is None or manifest.quads > _SMALL:
            self._replica = None
            return workers
        merged = self._settings.default_graph == "merge"
        try:
            self._replica.advance(manifest.number, deltas, merged=merged)
        except CorruptedError:
            self._replica = None
            return workers
        return self._replica.view(manifest.number, workers)

    def _limits(self, *, current: bool) -> Limits:
        settings = self._settings
        return Limits(
            time=settings.query_seconds,
            memory=settings.query_memory << 20,
            answer=settings.max_answer << 20,
            in_memory=settings.in_memory,
            fast=settings.fast_lane if current else 1,
            slow=settings.slow_lane if current else 1,
            per_client=settings.per_client,
            budget=settings.client_budget,
        )

    def close(self) -> None:
        """End the query workers."""
        refreshing = self._refreshing
        if refreshing is not None:
            refreshing.join()
        with self._opening:
            for each in (self._current, *self._others.values()):
                if each is not None and each.pool is not None:
                    each.pool.close()
            self._current = None
            self._others.clear()


def export(
    archive: Archive, release: OpenRelease, fmt: rdf.RdfFormat, graph: str | None = None
) -> Iterator[bytes]:
    """The whole public graph of a release, or one named graph, in ``fmt``.

    Formats that can name graphs get all named graphs, the others the merge.

    Raises:
        NotFoundError: there is no such graph.
    """
    if graph is not None and graph not in release.manifest.graphs:
        raise NotFoundError(
            f"There is no graph <{graph}>.",
            hint="Graphs: " + ", ".join(release.manifest.graphs),
        )
    folder = archive.path(release.manifest.number) / PUBLIC
    quads: Iterable[ox.Quad] = ox.Store.read_only(str(folder)).quads_for_pattern(
        None, None, None, ox.NamedNode(graph) if graph else None
    )
    if graph is None:
        quads = (
            quad
            for quad in quads
            if isinstance(quad.graph_name, ox.DefaultGraph) is not fmt.dataset
        )
    yield rdf.serialise(quads, fmt, release.prefixes)
