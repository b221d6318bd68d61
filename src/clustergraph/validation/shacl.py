"""SHACL by pyshacl, over an rdflib graph in memory: the one door for both libraries.

pyshacl is never run over another store behind rdflib's interface: comparing terms then goes wrong.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pyoxigraph as ox
import pyshacl
import rdflib
import rdflib.plugins.sparql
from rdflib.namespace import RDF, SH
from rdflib.plugins.sparql import prepareQuery

from clustergraph import rdf
from clustergraph.errors import UsageError
from clustergraph.validation.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdflib.plugins.sparql.sparql import Query
    from rdflib.term import Node

rdflib.plugins.sparql.SPARQL_LOAD_GRAPHS = False  # else FROM in a shape reads any file
_RULE = re.compile(r"[#/](R\d{2,3})\b")
_LOCAL = re.compile(r"[#/]([^#/]+)$")


def check(data: Iterable[ox.Quad], shapes: Iterable[ox.Quad]) -> list[Finding]:
    """Validate the merge of ``data`` against ``shapes``, without inference.

    Args:
        data: quads; their graph names are dropped. Holds the ontology, since ``sh:targetClass``
            follows its ``rdfs:subClassOf``.
        shapes: the shapes graph.

    Raises:
        UsageError: the shapes cannot be used; says why.
    """
    data_graph, shapes_graph = _graph(data), _graph(shapes)
    try:
        _conforms, results, _text = pyshacl.validate(
            data_graph, shacl_graph=shapes_graph, inference="none", advanced=False
        )
    except pyshacl.errors.ReportableRuntimeError as error:
        raise UsageError(f"The shapes cannot be used: {error.message}") from error
    if not isinstance(results, rdflib.Graph):
        raise UsageError(f"The shapes cannot be used: {results}")
    return [
        _finding(results, result, shapes_graph)
        for report in results.subjects(RDF.type, SH.ValidationReport)
        for result in results.objects(report, SH.result)
    ]


class _PreparingGraph(rdflib.Graph):
    """A graph that parses each SPARQL text once.

    pyshacl hands over the text of a constraint anew for each focus node, and parsing it takes
    rdflib longer than answering it.
    """

    _prepared: ClassVar[dict[str, Query]] = {}

    def query(self, query_object: str | Query, *args: Any, **options: Any) -> rdflib.query.Result:
        """See ``rdflib.Graph.query``."""
        if isinstance(query_object, str):
            prepared = self._prepared.get(query_object)
            if prepared is None:
                prepared = prepareQuery(query_object, initNs=dict(self.namespaces()))
                self._prepared[query_object] = prepared
            query_object = prepared
        return super().query(query_object, *args, **options)


def _graph(quads: Iterable[ox.Quad]) -> rdflib.Graph:
    content = io.BytesIO()
    ox.serialize(dict.fromkeys(rdf.triples(quads)), content, ox.RdfFormat.N_TRIPLES)
    content.seek(0)
    return _PreparingGraph().parse(content, format="nt")


def _finding(results: rdflib.Graph, result: Node, shapes: rdflib.Graph) -> Finding:
    def one(predicate: Node) -> Node | None:
        return next(iter(sorted(results.objects(result, predicate), key=str)), None)

    shape = one(SH.sourceShape)
    value, focus = one(SH.value), one(SH.focusNode)
    messages = sorted(
        results.objects(result, SH.resultMessage),
        key=lambda text: (getattr(text, "language", None) != "en", str(text)),
    )
    if focus is None:  # every result has a focus node (SHACL 3.6.2.1)
        raise UsageError("A validation result names no focus node.")
    severity = str(one(SH.resultSeverity) or SH.Violation).rsplit("#", 1)[-1]
    name = str(shape) if isinstance(shape, rdflib.URIRef) else _owner(shapes, shape)
    return Finding(
        rule=_rule(name),
        severity=Severity(severity) if severity in {s.value for s in Severity} else Severity.INFO,
        message=str(messages[0]) if messages else "The node breaks this shape.",
        focus=_term(focus),
        path=_path(results, shapes, one(SH.resultPath)),
        value=None if value is None else _term(value),
        shape=name,
        component=str(one(SH.sourceConstraintComponent) or ""),
    )


def _owner(shapes: rdflib.Graph, shape: Node | None) -> str:
    """The named shape that an anonymous one stands in."""
    seen: set[Node] = set()
    while shape is not None and shape not in seen and not isinstance(shape, rdflib.URIRef):
        seen.add(shape)
        shape = next(iter(shapes.subjects(None, shape)), None)
    return str(shape) if isinstance(shape, rdflib.URIRef) else ""


def _rule(shape: str) -> str:
    match = _RULE.search(shape) or _LOCAL.search(shape)
    return match[1] if match else "shape"


def _path(results: rdflib.Graph, shapes: rdflib.Graph, path: Node | None) -> str:
    """A SHACL property path as text (SPARQL's notation)."""
    if path is None:
        return ""
    if isinstance(path, rdflib.URIRef):
        return str(path)
    for graph in (results, shapes):
        for predicate, mark in (
            (SH.inversePath, "^{}"),
            (SH.zeroOrMorePath, "({})*"),
            (SH.oneOrMorePath, "({})+"),
            (SH.zeroOrOnePath, "({})?"),
        ):
            inner = graph.value(path, predicate)
            if inner is not None:
                return mark.format(_path(results, shapes, inner))
        choice = graph.value(path, SH.alternativePath)
        if choice is not None:
            return " | ".join(_path(results, shapes, each) for each in graph.items(choice))
        if graph.value(path, RDF.first) is not None:
            return " / ".join(_path(results, shapes, each) for each in graph.items(path))
    return ""


def _term(node: Node) -> rdf.Term:
    """An rdflib term in the one term model of the program."""
    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.Literal):
        if node.language:
            return ox.Literal(str(node), language=node.language)
        if node.datatype:
            return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype)))
        return ox.Literal(str(node))
    return ox.BlankNode(re.sub(r"\W", "", str(node)) or "node")
