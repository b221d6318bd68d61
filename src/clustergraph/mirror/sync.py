"""One run of a mirror: read what is new, put it together, check it, publish it as a release.

Every member tells the whole of a thing, so that reading one twice does no harm: a run that was
killed anywhere is simply made again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import patch, project, rdf, validation
from clustergraph.errors import CorruptedError, GoneError, SourceError, StoreError, TooLargeError
from clustergraph.mirror.spool import Memory, Spool
from clustergraph.mirror.stream import Change, Page, Release, Stream, stream_of
from clustergraph.releases import Pipeline
from clustergraph.releases.candidate import Candidate, Record, digest_of
from clustergraph.store.embedded import as_stored
from clustergraph.writing import uploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.mirror.fetch import Client, Fetched
    from clustergraph.releases import Archive, Manifest
    from clustergraph.settings import Settings

_PAGES = 1_000_000
"""Pages after which a stream is held to have no end."""
_AGAIN = 3  # times that a run begins anew because the origin did
_WAIT = 60.0
_ANY = 1 << 62


@dataclass(frozen=True)
class Synchronised:
    """What a run came to."""

    manifest: Manifest | None
    """The release here; None if the stream is empty and nothing was published yet."""
    fresh: bool
    """Whether it was published by this run."""
    origin: int
    """The origin's release that it is equal to; 0 where the stream tells of none."""
    pages: int
    """Pages that were read."""


@dataclass
class _Read:
    """What a run has read."""

    changes: dict[rdf.Subject, Change]
    releases: dict[int, Release]
    last: dict[str, int]
    """The newest release on each page that never changes."""
    etags: dict[str, str]
    pages: int = 0


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


