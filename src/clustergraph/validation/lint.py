"""Look at the shapes themselves: terms that SHACL has not, shapes that look at nothing.

A shapes graph that says nothing, or says it wrong, would let everything pass.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.validation.engine import graph as graphs
from clustergraph.validation.engine.graph import Graph
from clustergraph.validation.engine.nodes import (
    OWL,
    RDFS,
    SUBCLASS_OF,
    TYPE,
    is_blank,
    is_iri,
    sh,
    term,
    value,
)
from clustergraph.validation.engine.shapes import READERS, ShapesGraph
from clustergraph.validation.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from clustergraph.rdf import Term
    from clustergraph.validation.engine.shapes import Shape

_SH = "http://www.w3.org/ns/shacl#"
_TERMS = "https://w3id.org/clustergraph/validation#"
UNKNOWN_TERM, NO_SHAPE, NO_TARGET = (
    _TERMS + name for name in ("UnknownTerm", "NoShape", "NoTarget")
)
"""What stands for the constraint component in findings on the shapes themselves."""
_NEAR = 0.75
_TYPE, _SUBCLASS_OF = (term(each) for each in (TYPE, SUBCLASS_OF))


@cache
def _known() -> frozenset[str]:
    """The local names of SHACL, its advanced features and its JavaScript extension."""
    path = Path(__file__).resolve().parent / "shacl-terms.txt"
    return frozenset(path.read_text(encoding="ascii").split())


def check(
    shapes: Iterable[ox.Quad], data: Collection[ox.Quad], *, shapes_required: bool = True
) -> list[Finding]:
    """What is wrong with the shapes.

    Args:
        shapes: the shapes graph.
        data: what it is used on.
        shapes_required: whether it is wrong to have no shape at all.

    Raises:
        UsageError: the shapes graph is ill-formed.
    """
    compiled = ShapesGraph.of(graphs.text(shapes))
    graph = compiled.graph
    found = list(_misspelt(graph, {shape.node for shape in compiled.shapes}))
    if not compiled.custom and not any(graph.forward(sh(name)) for name in READERS):
        if shapes_required and not found:
            found.append(_empty())
        return found
    return found + list(_idle(compiled, graph, data))


def looked_at(shapes: Iterable[ox.Quad]) -> frozenset[Term]:
    """The terms of which it matters to ``check`` that data have them.

    Raises:
        UsageError: the shapes graph is ill-formed.
    """
    compiled = ShapesGraph.of(graphs.text(shapes))
    wanted = {
        term(node)
        for shape in compiled.targeted
        for _name, nodes in _by_property(shape)
        for node in nodes
    }
    return frozenset({*wanted, _TYPE, _SUBCLASS_OF})


def _misspelt(graph: Graph, shapes: Collection[str]) -> Iterator[Finding]:
    for subject, predicate, node in graph.triples():
        if subject not in shapes and _is_of_other_class(graph, subject):
            continue
        for each in (predicate, node):
            name = value(each).removeprefix(_SH) if is_iri(each) else ""
            if not name or not each.startswith(f"<{_SH}") or name in _known():
                continue
            near = get_close_matches(name, sorted(_known()), 1, _NEAR)
            yield Finding(
                rule="unknown-term",
                severity=Severity.VIOLATION,
                message=f"SHACL has no term sh:{name}, so that this says nothing.",
                focus=term(subject),
                path=value(predicate),
                value=None if each is predicate else term(each),
                shape=_name(subject),
                component=UNKNOWN_TERM,
                help=f"Do you mean sh:{near[0]}?" if near else "",
                suggestion=f"sh:{near[0]}" if near else "",
            )


def _is_of_other_class(graph: Graph, node: str) -> bool:
    """Whether a node is something that shapes are not: data may stand in the shapes graph."""
    types = graph.objects(node, TYPE)
    return bool(types) and not any(
        each.startswith((f"<{_SH}", f"<{RDFS}", f"<{OWL}")) for each in types
    )


def _empty() -> Finding:
    return Finding(
        rule="no-shapes",
        severity=Severity.VIOLATION,
        message="There is no shape with a constraint: nothing was checked.",
        focus=ox.NamedNode(_SH + "Shape"),
        shape=_SH + "Shape",
        component=NO_SHAPE,
        help="Name the files with the shapes: --shapes FILE.",
    )


def _idle(compiled: ShapesGraph, graph: Graph, data: Collection[ox.Quad]) -> Iterator[Finding]:
    """Shapes that nothing leads to, and targets that the data do not know."""
    used = {
        part.node for shape in compiled.shapes for each in shape.constraints for part in each.shapes
    }
    for shape in compiled.shapes:
        is_lost = not shape.targets and shape.node not in used and shape.constraints
        if is_lost and not is_blank(shape.node) and not shape.is_deactivated:
            yield _no_target(
                shape.node,
                "This shape has no target and no other shape uses it: it checks nothing.",
                help_text="Give it sh:targetClass, sh:targetNode or sh:targetSubjectsOf.",
            )
    if not data:
        return
    declared = {subject for subject, _predicate, _node in graph.triples()}
    wanted = {
        node: (shape.node, name)
        for shape in compiled.targeted
        for name, nodes in _by_property(shape)
        for node in nodes
        if node not in declared
    }
    unknown = _not_mentioned({term(node) for node in wanted}, data)
    if unknown:
        known = sorted(_names(data))
        for node in sorted(str(each) for each in unknown):
            yield _unknown_target(*wanted[node], node, known)
    if compiled.targeted and not _has_focus(compiled, data):
        yield _no_target(
            compiled.targeted[0].node,
            "No shape has anything to look at in these data: nothing was checked.",
            severity=Severity.VIOLATION,
            help_text="Check the targets of the shapes against the classes of the data.",
        )


def _by_property(shape: Shape) -> tuple[tuple[str, tuple[str, ...]], ...]:
    targets = shape.targets
    return (
        ("targetClass", targets.classes),
        ("targetSubjectsOf", targets.subjects_of),
        ("targetObjectsOf", targets.objects_of),
    )


def _not_mentioned(wanted: set[Term], data: Iterable[ox.Quad]) -> set[Term]:
    """Those of the wanted nodes that stand nowhere; looks no further than it must."""
    left = set(wanted)
    if left:
        for quad in data:
            left.difference_update((quad.subject, quad.predicate, quad.object))
            if not left:
                break
    return left


def _names(data: Iterable[ox.Quad]) -> set[str]:
    """Classes and properties in use."""
    return {quad.predicate.value for quad in data} | {
        quad.object.value
        for quad in data
        if quad.predicate == _TYPE and isinstance(quad.object, ox.NamedNode)
    }


def _has_focus(compiled: ShapesGraph, data: Collection[ox.Quad]) -> bool:
    """Whether any shape has a focus node; ends at the first."""
    shapes = compiled.targeted
    if any(shape.targets.nodes for shape in shapes):
        return True
    tree = Graph.read(graphs.text(quad for quad in data if quad.predicate == _SUBCLASS_OF))
    classes = {
        term(each)
        for shape in shapes
        for node in shape.targets.classes
        for each in tree.subclasses(node)
    }
    properties = {
        term(node)
        for shape in shapes
        for node in (*shape.targets.subjects_of, *shape.targets.objects_of)
    }
    return any(
        quad.predicate in properties or (quad.predicate == _TYPE and quad.object in classes)
        for quad in data
    )


def _unknown_target(shape: str, name: str, node: str, known: list[str]) -> Finding:
    near = get_close_matches(value(node), known, 1, _NEAR)
    return _no_target(
        shape,
        f"The data know nothing of {node}: this shape checks nothing.",
        path=_SH + name,
        node=term(node),
        help_text=f"Do you mean <{near[0]}>?" if near else "Check its spelling and its prefix.",
        suggestion=f"<{near[0]}>" if near else "",
    )


def _no_target(
    shape: str,
    message: str,
    *,
    help_text: str,
    path: str = "",
    node: Term | None = None,
    suggestion: str = "",
    severity: Severity = Severity.WARNING,
) -> Finding:
    return Finding(
        rule="no-target",
        severity=severity,
        message=message,
        focus=term(shape),
        path=path,
        value=node,
        shape=_name(shape),
        component=NO_TARGET,
        help=help_text,
        suggestion=suggestion,
    )


def _name(node: str) -> str:
    return value(node) if is_iri(node) else _SH + "Shape"
