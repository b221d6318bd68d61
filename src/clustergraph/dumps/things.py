"""The things of a release and the day on which each was last changed: for the map of the site."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.errors import CorruptedError, NotFoundError
from clustergraph.releases import manifest as manifests
from clustergraph.releases.candidate import DELTA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from clustergraph.releases import Archive

FILE = "things-{}.tsv"
"""Path under the base and time of the last change, line by line."""
MOST = 50_000
"""Addresses in one file of a site map (sitemaps.org)."""


@dataclass(frozen=True)
class Part:
    """One file."""

    number: int
    """How many things."""
    modified: str
    """When the last of them was changed."""


def write(
    lines: Iterable[bytes], base: str, modified: dict[bytes, str], created: str, folder: Path
) -> tuple[list[Part], Counter[str]]:
    """Write the things that lines describe; gives the files, and how many there are of each kind.

    Args:
        lines: N-Quads, sorted.
        base: things stand under ``id/`` below it.
        modified: when each was last changed; see ``changes``.
        created: when the others were, that is, since it is not known.
        folder: where the files go.
    """
    parts: list[Part] = []
    kinds: Counter[str] = Counter()
    waiting: list[tuple[str, str]] = []

    def put() -> None:
        path = folder / FILE.format(len(parts) + 1)
        path.write_text("".join(f"{each}\t{day}\n" for each, day in waiting), encoding="utf-8")
        parts.append(Part(len(waiting), max(day for _each, day in waiting)))
        waiting.clear()

    for thing in _things(lines, base):
        path = thing.decode().removeprefix(base)
        kinds[path.split("/")[1]] += 1
        waiting.append((path, modified.get(thing, created)))
        if len(waiting) == MOST:
            put()
    if waiting:
        put()
    return parts, kinds


def _things(lines: Iterable[bytes], base: str) -> Iterator[bytes]:
    """The subjects under ``id/`` that are no parts of others, each once."""
    start, before = f"<{base}id/".encode(), b""
    for line in lines:
        if not line.startswith(start):
            continue
        subject = line[1 : line.index(b">")]
        if b"#" not in subject and subject != before and b"/" in subject[len(start) - 1 :]:
            before = subject
            yield subject


def changes(archive: Archive, base: str, newest: int) -> dict[bytes, str]:
    """When each thing was last changed: the release in which it, or a part of it, did so.

    Args:
        archive: the releases and their history.
        base: things stand under ``id/`` below it.
        newest: the release that is looked back from.
    """
    found: dict[bytes, str] = {}
    start = f"<{base}id/".encode()
    for number in reversed([each for each in archive.known() if each <= newest]):
        try:
            folder = archive.record(number)
            created = manifests.read(folder).created
            with gzip.open(folder / DELTA) as lines:
                for line in lines:
                    rest = line[2:]  # behind the mark
                    if rest.startswith(start):
                        thing = rest[1 : rest.index(b">")].partition(b"#")[0]
                        found.setdefault(thing, created)
        except (NotFoundError, CorruptedError, OSError, EOFError):
            continue  # thinned meanwhile, or damaged: what comes before it tells
    return found
