"""Backup, restore, verification: real copies, and the proof that they are what was written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import (
    ClusterGraphError,
    CorruptedError,
    NotFoundError,
    UsageError,
)
from clustergraph.releases import history
from clustergraph.releases import manifest as manifests
from clustergraph.releases.archive import Archive, sync_folder
from clustergraph.releases.candidate import FULL, PUBLIC, RESTRICTED, digest_of, stated
from clustergraph.store.embedded import store_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clustergraph.releases.manifest import Manifest


def backup(archive: Archive, target: Path, *, public: bool = False) -> list[int]:
    """Copy all releases that are kept, with their history, into a new folder.

    Readers and the server go on; nothing in the copy shares bytes on disk with the original.

    Args:
        archive: what is copied.
        target: the folder; must not exist, or be empty.
        public: leave out everything that is restricted, so that the copy can be given away.

    Raises:
        UsageError: the target holds something.
        NotFoundError: there is no release.
        StoreError: something could not be read or written; the target is removed.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty.", hint="Name a new folder.")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with archive.snapshot() as source:
            _copy(source.folder, part, public=public)
            numbers = source.numbers()
        _sync_all(part)
        if target.exists():
            target.rmdir()
        part.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise store_error(error, target) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return numbers


def _copy(source: Path, target: Path, *, public: bool) -> None:
    """Copy a tree; files that share an inode there share one here."""
    copied: dict[tuple[int, int], Path] = {}
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = FULL in name.parts or path.name.startswith(RESTRICTED)
        if path.is_dir() or (public and hidden):
            continue
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        if public and path.name == manifests.NAME:
            _write_public(path, place)
        elif key in copied:
            os.link(copied[key], place)
        else:
            shutil.copy2(path, place)
            copied[key] = place


def _write_public(source: Path, target: Path) -> None:
    """A manifest that tells nothing of what is restricted."""
    manifest = manifests.read(source.parent)
    files = {
        name: entry
        for name, entry in manifest.files.items()
        if not name.startswith((f"{FULL}/", RESTRICTED))
    }
    told = replace(manifest, restricted=False, restricted_graphs={}, restricted_why="", files=files)
    target.write_text(told.to_json(), encoding="utf-8")


def _sync_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)


def restore(
    source: Path,
    archive: Archive,
    *,
    merged: bool,
    replace_all: bool = False,
    prepare: Callable[[Archive], None] = lambda _: None,
) -> list[int]:
    """Put a backup in the place of the releases; it is verified first.

    Args:
        source: the folder that ``backup`` made.
        archive: where it goes.
        merged: whether default graphs are merges.
        replace_all: whether releases that are there may go.
        prepare: called with the copy before it takes their place.

    Raises:
        UsageError: there are releases already.
        NotFoundError: the source is no backup.
        CorruptedError: the backup is damaged; nothing was changed.
        StoreError: it could not be written; what was there is as it was.
    """
    copy = Archive(source)
    if not copy.numbers():
        raise NotFoundError(f"{source} holds no releases.")
    for number, problems in verify(copy, merged=merged):
        if problems:
            raise CorruptedError(f"The backup's release {number} is damaged: {problems[0]}")
    with archive.writing("restore"):
        if archive.numbers() and not replace_all:
            raise UsageError(
                f"{archive.folder} holds releases already.",
                hint="Name another folder with --var, or give --replace to let them go.",
            )
        part = archive.folder / ".restored"
        shutil.rmtree(part, ignore_errors=True)
        try:
            _copy(source, part, public=False)
            prepare(Archive(part))
            _sync_all(part)
            archive.take_over(part)
        except ClusterGraphError:
            shutil.rmtree(part, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise store_error(error, archive.folder) from error
        return archive.numbers()


def verify(
    archive: Archive, *, merged: bool, progress: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[int, list[str]]]:
    """Compare every release that is kept with its manifest, byte by byte and quad by quad.

    Args:
        archive: the releases.
        merged: whether default graphs are merges.
        progress: called before each release.

    Yields:
        The number of each release, and what is wrong with it.
    """
    for number in archive.numbers():
        progress(f"release {number}")
        try:
            problems = list(_problems(archive, manifests.read(archive.path(number)), merged=merged))
        except (ClusterGraphError, OSError, RuntimeError) as error:
            problems = [getattr(error, "message", str(error))]
        yield number, problems
    current = archive.current_number()
    if current is not None and current not in archive.numbers():
        yield current, ["is the current release, but is not there"]


def _problems(archive: Archive, manifest: Manifest, *, merged: bool) -> Iterator[str]:
    folder = archive.path(manifest.number)
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
            continue
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if f"{path.stat().st_size}:{found}" != entry:
            yield f"{name} is not as it was written"
    stores = {PUBLIC: manifest.graphs}
    if manifest.restricted:
        stores[FULL] = {**manifest.graphs, **manifest.restricted_graphs}
    for name, graphs in stores.items():
        yield from _store_problems(folder / name, manifest, graphs, merged=merged)
    delta = history.delta(archive, manifest.number)
    # a damaged parent is told of itself; one that a release forgot something of is about to go
    with contextlib.suppress(OSError, RuntimeError):
        if manifest.parent in archive.numbers() and manifest.kind != "forget":
            parent = ox.Store.read_only(str(archive.path(manifest.parent or 0) / PUBLIC))
            if digest_of(delta.applied(stated(parent, merged)))[0] != manifest.digest:
                yield f"its delta does not make it out of release {manifest.parent}"


def _store_problems(
    folder: Path, manifest: Manifest, graphs: dict[str, int], *, merged: bool
) -> Iterator[str]:
    store = ox.Store.read_only(str(folder))
    sizes: dict[str, int] = dict.fromkeys(graphs, 0)
    named: list[ox.Quad] = []
    default: set[ox.Triple] = set()
    for quad in store:
        if isinstance(quad.graph_name, ox.DefaultGraph):
            default.add(quad.triple)
        else:
            sizes[quad.graph_name.value] = sizes.get(quad.graph_name.value, 0) + 1
            named.append(quad)
    if sizes != graphs:
        yield f"{folder.name}: the sizes of its graphs are not those of the manifest"
    if merged and default != set(rdf.triples(named)):
        yield f"{folder.name}: its default graph is not the merge of its graphs"
    if folder.name == PUBLIC:
        if len(default) != manifest.triples:
            yield f"its default graph has {len(default)} triples instead of {manifest.triples}"
        whole = named if merged else [*named, *(ox.Quad(*triple) for triple in default)]
        if digest_of(whole)[0] != manifest.digest:
            yield "its content has another digest than the manifest says"
