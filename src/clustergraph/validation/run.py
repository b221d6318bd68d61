"""Run all rules over a graph: shapes on what is asserted, then the rules over quads by phase."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.validation import dataset_rules, engine, evidence_rules, lint
from clustergraph.validation.report import Finding, Report, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from clustergraph.queries import StoredQuery

_LABELS = tuple(
    ox.NamedNode(iri)
    for iri in (
        "http://www.w3.org/2004/02/skos/core#prefLabel",
        "http://www.w3.org/2000/01/rdf-schema#label",
        "http://purl.org/dc/terms/title",
        "http://xmlns.com/foaf/0.1/name",
    )
)


def check(
    asserted: Sequence[ox.Quad],
    shapes: Sequence[ox.Quad],
    *,
    rules: Mapping[str, StoredQuery],
    derived: Iterable[ox.Quad] = (),
    base: str = "",
    prefixes: Mapping[str, str] | None = None,
    shapes_required: bool = False,
    each_once: bool = True,
    focus: Collection[rdf.Term] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Validate a graph.

    Args:
        asserted: the public quads as read, without anything derived.
        shapes: the shapes graph.
        rules: dataset rules, by name.
        derived: quads that the program adds: inferences, the catalogue.
        base: the base IRI, for the names of dataset rules and attestations.
        prefixes: for showing IRIs short.
        shapes_required: whether it is a violation that there are no shapes.
        each_once: give each result once, though the standard counts it for each way to it.
        focus: the only nodes that need be held against the shapes; rules see everything always.
        progress: called with the name of each step before it is taken.

    Raises:
        UsageError: the shapes or a rule cannot be used.
    """
    progress("shapes")
    findings = _shacl(asserted, shapes, focus, each_once=each_once) if shapes else []
    findings += lint.check(shapes, asserted, shapes_required=shapes_required)
    if base:
        progress("evidence")
        findings += evidence_rules.check(asserted, base)
    derived = list(derived)
    if rules:
        findings += _dataset(asserted, derived, rules, base, progress)
    return finished(findings, chain(asserted, derived), prefixes or {}, each_once=each_once)


def finished(
    findings: Iterable[Finding],
    quads: Iterable[ox.Quad],
    prefixes: Mapping[str, str],
    *,
    each_once: bool,
) -> Report:
    """A report: its findings in order, with the labels of the things that they are about.

    Args:
        findings: what was found.
        quads: with all statements about these things.
        prefixes: for showing IRIs short.
        each_once: whether the same finding is told once.
    """
    findings = list(findings)
    if findings:
        labels = _labels(quads, {each.focus for each in findings})
        findings = [replace(each, label=labels.get(each.focus, "")) for each in findings]
    if each_once:
        findings = list(dict.fromkeys(findings))
    return Report(tuple(sorted(findings, key=lambda each: each.order)), dict(prefixes))


def _dataset(
    asserted: Sequence[ox.Quad],
    derived: Sequence[ox.Quad],
    rules: Mapping[str, StoredQuery],
    base: str,
    progress: Callable[[str], None],
) -> list[Finding]:
    """What the rules over quads find, phase by phase."""
    findings: list[Finding] = []
    store = ox.Store()
    store.bulk_extend(asserted)
    dataset = [dataset_rules.of(query) for query in rules.values()]
    for phase in dataset_rules.PHASES:
        if phase == "inferred":
            store.bulk_extend(derived)
        if phase == "public":
            store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in _merge(store))
        for rule in dataset:
            if rule.phase == phase:
                progress(rule.rule)
                findings += rule.check(store, dataset_rules.shape(base, rule))
    return findings


def _shacl(
    asserted: Sequence[ox.Quad],
    shapes: Sequence[ox.Quad],
    focus: Collection[rdf.Term] | None,
    *,
    each_once: bool,
) -> list[Finding]:
    """What the shapes find, by our own engine; by pyshacl where it does not support one of them."""
    try:
        return engine.check(asserted, shapes, focus=focus, each_once=each_once)
    except engine.UnsupportedShapeError as error:
        from clustergraph.validation import shacl  # noqa: PLC0415  slow to import, seldom needed

        note = Finding(
            rule="engine",
            severity=Severity.INFO,
            message=f"pyshacl validated this graph: {error.message}",
            focus=ox.NamedNode(error.shape[1:-1])
            if error.shape.startswith("<")
            else ox.Literal(error.shape),
        )
        return [*shacl.check(asserted, shapes), note]


def _merge(store: ox.Store) -> list[ox.Triple]:
    return list(dict.fromkeys(rdf.triples(store)))


def _labels(quads: Iterable[ox.Quad], things: Collection[rdf.Term]) -> dict[rdf.Term, str]:
    """The best label of each of these: English before others, preferred before plain ones."""
    labels: dict[rdf.Term, str] = {}
    found = [quad for quad in quads if quad.subject in things and quad.predicate in _LABELS]
    found.sort(key=str)  # whatever the order in which they come
    for predicate in reversed(_LABELS):
        for quad in found:
            if quad.predicate != predicate or not isinstance(quad.object, ox.Literal):
                continue
            if isinstance(quad.subject, ox.Triple):
                continue
            if quad.object.language in {None, "en"} or quad.subject not in labels:
                labels[quad.subject] = quad.object.value
    return labels
