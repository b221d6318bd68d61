"""Validation results (SHACL section 3.6): as RDF, and as the findings of a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.validation.engine import paths
from clustergraph.validation.engine.nodes import (
    RDF,
    XSD,
    is_blank,
    is_iri,
    is_literal,
    parts,
    term,
    value,
)
from clustergraph.validation.report import Exactly, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.rdf import Term
    from clustergraph.validation.engine.graph import Graph

_SH = "http://www.w3.org/ns/shacl#"
_TYPE = ox.NamedNode(RDF + "type")
_RULE = re.compile(r"[#/](R\d{2,3})\b")
_LOCAL = re.compile(r"[#/]([^#/]+)$")
_SEVERITIES = {each.value: each for each in Severity}


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result; every node as N-Triples writes it (see ``nodes``)."""

    focus: str
    value: str | None
    path: str
    """The node of the shapes graph (or of the data) that is sh:resultPath; empty if none."""
    shape: str
    component: str
    severity: str
    messages: tuple[str, ...]
    constraint: str | None = None
    """sh:sourceConstraint, of SPARQL-based constraints."""


def report_graph(results: Iterable[Result], shapes: Graph | None = None) -> list[ox.Triple]:
    """The standard sh:ValidationReport.

    Args:
        results: what ``evaluate`` found.
        shapes: the shapes graph, from which paths that are blank nodes are copied.
    """
    triples: dict[ox.Triple, None] = {}
    report = ox.BlankNode("report")

    def add(subject: ox.BlankNode, predicate: str, node: str) -> None:
        triples[ox.Triple(subject, ox.NamedNode(_SH + predicate), term(node))] = None

    triples[ox.Triple(report, _TYPE, ox.NamedNode(_SH + "ValidationReport"))] = None
    number = 0
    for number, each in enumerate(results, start=1):
        node = ox.BlankNode(f"result{number}")
        add(report, "result", str(node))
        triples[ox.Triple(node, _TYPE, ox.NamedNode(_SH + "ValidationResult"))] = None
        add(node, "focusNode", each.focus)
        add(node, "resultSeverity", each.severity)
        add(node, "sourceShape", each.shape)
        add(node, "sourceConstraintComponent", each.component)
        path = each.path
        if is_blank(path or "<") and shapes is not None:
            # each result has a path of its own (section 3.6.2.2)
            path, parts_of_path = paths.copied(shapes, path, f"_:path{number}")
            for triple in parts_of_path:
                triples[ox.Triple(*map(term, triple))] = None  # type: ignore[arg-type]  # in order
        for name, found in (
            ("value", each.value),
            ("resultPath", path),
            ("sourceConstraint", each.constraint),
            *(("resultMessage", message) for message in each.messages),
        ):
            if found:
                add(node, name, found)
    conforms = "false" if number else "true"
    add(report, "conforms", f'"{conforms}"^^<{XSD}boolean>')
    return list(triples)


class Findings:
    """Makes findings of results: names, rules and paths are worked out once for each shape."""

    def __init__(self, shapes: Graph) -> None:
        self._shapes = shapes
        self._names: dict[str, tuple[str, str]] = {}
        self._paths: dict[str, str] = {}
        self._path_nodes: dict[str, tuple[Term, tuple[ox.Triple, ...]]] = {}
        self._owners: dict[str, str] | None = None

    def of(self, result: Result) -> Finding:
        """One finding."""
        name, rule = self._name(result.shape)
        severity = result.severity[1:-1].rsplit("#", 1)[-1]
        messages = sorted(result.messages, key=_english_first)
        path, parts_of_path = self._path_node(result.path)
        return Finding(
            rule=rule,
            severity=_SEVERITIES.get(severity, Severity.INFO),
            message=value(messages[0]),
            focus=term(result.focus),
            path=self._path(result.path),
            value=None if result.value is None else term(result.value),
            shape=name,
            component=result.component[1:-1],
            exactly=Exactly(
                shape=term(result.shape),
                severity=term(result.severity),
                messages=tuple(map(term, messages)),
                constraint=None if result.constraint is None else term(result.constraint),
                path=path,
                parts_of_path=parts_of_path,
            ),
        )

    def _name(self, shape: str) -> tuple[str, str]:
        """The named shape that holds this one, and the rule it is of."""
        known = self._names.get(shape)
        if known is None:
            owner = self._owner(shape)
            match = _RULE.search(owner) or _LOCAL.search(owner)
            known = self._names[shape] = (owner, match[1] if match else "shape")
        return known

    def _owner(self, shape: str) -> str:
        if self._owners is None:
            self._owners = {}
            for subject, _predicate, each in self._shapes.triples():
                if is_blank(each):
                    self._owners.setdefault(each, subject)
        seen: set[str] = set()
        while shape not in seen and not is_iri(shape):
            seen.add(shape)
            shape = self._owners.get(shape, shape)
        return value(shape) if is_iri(shape) else ""

    def _path_node(self, path: str) -> tuple[Term | None, tuple[ox.Triple, ...]]:
        """The path as RDF; one that is a blank node with the triples that make it up."""
        if not path:
            return None, ()
        known = self._path_nodes.get(path)
        if known is None:
            if is_blank(path):
                node, triples = paths.copied(self._shapes, path, "_:path")
                made = tuple(ox.Triple(*map(term, each)) for each in triples)  # type: ignore[arg-type]  # in order
                known = term(node), made
            else:
                known = term(path), ()
            self._path_nodes[path] = known
        return known

    def _path(self, path: str) -> str:
        if not path:
            return ""
        known = self._paths.get(path)
        if known is None:
            known = self._paths[path] = paths.read(self._shapes, path).text
        return known


def _english_first(message: str) -> tuple[bool, str]:
    if not is_literal(message):
        return True, message
    text, _datatype, language = parts(message)
    return language != "en", text
