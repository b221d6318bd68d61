"""What the writer knows of the release that it published last, so that the next write is quick.

Inferences, counts and the report are followed from change to change, and are what working them out
anew gives. Nothing of this is needed: who has no standing works all out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import catalogue, inference, project, rdf
from clustergraph.closure import Closure
from clustergraph.errors import ClusterGraphError, StoreError
from clustergraph.patch import Patch
from clustergraph.releases.candidate import REPORT
from clustergraph.store.embedded import as_stored
from clustergraph.validation import engine
from clustergraph.validation.followed import Followed
from clustergraph.vocab import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.rdf import Term
    from clustergraph.releases.archive import Archive
    from clustergraph.releases.manifest import Manifest
    from clustergraph.settings import Settings
    from clustergraph.validation import Report

MOST = 500_000
"""Statements of a graph that is kept in memory for this."""
_UNCHECKED = frozenset({"rollback", "forget"})
"""Releases that were not held against the rules of today when they were made."""
_FOCUS, _SHAPE = (ox.NamedNode(rdf.SHACL + name) for name in ("focusNode", "sourceShape"))


class Standing:
    """The public part of a release, what is computed of it, and what was found in it."""

    def __init__(
        self,
        manifest: Manifest,
        stated: Iterable[ox.Quad],
        computed: Iterable[ox.Quad],
        told: set[tuple[str, Term]],
        settings: Settings,
    ) -> None:
        """Take up a release that rests on the files and the program of now.

        Args:
            manifest: of the release.
            stated: its public quads that somebody stated.
            computed: its other public quads.
            told: of each finding of its report, the IRI of its shape and its focus node.
            settings: of the project.

        Raises:
            UsageError: the shapes or a rule cannot be used.
            UnsupportedShapeError: a shape is beyond our engine.
            StoreError: what is inferred is not what follows.
        """
        self.manifest = manifest
        self._settings = settings
        stated, computed = list(stated), list(computed)
        shapes = ox.NamedNode(settings.iri("shapes"))
        self._inferred = ox.NamedNode(settings.iri("graph/inferred"))
        catalogued = ox.NamedNode(settings.iri(catalogue.GRAPH))
        self._closure: Closure | None = None
        self._statistics: catalogue.Statistics | None = None
        self._catalogue = {quad for quad in computed if quad.graph_name == catalogued}
        if settings.derive:
            rules = {**inference.owl_rules(settings), **project.rules(settings)}
            derived = {quad.triple for quad in computed if quad.graph_name == self._inferred}
            self._closure = Closure(set(rdf.triples(stated)), rules)
            if self._closure.derived != derived:
                raise StoreError(f"Release {manifest.number} does not hold what its rules give.")
            rest = (quad for quad in computed if quad.graph_name != catalogued)
            self._statistics = catalogue.Statistics(rdf.triples([*stated, *rest]), settings.base)
        self._followed = Followed(
            stated,
            computed,
            [quad for quad in stated if quad.graph_name == shapes],
            rules=project.dataset_rules(settings),
            base=settings.base,
            prefixes=prefixes(settings.base),
            told=told,
        )
        self._last: tuple[Patch, Patch] | None = None
        self._turned: tuple[set[ox.Triple], set[ox.Triple]] = (set(), set())

    @classmethod
    def of(
        cls,
        archive: Archive,
        manifest: Manifest,
        quads: Iterable[ox.Quad],
        settings: Settings,
    ) -> Standing | None:
        """Take up a release; None if it cannot be followed.

        Args:
            archive: where it is.
            manifest: of the release, which rests on the files and the program of now.
            quads: its public quads.
            settings: of the project.
        """
        if manifest.kind in _UNCHECKED or manifest.quads > MOST or manifest.base != settings.base:
            return None
        try:
            told = _told(archive, manifest)
            if told is None:
                return None
            stated: list[ox.Quad] = []
            computed: list[ox.Quad] = []
            for quad in quads:
                is_computed = settings.derive and catalogue.is_computed(quad, settings)
                (computed if is_computed else stated).append(quad)
            return cls(manifest, stated, computed, told, settings)
        except (ClusterGraphError, engine.UnsupportedShapeError):  # told by whoever must do it
            return None

    def follow(self, stated: Patch) -> tuple[Patch, Report] | None:
        """Follow a change.

        Args:
            stated: the public quads that are stated now, and that are not any more.

        Returns:
            What is computed now and was not, and the other way round; and the report on the whole.
            None if that can only be told from the whole; this is of no use any more then.

        Raises:
            SourceError: a rule cannot be used.
        """
        stated = Patch(as_stored(stated.added) - stated.removed, stated.removed)
        computed = self._computed(stated)
        report = self._followed.change(stated, computed)
        self._last = (stated, computed)
        return None if report is None else (computed, report)

    def keep(self, manifest: Manifest, report: Report) -> None:
        """What was followed is a release now."""
        self.manifest = manifest
        self._followed.keep(report)

    def undo(self) -> None:
        """What was followed last is none."""
        if self._last is not None:
            stated, computed = self._last
            self._back(stated, computed)

    def _back(self, stated: Patch, computed: Patch) -> None:
        self._followed.undo(stated, computed)
        if self._closure is not None and self._statistics is not None:
            come, gone = self._turned
            self._closure.change(gone, come)
            of_inferred = computed.where(self._is_inferred)
            self._statistics.change(
                added=rdf.triples([*stated.removed, *of_inferred.removed]),
                removed=rdf.triples([*stated.added, *of_inferred.added]),
            )
            self._catalogue = (self._catalogue - computed.added) | {
                quad for quad in computed.removed if not self._is_inferred(quad)
            }
        self._last = None

    def _is_inferred(self, quad: ox.Quad) -> bool:
        return quad.graph_name == self._inferred

    def _computed(self, stated: Patch) -> Patch:
        if self._closure is None or self._statistics is None:
            return Patch()
        self._turned = self._followed.turned(stated)
        come, gone = (
            frozenset(
                ox.Quad(each.subject, each.predicate, each.object, self._inferred)
                for each in triples
            )
            for triples in self._closure.change(*self._turned)
        )
        self._statistics.change(
            added=rdf.triples([*stated.added, *come]),
            removed=rdf.triples([*stated.removed, *gone]),
        )
        before = self._catalogue
        counted = set(catalogue.counted(self._statistics, self._settings))
        described = (counted & before) | as_stored(counted - before)
        self._catalogue = described
        return Patch(come | (described - before), gone | (before - described))


def _told(archive: Archive, manifest: Manifest) -> set[tuple[str, Term]] | None:
    """Shape and focus node of each finding of a release; None where one is a blank node."""
    report = (archive.path(manifest.number) / REPORT).read_bytes()
    shapes: dict[object, str] = {}
    nodes: dict[object, Term] = {}
    for quad in rdf.parse(report, rdf.TURTLE, base=manifest.base, name=REPORT):
        if quad.predicate == _FOCUS:
            if not isinstance(quad.object, ox.NamedNode | ox.Literal):
                return None
            nodes[quad.subject] = quad.object
        elif quad.predicate == _SHAPE:
            shapes[quad.subject] = getattr(quad.object, "value", "")
    return {(shapes.get(result, ""), node) for result, node in nodes.items()}