class Mirror:
    """Keeps the releases of a project in step with a stream."""

    def __init__(
        self,
        url: str,
        client: Client,
        archive: Archive,
        settings: Settings,
        progress: Callable[[str], None] = _quiet,
    ) -> None:
        self._url, self._client = url, client
        self._archive, self._settings = archive, settings
        self._progress = progress
        self._spool = Spool(settings.variable)

    def run(self) -> Synchronised:
        """Bring the mirror to where the stream is.

        Raises:
            SourceError: the stream cannot be understood.
            TooLargeError: it has more than is held in memory.
            CorruptedError: what it tells is not what it says that it is; nothing is published.
            StoreError: the origin does not answer, or nothing can be written.
        """
        for _ in range(_AGAIN):
            try:
                return self._run(self._spool.memory(self._url))
            except _Restarted:
                self._spool.clear()
            except CorruptedError:
                if not self._spool.memory(self._url).release:
                    raise
                self._spool.remember(Memory(url=self._url))  # once more, from its beginning
        raise StoreError(f"{self._url} begins anew again and again.", hint="Try again in a while.")

    def _run(self, memory: Memory) -> Synchronised:
        current = self._archive.current()
        if current is None and memory.retention is not None:
            memory = Memory(url=self._url)  # the releases were removed
        answer = self._client.get(self._url, etag=memory.etags.get(self._url, ""))
        if answer.status == 304:
            return Synchronised(current, False, memory.release, 0)
        stream, root = read_stream(self._client, answer, self._settings)
        lost = memory.retention is None
        anew = lost or stream.retention != memory.retention
        if anew:
            memory = Memory(url=self._url, retention=stream.retention)
        found = self._read(stream, root, memory)
        if answer.etag and (stream.base or not root.nodes()):
            found.etags[self._url] = answer.etag
        wanted = max(found.releases.values(), key=lambda each: each.number, default=None)
        if stream.base and wanted is None:
            wanted = Release(memory.release, memory.digest, 0) if memory.release else None
        manifest, fresh = self._publish(stream, found, wanted, anew=anew, lost=lost)
        newest = wanted.number if wanted else 0
        memory.release, memory.digest = newest, wanted.digest if wanted else ""
        whole = [url for url, last in found.last.items() if not stream.base or last <= newest]
        memory.done = sorted({*memory.done, *whole})
        memory.etags = found.etags
        orders = [each.order for each in found.changes.values()]
        memory.latest = max([memory.latest, *orders])
        self._spool.remember(memory)
        return Synchronised(manifest, fresh, newest, found.pages)

    # -- reading -------------------------------------------------------------------------------

    def _read(self, stream: Stream, root: Page, memory: Memory) -> _Read:
        """All that is new: pages that were read before and never change are passed by."""
        found = _Read({}, {}, {}, {})
        done = set(memory.done)
        seen = {root.url, *done}
        never: set[str] = set()
        waiting = deque([root])
        changes: list[Change] = []
        size = 0
        while waiting:
            page = waiting.popleft()
            told = list(stream.changes(page))
            changes += told
            size += sum(len(each.quads) for each in told)
            if size > self._settings.in_memory:
                raise TooLargeError(
                    f"{self._url} has more than {self._settings.in_memory} statements.",
                    hint="Set query.in-memory in the mirror's clustergraph.toml, if there is room.",
                )
            if page.url in never:
                found.last[page.url] = max((each.order[1] for each in told), default=0)
            found.releases |= {each.number: each for each in page.releases()}
            for node in page.nodes():
                if node in seen:
                    continue
                seen.add(node)
                if len(seen) > _PAGES:
                    raise SourceError(self._url, f"has more than {_PAGES} pages.")
                self._progress(f"page {found.pages + 1}")
                inside = self._page(node, stream, memory, found, never)
                if inside is not None:
                    waiting.append(inside)
        newest = max(found.releases, default=0) if stream.base else _ANY
        for each in changes:
            if each.order[1] > newest:
                continue  # of a release whose end was not there yet: the next run reads it
            if not stream.base and each.order < memory.latest:
                continue  # read before; what is newer may stand on a page that is passed by now
            former = found.changes.get(each.thing)
            if former is None or former.order <= each.order:
                found.changes[each.thing] = each
        return found

    def _page(
        self, url: str, stream: Stream, memory: Memory, found: _Read, never: set[str]
    ) -> Page | None:
        """A page that a relation leads to; None if there is nothing new on it.

        Its address is put among those that never change, if it is one of them.
        """
        kept = self._spool.page(url)
        if kept is not None:
            never.add(url)
            return Page(ox.parse(kept, ox.RdfFormat.N_QUADS), url)
        found.pages += 1
        try:
            answer = self._client.get(url, etag=memory.etags.get(url, ""))
        except GoneError as error:
            if stream.base:  # what was forgotten there has taken the whole stream with it
                raise _Restarted from error
            return None
        if answer.status == 304:
            found.etags[url] = memory.etags[url]
            return None
        quads = _quads(answer, self._settings)
        page = Page(quads, url)
        if answer.immutable or page.is_immutable():
            self._spool.keep(url, ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"")
            never.add(url)
        elif answer.etag and not page.nodes() and "timestampPath" in stream.paths:
            found.etags[url] = answer.etag
        return page

    # -- publishing ----------------------------------------------------------------------------

    def _publish(
        self, stream: Stream, found: _Read, wanted: Release | None, *, anew: bool, lost: bool
    ) -> tuple[Manifest | None, bool]:
        """A release with what was read, if that changes anything and is what the origin has.

        Where the stream begins anew, so does the mirror: what the origin forgot stays in no
        earlier release. If only the memory of it is lost, and all is as it should be, nothing is
        published.
        """
        self._progress("publishing")
        archive, settings = self._archive, self._settings
        with archive.writing("mirror", wait=_WAIT):
            number = archive.current_number()
            current = None if number is None else archive.manifest(number)
            begins = current is None or anew
            if begins:
                candidate = Candidate.empty(archive, settings)
            else:
                candidate = Candidate.fork(archive, settings, current)  # type: ignore[arg-type]  # there is one
            try:
                change = self._difference(stream, candidate, found)
                candidate.apply(change)
                candidate.drop_empty_graphs()
                if wanted is not None:
                    self._check(candidate, wanted)
                if not change and current is not None and not begins:
                    candidate.discard()
                    return current, False
                before = set[ox.Quad]()
                if begins and current is not None:
                    if lost and wanted is not None and current.digest == wanted.digest:
                        candidate.discard()
                        return current, False
                    before = Pipeline(archive, settings).quads_of(current)
                if begins and current is not None:
                    archive.forgetting(archive.next_number()).mkdir(exist_ok=True)
                what = f"release {wanted.number} of " if wanted else ""
                manifest = candidate.publish(
                    [Record(kind="forget" if begins and current else "mirror",
                            who=self._url, why=f"As {what}{self._url}")],
                    report=validation.Report().to_turtle(),
                    findings=validation.Report().counts(),
                    fingerprint=project.fingerprint(settings),
                    delta=patch.between(before, candidate.quads()) if begins else None,
                    written=candidate.patch if begins else None,
                )  # fmt: skip
                archive.finish_forgetting()
                archive.thin(settings.keep, settings.keep_days)
            except BaseException:
                candidate.discard()
                raise
        return manifest, True

    def _difference(self, stream: Stream, candidate: Candidate, found: _Read) -> patch.Patch:
        """What makes the things as the members tell them out of those that are there."""
        store = candidate.everything
        old: set[ox.Quad] = set()
        new: list[ox.Quad] = []
        for thing, change in found.changes.items():
            if stream.base:
                known = store.quads_for_pattern(thing, None, None, None)
            else:
                known = store.quads_for_pattern(None, None, None, thing)
            old |= {quad for quad in known if not self._is_merge(quad)}
            new += change.quads
        return patch.between(old, as_stored(new))

    def _is_merge(self, quad: ox.Quad) -> bool:
        return self._settings.default_graph == "merge" and isinstance(
            quad.graph_name, ox.DefaultGraph
        )

    @staticmethod
    def _check(candidate: Candidate, wanted: Release) -> None:
        digest, count = digest_of(candidate.quads())
        if digest.lower() != wanted.digest.lower():
            raise CorruptedError(
                f"What the feed tells is not release {wanted.number} of the origin: "
                f"{count} quads came together, of {wanted.quads}, and their digest is another.",
                hint="Nothing was published. Tell whoever publishes the feed.",
            )


class _Restarted(Exception):  # noqa: N818  not an error: the origin began anew meanwhile
    """The stream that was being read is no more."""


def read_stream(client: Client, answer: Fetched, settings: Settings) -> tuple[Stream, Page]:
    """The stream that an answer tells of, and its root page.

    Raises:
        SourceError: it is none.
    """
    page = Page(_quads(answer, settings), answer.url)
    stream, root = stream_of(page)
    if root != page.url:
        found = client.get(root)
        page = Page(_quads(found, settings), found.url)
        if found.url != root:  # a redirect: what it says of itself it says of where it is
            page.url = root
        stream, _root = stream_of(page)
    return stream, page


def _quads(answer: Fetched, settings: Settings) -> list[ox.Quad]:
    """What a page says, parsed within bounds; no context is fetched for it."""
    received = uploads.received(
        answer.body, answer.content_type, settings,
        encoding=answer.encoding, base=answer.url, name=answer.url,
    )  # fmt: skip
    return rdf.parse(received.payload, received.fmt, base=received.base, name=answer.url)
