"""The quality of a release, computed once, and what each release brought and mended."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.quality.measures import Measures, measured
from clustergraph.quality.reports import Found, Reports

if TYPE_CHECKING:
    from clustergraph.releases import Archive, Manifest
    from clustergraph.settings import Settings
    from clustergraph.store import Backend

_HELD = 4
_SEVERITIES = ("Violation", "Warning", "Info")


@dataclass(frozen=True)
class Change:
    """What became of the findings in a release."""

    manifest: Manifest
    came: tuple[Found, ...] | None
    """New findings; None where a report that is needed to know is not kept."""
    mended: tuple[Found, ...] | None

    @property
    def is_news(self) -> bool:
        """Whether something came or was mended."""
        return bool(self.came or self.mended)


@dataclass(frozen=True)
class Quality:
    """Where a release stands."""

    manifest: Manifest
    findings: tuple[Found, ...]
    """The gravest first."""
    measures: Measures

    @property
    def rules(self) -> list[tuple[str, str, str, int]]:
        """Rule, severity, shape and number of findings, the gravest first, then the most."""
        counts = Counter((each.rule, each.severity, each.shape) for each in self.findings)
        return sorted(
            ((*key, number) for key, number in counts.items()),
            key=lambda each: (_rank(each[1]), -each[3], each[0], each[2]),
        )


class Standing:
    """The quality of the releases of one project."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self._archive = archive
        self._settings = settings
        self._reports = Reports(archive)
        self._held: OrderedDict[str, Quality] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, manifest: Manifest, public: Backend) -> Quality:
        """The quality of a release that is kept.

        Args:
            manifest: of the release.
            public: its public store.

        Raises:
            StoreError: it cannot be read.
        """
        with self._lock:
            found = self._held.get(manifest.etag)
            if found is None:
                findings = sorted(
                    self._reports.of(manifest.number), key=lambda each: (_rank(each.severity), each)
                )
                found = Quality(manifest, tuple(findings), measured(public, self._settings))
                self._held[manifest.etag] = found
                while len(self._held) > _HELD:
                    self._held.popitem(last=False)
            return found

    def history(self) -> list[Change]:
        """What became of the findings, release by release, the newest first.

        Raises:
            CorruptedError: a report cannot be read.
        """
        with self._lock:
            kept = set(self._archive.numbers())
            self._reports.keep(kept)
            return [self._change(each, kept) for each in self._archive.history()]

    def _change(self, manifest: Manifest, kept: set[int]) -> Change:
        parent = manifest.parent
        if manifest.number not in kept or (parent is not None and parent not in kept):
            return Change(manifest, None, None)
        now = self._reports.of(manifest.number)
        before = self._reports.of(parent) if parent is not None else frozenset[Found]()
        return Change(manifest, tuple(sorted(now - before)), tuple(sorted(before - now)))


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
