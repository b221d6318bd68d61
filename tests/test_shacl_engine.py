"""The engine against pyshacl: examples of all rules, mutations of the shipped graph."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

from clustergraph import project, settings
from clustergraph.validation import engine, shacl
from clustergraph.validation.report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((REPOSITORY / "tests/shapes").glob("*.ttl"))


def row(finding: Finding) -> tuple[str, ...]:
    """A finding to compare: blank nodes have other names in each library."""
    focus, value = (
        "_" if isinstance(term, ox.BlankNode) else str(term)
        for term in (finding.focus, finding.value)
    )
    return (
        finding.rule,
        finding.severity.value,
        finding.message,
        focus,
        finding.path,
        value,
        finding.shape,
        finding.component,
    )


def rows(findings: Iterable[Finding]) -> set[tuple[str, ...]]:
    """Findings to compare."""
    return {row(each) for each in findings}


def same(data: Sequence[ox.Quad], shapes: Sequence[ox.Quad]) -> set[tuple[str, ...]]:
    """What both find, which is the same."""
    ours, theirs = rows(engine.check(data, shapes)), rows(shacl.check(data, shapes))
    assert ours == theirs
    return ours


@pytest.fixture(scope="module")
def shipped_quads() -> project.Content:
    """The shipped project as read."""
    return project.read(settings.load(REPOSITORY, environment={}))


@pytest.fixture(scope="module")
def shapes(shipped_quads: project.Content) -> list[ox.Quad]:
    """The shipped shapes."""
    graph = ox.NamedNode(settings.load(REPOSITORY, environment={}).iri("shapes"))
    return [quad for quad in shipped_quads.quads if quad.graph_name == graph]


@pytest.fixture(scope="module")
def ontology(shipped_quads: project.Content) -> list[ox.Quad]:
    """The class tree of the shipped ontology."""
    sub = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf")
    return [quad for quad in shipped_quads.quads if quad.predicate == sub]


def test_examples_of_all_rules(shapes: list[ox.Quad], ontology: list[ox.Quad]) -> None:
    """All example files together, so that pyshacl runs once: their nodes are set apart by file."""
    data = list(ontology)
    for number, path in enumerate(EXAMPLES):
        data += apart(ox.parse(path=path, format=ox.RdfFormat.TURTLE, base_iri=BASE), number)
    assert len(EXAMPLES) > 100
    assert len(same(data, shapes)) > 50


BASE = "https://w3id.org/clustergraph/"


def apart(quads: Iterable[ox.Quad], number: int) -> list[ox.Quad]:
    """Quads whose things have other IRIs in each file; types and terms stay."""

    def move(term: object) -> object:
        if isinstance(term, ox.NamedNode) and term.value.startswith(BASE + "id/"):
            kind, _, name = term.value.removeprefix(BASE + "id/").partition("/")
            return ox.NamedNode(f"{BASE}id/{kind}/f{number}-{name}")
        if isinstance(term, ox.BlankNode):
            return ox.BlankNode(f"f{number}{term.value}")
        return term

    return [ox.Quad(*map(move, quad)) for quad in quads]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_mutations_of_the_shipped_graph(
    seed: int, shipped_quads: project.Content, shapes: list[ox.Quad]
) -> None:
    """Sixty mutations at a time find much, and both find the same."""
    data = mutated(shipped_quads.quads, random.Random(seed), 60)  # noqa: S311  # no secret
    found = same(data, shapes)
    assert len({each[0] for each in found}) > 5


def mutated(quads: Sequence[ox.Quad], chance: random.Random, number: int) -> list[ox.Quad]:
    """Quads of which some were removed, changed or added, by what the graph knows itself."""
    data = dict.fromkeys(quads)
    known = [quad for quad in data if "/id/" in str(quad.subject)]
    for _ in range(number):
        one, other = chance.choice(known), chance.choice(known)
        kind = chance.randrange(5)
        if kind in {1, 3, 4} and typed(one) | typed(other):
            continue  # rdflib orders what SPARQL cannot compare, such as a number and a text
        if kind != 2:
            data.pop(one, None)
        graph = one.graph_name
        if kind == 1:
            data[ox.Quad(one.subject, one.predicate, other.object, graph)] = None
        elif kind == 2:
            same_property = [quad for quad in known if quad.predicate == one.predicate]
            value = chance.choice(same_property).object
            data[ox.Quad(one.subject, one.predicate, value, graph)] = None
        elif kind == 3:
            data[ox.Quad(one.subject, one.predicate, ox.Literal("x", language="de"), graph)] = None
        elif kind == 4:
            data[ox.Quad(one.subject, other.predicate, one.object, graph)] = None
    return list(data)


def typed(quad: ox.Quad) -> set[str]:
    """The datatype of a number or date, if the quad has one for its value."""
    is_typed = isinstance(quad.object, ox.Literal) and not quad.object.language
    datatype = quad.object.datatype.value if is_typed else ""
    return {datatype} - {"", "http://www.w3.org/2001/XMLSchema#string"}
