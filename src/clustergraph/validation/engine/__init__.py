"""SHACL evaluated a set at a time: each constraint once for all its focus nodes.

``check`` gives findings, as ``clustergraph.validation.shacl.check`` does; ``evaluate`` and
``report_graph`` give the standard validation report.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clustergraph.validation.engine import graph as graphs
from clustergraph.validation.engine.affected import affected
from clustergraph.validation.engine.answers import Answers
from clustergraph.validation.engine.errors import UnsupportedShapeError
from clustergraph.validation.engine.evaluate import Run
from clustergraph.validation.engine.footprint import Footprint, footprint
from clustergraph.validation.engine.graph import Graph
from clustergraph.validation.engine.results import Findings, Result, report_graph
from clustergraph.validation.engine.shapes import ShapesGraph
from clustergraph.validation.engine.sparql import read_predicates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    import pyoxigraph as ox

    from clustergraph.rdf import Term
    from clustergraph.validation.report import Finding

__all__ = [
    "Footprint",
    "Kept",
    "Result",
    "UnsupportedShapeError",
    "affected",
    "check",
    "evaluate",
    "footprint",
    "report_graph",
]


def check(
    data: Iterable[ox.Quad],
    shapes: Iterable[ox.Quad],
    *,
    focus: Collection[Term] | None = None,
    each_once: bool = True,
) -> list[Finding]:
    """Validate the merge of ``data`` against ``shapes``, without inference.

    Args:
        data: quads; their graph names are dropped. Holds the ontology, since ``sh:targetClass``
            follows its ``rdfs:subClassOf``.
        shapes: the shapes graph.
        focus: if given, only these focus nodes are validated.
        each_once: give each result once, though the standard counts it for each way to it.

    Raises:
        UsageError: the shapes cannot be used; says why.
        UnsupportedShapeError: a shape is beyond this engine; names it.
    """
    shapes_text = graphs.text(shapes)
    results = _run(graphs.text(data), shapes_text, focus, each_once=each_once)
    findings = Findings(ShapesGraph.of(shapes_text).graph)
    return [findings.of(each) for each in (dict.fromkeys(results) if each_once else results)]


def evaluate(data: Iterable[ox.Quad], shapes: Iterable[ox.Quad]) -> list[Result]:
    """Validate as ``check`` does, and give the results with the nodes of the shapes graph."""
    shapes_text = graphs.text(shapes)
    return _run(graphs.text(data), shapes_text, None, each_once=False)


class Kept:
    """Data and shapes that stay in memory, for being validated after each change."""

    def __init__(self, data: Iterable[ox.Quad], shapes: Iterable[ox.Quad]) -> None:
        """Take up a graph.

        Args:
            data: as for ``check``.
            shapes: the shapes graph.

        Raises:
            UsageError: the shapes cannot be used.
            UnsupportedShapeError: a shape is beyond this engine.
        """
        shapes = list(shapes)
        text, content = graphs.text(shapes), graphs.text(data)
        self._shapes = ShapesGraph.of(text)
        self._footprint = footprint(shapes)
        self._predicates = read_predicates(self._shapes.queries)
        with _without_collection():
            self._graph = Graph.read(content)
            if self._predicates is not None:
                content = self._graph.text(self._predicates)
            self._answers = Answers(content, self._graph, text)
            self._answers.change((), ())

    def affected(
        self, after: ox.Store, added: Iterable[ox.Quad], removed: Iterable[ox.Quad]
    ) -> set[Term] | None:
        """See ``affected``."""
        return affected(self._footprint, after, added, removed)

    def change(self, added: Iterable[ox.Triple], removed: Iterable[ox.Triple]) -> None:
        """Follow a change: triples that came, and that are in no graph any more."""
        come, gone = (
            [(str(t.subject), str(t.predicate), str(t.object)) for t in triples]
            for triples in (added, removed)
        )
        for triple in gone:
            self._graph.take(*triple)
        for triple in come:
            self._graph.put(*triple)
        self._answers.change(filter(self._is_read, come), filter(self._is_read, gone))

    def _is_read(self, triple: tuple[str, str, str]) -> bool:
        return self._predicates is None or triple[1] in self._predicates

    def check(self, focus: Collection[Term]) -> list[Finding]:
        """What ``check`` finds about some nodes."""
        run = Run(self._graph, self._answers, each_once=True)
        with _without_collection():
            results = _reported(self._shapes, run, self._graph, [str(each) for each in focus])
        findings = Findings(self._shapes.graph)
        return [findings.of(each) for each in dict.fromkeys(results)]


def _run(
    data_text: str,
    shapes_text: str,
    focus: Collection[Term] | None,
    *,
    each_once: bool = True,
) -> list[Result]:
    with _without_collection():
        return _validated(data_text, shapes_text, focus, each_once=each_once)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the search for cycles: a graph has millions of small objects, and none is in one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _validated(
    data_text: str,
    shapes_text: str,
    focus: Collection[Term] | None,
    *,
    each_once: bool,
) -> list[Result]:
    shapes = ShapesGraph.of(shapes_text)
    graph = Graph.read(data_text)
    predicates = read_predicates(shapes.queries)
    if predicates is not None:  # only what they read need go into the store
        data_text = graph.text(predicates)
    run = Run(graph, Answers(data_text, graph, shapes_text), each_once=each_once)
    del data_text
    return _reported(shapes, run, graph, None if focus is None else [str(each) for each in focus])


def _reported(
    shapes: ShapesGraph, run: Run, graph: Graph, among: Collection[str] | None
) -> list[Result]:
    for shape in shapes.targeted:
        targets = shape.targets
        try:
            run.report(
                shape, targets.find(graph) if among is None else targets.narrow(graph, among)
            )
        except UnsupportedShapeError as error:  # it may be a nameless part of this one
            raise UnsupportedShapeError(shape.node, error.why) from error
    return run.results
