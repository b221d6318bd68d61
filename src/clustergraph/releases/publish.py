"""Make the next release: write a candidate beside the releases, then publish it by rename.

Nothing that readers see is touched before the last step. A candidate that is given up, or whose
writer died, is a folder without manifest: the next writer removes it.
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import StoreError
from clustergraph.releases import manifest as manifests
from clustergraph.releases.archive import sync_folder
from clustergraph.releases.manifest import Manifest
from clustergraph.store.embedded import store_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from clustergraph.releases.archive import Archive
    from clustergraph.settings import Settings

PUBLIC, FULL, DELTA, REPORT = "public", "full", "delta.nq.gz", "report.ttl"


class Candidate:
    """A release in the making; to be used under ``Archive.writing``."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self.settings = settings

    def write(
        self,
        quads: Sequence[ox.Quad],
        *,
        report: bytes,
        findings: dict[str, int],
        fingerprint: str,
        who: str,
        why: str,
    ) -> Manifest:
        """Write quads as the next release and make it current.

        Args:
            quads: all quads, each in a named graph, restricted ones included.
            report: the SHACL report in Turtle.
            findings: number of findings by severity.
            fingerprint: of the sources; see ``project.fingerprint``.
            who: the person or process that publishes.
            why: the message of the change.

        Raises:
            StoreError: it could not be written; the current release is as it was.
        """
        folder = self.archive.candidate
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            return self._write(
                quads,
                report=report,
                findings=findings,
                fingerprint=fingerprint,
                who=who,
                why=why,
            )
        except (OSError, RuntimeError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise store_error(error, folder) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write(
        self,
        quads: Sequence[ox.Quad],
        *,
        report: bytes,
        findings: dict[str, int],
        fingerprint: str,
        who: str,
        why: str,
    ) -> Manifest:
        folder = self.archive.candidate
        restricted = [quad for quad in quads if self._is_restricted(quad)]
        hidden = set(restricted)
        public = [quad for quad in quads if quad not in hidden] if hidden else list(quads)
        triples = self._store(folder / PUBLIC, public)
        if restricted:
            self._store(folder / FULL, quads)
        lines = canonical_lines(public)
        added, removed = self._delta(folder, lines)
        (folder / REPORT).write_bytes(report)
        numbers = self.archive.numbers()
        number = numbers[-1] + 1 if numbers else 1
        sizes = Counter(quad.graph_name.value for quad in public)  # type: ignore[union-attr]  # named
        manifest = Manifest(
            number=number,
            parent=self.archive.current_number(),
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            who=who,
            why=why,
            base=self.settings.base,
            fingerprint=fingerprint,
            digest=digest_of(lines),
            triples=triples,
            quads=len(public),
            graphs=dict(sorted(sizes.items())),
            restricted=bool(restricted),
            added=added,
            removed=removed,
            findings=findings,
            files=_sealed(folder),
        )
        self._publish(manifest)
        return manifest

    def _is_restricted(self, quad: ox.Quad) -> bool:
        return isinstance(quad.graph_name, ox.NamedNode) and self.settings.is_restricted(
            quad.graph_name.value
        )

    def _store(self, folder: Path, quads: Sequence[ox.Quad]) -> int:
        """Write a store; gives the number of triples of its default graph."""
        store = ox.Store(str(folder))
        store.bulk_extend(quads)
        merged = 0
        if self.settings.default_graph == "merge":
            merge = dict.fromkeys(rdf.triples(quads))
            merged = len(merge)
            store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in merge)
        store.flush()
        store.optimize()
        expected = len(quads) + merged
        if len(store) != expected:
            raise StoreError(f"{folder} holds {len(store)} quads instead of {expected}.")
        return merged

    def _delta(self, folder: Path, lines: Sequence[str]) -> tuple[int, int]:
        """Write the quads added (A) and removed (D) against the parent, as RDF Patch lines."""
        parent = self.archive.current_number()
        before: set[str] = set()
        if parent is not None:
            store = ox.Store.read_only(str(self.archive.path(parent) / PUBLIC))
            before = set(
                canonical_lines(
                    quad for quad in store if not isinstance(quad.graph_name, ox.DefaultGraph)
                )
            )
        now = set(lines)
        added, removed = sorted(now - before), sorted(before - now)
        with gzip.GzipFile(folder / DELTA, "wb", mtime=0) as out:
            out.writelines(f"D {line}\n".encode() for line in removed)
            out.writelines(f"A {line}\n".encode() for line in added)
        return len(added), len(removed)

    def _publish(self, manifest: Manifest) -> None:
        folder = self.archive.candidate
        target = self.archive.path(manifest.number)
        path = folder / manifests.NAME
        path.write_text(manifest.to_json(), encoding="utf-8")
        _sync(path)
        sync_folder(folder)
        folder.rename(target)
        sync_folder(target.parent)
        self.archive.switch(manifest.number)


def canonical_lines(quads: Iterable[ox.Quad]) -> list[str]:
    """The quads as sorted N-Quads lines; blank nodes have canonical names since they were read."""
    return sorted({f"{quad} ." for quad in quads})


def digest_of(lines: Iterable[str]) -> str:
    """SHA-256 of canonical N-Quads."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _sealed(folder: Path) -> dict[str, str]:
    """Make every file below ``folder`` durable; gives size and digest of each.

    RocksDB's LOG and LOCK change at opening, so they are not sealed.
    """
    sealed: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        _sync(path)
        if path.name not in {"LOCK"} and not path.name.startswith("LOG"):
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            sealed[str(path.relative_to(folder))] = f"{path.stat().st_size}:{digest}"
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
    return sealed


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
