"""History: what changed between any two releases, and in the life of one thing, from the deltas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import patch
from clustergraph.errors import GoneError, NotFoundError
from clustergraph.patch import Patch
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import DELTA, RESTRICTED, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest


@dataclass(frozen=True)
class Version:
    """What one release changed in a thing."""

    manifest: Manifest
    patch: Patch


def delta(archive: Archive, number: int, *, restricted: bool = False) -> Patch:
    """What a release changed against its parent.

    Args:
        archive: where it is.
        number: of the release, be it thinned.
        restricted: whether the restricted part is wanted too.

    Raises:
        NotFoundError: there never was such a release.
        CorruptedError: the file is damaged.
    """
    return _stored(archive, number, DELTA, restricted=restricted)


def _stored(archive: Archive, number: int, name: str, *, restricted: bool) -> Patch:
    folder = archive.record(number)
    files = manifests.read(folder).files
    found = patch.read(folder / name) if name in files else Patch()
    hidden = f"{RESTRICTED}{name}"
    return found.then(patch.read(folder / hidden)) if restricted and hidden in files else found


def diff(archive: Archive, old: int, new: int, *, restricted: bool = False) -> Patch:
    """What makes the release ``new`` out of ``old``: the deltas on the way, put together.

    Raises:
        NotFoundError: there never was such a release.
        GoneError: what lies between them was taken away.
        CorruptedError: a delta is damaged.
    """
    back, forth = _ancestry(archive, old), _ancestry(archive, new)
    common = next((number for number in back if number in forth), None)
    result = Patch()
    for number in back:
        if number == common:
            break
        result = result.then(delta(archive, number, restricted=restricted).inverse())
    forward = forth[: forth.index(common)] if common is not None else forth
    for number in reversed(forward):
        result = result.then(delta(archive, number, restricted=restricted))
    return result


def content(archive: Archive, number: int) -> frozenset[ox.Quad]:
    """All quads of a release, put together from the deltas since the first; its store is not read.

    Raises:
        CorruptedError: a delta is damaged.
        GoneError: the history was taken away.
    """
    result = Patch()
    for each in reversed(_ancestry(archive, number)):
        result = result.then(delta(archive, each, restricted=True))
    return result.added


def _ancestry(archive: Archive, number: int) -> list[int]:
    """A release, its parent, and so on to the first."""
    line = [number]
    parent = manifests.read(archive.record(number)).parent
    while parent is not None:
        line.append(parent)
        try:
            parent = manifests.read(archive.record(parent)).parent
        except NotFoundError as error:
            raise GoneError(f"The history before release {parent} was taken away.") from error
    return line


def written(archive: Archive, manifest: Manifest) -> Patch:
    """What was written beside the files up to a release: a build carries it over.

    Computed graphs are among it as they changed; whoever uses it leaves them out.

    Raises:
        CorruptedError: a delta is damaged.
    """
    result = _stored(archive, manifest.built, WRITTEN, restricted=True)
    if manifest.number == manifest.built:
        return result
    return result.then(diff(archive, manifest.built, manifest.number, restricted=True))


def versions(archive: Archive, iri: str) -> Iterator[Version]:
    """The releases that changed what is said of a thing and of its parts, the newest first.

    Raises:
        CorruptedError: a delta is damaged.
    """
    needle = iri.encode()

    def about(quad: ox.Quad) -> bool:
        value = getattr(quad.subject, "value", "")
        return value == iri or str(value).startswith(iri + "#")

    for manifest in archive.history():
        path = archive.record(manifest.number) / DELTA
        if DELTA in manifest.files and patch.mentions(path, needle):
            found = patch.read(path).where(about)
            if found:
                yield Version(manifest, found)
