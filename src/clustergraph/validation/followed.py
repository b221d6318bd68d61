"""Validation that follows a graph: after each change the report on the whole, from what changed.

The parent's report is known. Shapes are held against the nodes that a change can matter to and
those that the report names. A rule over quads that found nothing before is asked for what the
change can bring (``narrowing``); only where that is something, or it found something before, or
what it reads cannot be told, does it run over everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.narrowing import Change, Narrowable, UnfitError
from clustergraph.store.embedded import extend, matching
from clustergraph.validation import dataset_rules, engine, evidence_rules, lint
from clustergraph.validation.run import finished

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from clustergraph.patch import Patch
    from clustergraph.queries import StoredQuery
    from clustergraph.rdf import Term
    from clustergraph.validation.dataset_rules import DatasetRule
    from clustergraph.validation.report import Finding, Report


class _Rule(NamedTuple):
    """A rule over quads, and how it can be asked for less."""

    rule: DatasetRule
    narrowable: Narrowable | None

    @property
    def named_only(self) -> bool:
        """Whether it sees no merge."""
        return self.rule.phase == "inferred"


class _Graph:
    """Quads in memory; with their merge, where that is looked at."""

    def __init__(self, quads: Iterable[ox.Quad], *, merged: bool) -> None:
        self.store = ox.Store()
        self._merged = merged
        quads = list(quads)
        self.store.bulk_extend(quads)
        if merged:
            self.store.bulk_extend(map(_plain, dict.fromkeys(rdf.triples(quads))))

    def added(self, quads: Collection[ox.Quad]) -> list[ox.Quad]:
        """Add quads; gives all that came, those of the merge too."""
        come = [quad for quad in quads if quad not in self.store]
        if self._merged:
            plain = map(_plain, dict.fromkeys(rdf.triples(come)))
            come += [quad for quad in plain if quad not in self.store]
        extend(self.store, come)
        return come

    def removable(self, quads: Collection[ox.Quad]) -> list[ox.Quad]:
        """What goes with quads, those of the merge too."""
        gone = [quad for quad in dict.fromkeys(quads) if quad in self.store]
        if self._merged:
            going = set(gone)
            gone += [
                _plain(triple)
                for triple in dict.fromkeys(rdf.triples(gone))
                if all(
                    each in going or isinstance(each.graph_name, ox.DefaultGraph)
                    for each in matching(self.store, triple)
                )
            ]
        return gone

    def remove(self, quads: Iterable[ox.Quad]) -> None:
        """Remove quads, and the graphs of which nothing is left."""
        graphs = set()
        for quad in quads:
            self.store.remove(quad)
            graphs.add(quad.graph_name)
        for graph in graphs:
            if isinstance(graph, ox.NamedNode) and not any(
                self.store.quads_for_pattern(None, None, None, graph)
            ):
                self.store.remove_graph(graph)


class Followed:
    """A public graph that was validated, in memory; after each change, the report on it."""

    def __init__(
        self,
        asserted: Iterable[ox.Quad],
        derived: Iterable[ox.Quad],
        shapes: Iterable[ox.Quad],
        *,
        rules: Mapping[str, StoredQuery],
        base: str,
        prefixes: Mapping[str, str],
        told: Collection[tuple[str, Term]],
    ) -> None:
        """Take up a graph.

        Args:
            asserted: the public quads that are stated.
            derived: the quads that the program added.
            shapes: the shapes graph, as it is among those that are stated.
            rules: dataset rules, by name.
            base: the base IRI.
            prefixes: for showing IRIs short.
            told: of each finding of its report, the IRI of its shape and its focus node.

        Raises:
            UsageError: the shapes or a rule cannot be used.
            UnsupportedShapeError: a shape is beyond our engine.
        """
        asserted = list(asserted)
        self._asserted = _Graph(asserted, merged=False)
        self._public = _Graph([*asserted, *derived], merged=True)
        self._shapes = list(shapes)
        self._kept = engine.Kept(asserted, self._shapes) if self._shapes else None
        self._base, self._prefixes = base, dict(prefixes)
        self._rules = [
            _Rule(each, _narrowable(each.text)) for each in map(dataset_rules.of, rules.values())
        ]
        self._told = set(told)
        """Of each finding that the graph was published with, its shape and focus node."""
        self._looked_at = lint.looked_at(self._shapes)
        self._linted = bool(lint.check(self._shapes, asserted, shapes_required=False))
        """Whether the shapes must be looked at anew even if nothing goes."""

    def turned(self, stated: Patch) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples that no graph stated and one does after a change, and the other way round."""
        store = self._asserted.store
        come = {each for each in rdf.triples(stated.added) if not any(matching(store, each))}
        gone = {
            each
            for each in rdf.triples(stated.removed)
            if all(quad in stated.removed for quad in matching(store, each))
        }
        return come - gone, gone - {quad.triple for quad in stated.added}

    def change(self, stated: Patch, computed: Patch) -> Report | None:
        """Follow a change.

        Args:
            stated: the public quads that are stated now and were not, and the other way round; as
                a store gives them back.
            computed: those that the program adds now, or does not add any more.

        Returns:
            The report on all quads; None if it can only be told from all of them anew.

        Raises:
            SourceError: a rule cannot be used.
        """
        turned = self.turned(stated)
        both = stated.then(computed)
        changes = (
            (self._asserted, _applied(self._asserted, stated)),
            (self._public, _applied(self._public, both)),
        )
        asked = [
            (rule, graph, self._asked(rule, graph, change))
            for rule in self._rules
            for graph, change in [changes[rule.rule.phase != "asserted"]]
        ]
        for graph, change in changes:
            graph.remove(change.removed)
        findings = self._shapes_and_lint(stated, turned)
        if findings is None:
            return None
        findings += self._evidence(stated)
        for rule, graph, texts in asked:
            if texts is None or any(_finds(graph.store, text, rule) for text in texts):
                findings += rule.rule.check(
                    graph.store, self._name(rule), named_only=rule.named_only
                )
        things = {each.focus for each in findings}
        about = (quad for each in things for quad in _about(self._public.store, each))
        return finished(findings, about, self._prefixes, each_once=True)

    def keep(self, report: Report) -> None:
        """Take a report as what is known of the graph: it was published."""
        self._told = {(each.shape, each.focus) for each in report.findings}

    def undo(self, stated: Patch, computed: Patch) -> None:
        """Take back a change that was followed."""
        turned = self.turned(stated.inverse())
        for graph, patch in (
            (self._asserted, stated.inverse()),
            (self._public, stated.then(computed).inverse()),
        ):
            graph.remove(_applied(graph, patch).removed)
        if self._kept is not None:
            self._kept.change(*turned)

    def _shapes_and_lint(
        self, stated: Patch, turned: tuple[set[ox.Triple], set[ox.Triple]]
    ) -> list[Finding] | None:
        findings: list[Finding] = []
        if self._kept is not None:
            self._kept.change(*turned)
            moved = self._kept.affected(self._public.store, stated.added, stated.removed)
            if moved is None:
                return None
            findings += self._kept.check(moved | {focus for _shape, focus in self._told})
        is_less = any(
            not self._looked_at.isdisjoint((quad.subject, quad.predicate, quad.object))
            for quad in stated.removed
        )
        if self._linted or is_less:  # what is mentioned stays so where it does not go
            found = lint.check(self._shapes, list(self._asserted.store), shapes_required=False)
            self._linted = bool(found)
            findings += found
        return findings

    def _evidence(self, stated: Patch) -> list[Finding]:
        """R69, of the attestations that changed; of all, where a graph is gone."""
        if not self._base:
            return []
        store = self._asserted.store
        graphs = [each for each in store.named_graphs() if isinstance(each, ox.NamedNode)]
        if any(quad.graph_name not in graphs for quad in stated.removed):
            return evidence_rules.check(store, self._base)
        changed = {
            quad.subject
            for quad in (*stated.added, *stated.removed)
            if evidence_rules.is_part(quad, self._base)
        }
        about = (quad for each in changed for quad in _about(store, each))
        return evidence_rules.check(about, self._base, graphs)

    def _asked(self, rule: _Rule, graph: _Graph, change: Change) -> list[str] | None:
        """Queries of which one finds something if the rule does; None if it must run itself."""
        shape = self._name(rule)
        if rule.narrowable is None or any(shape == told for told, _focus in self._told):
            return None
        if rule.named_only:
            change = Change(*(
                [quad for quad in quads if not isinstance(quad.graph_name, ox.DefaultGraph)]
                for quads in (change.added, change.removed)
            ))  # fmt: skip
        return rule.narrowable.texts(change, graph.store, gained=True, named_only=rule.named_only)

    def _name(self, rule: _Rule) -> str:
        return dataset_rules.shape(self._base, rule.rule)


def _applied(graph: _Graph, patch: Patch) -> Change:
    """Add what comes; gives also what is to be removed then."""
    gone = graph.removable(patch.removed)
    come = graph.added(patch.added)
    back = {quad.triple for quad in come}
    kept = [
        quad
        for quad in gone
        if not (isinstance(quad.graph_name, ox.DefaultGraph) and quad.triple in back)
    ]
    return Change(come, kept)


def _finds(store: ox.Store, text: str, rule: _Rule) -> bool:
    solutions = store.query(text, default_graph=[] if rule.named_only else None)
    assert isinstance(solutions, ox.QuerySolutions)  # noqa: S101  it is a SELECT
    return next(solutions, None) is not None


def _about(store: ox.Store, node: object) -> Iterator[ox.Quad]:
    if isinstance(node, ox.NamedNode | ox.BlankNode):
        yield from store.quads_for_pattern(node, None, None, None)


def _narrowable(text: str) -> Narrowable | None:
    try:
        return Narrowable(text)
    except UnfitError:
        return None


def _plain(triple: ox.Triple) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object)
