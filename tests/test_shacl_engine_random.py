"""Random small graphs and random shapes: the engine and pyshacl find the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

from clustergraph.validation import engine, shacl

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.validation.report import Finding

PREFIXES = """
@prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<http://x/> sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] .
"""
NODES = [f":n{number}" for number in range(8)]
CLASSES = [":A", ":B", ":C"]
PREDICATES = [":p", ":q", ":r"]
LITERALS = [
    '"a"', '"b"', '"ab"', '"a"@en', '"b"@en', '"a"@de-AT', '""', "1", "2", "7", "1.5", "2.0",
    '"1.0"^^xsd:double', "true", "false", '"x"^^xsd:integer', '"2020-01-01"^^xsd:date',
    '"2021-05-05"^^xsd:date',
    '"2020-01-01T00:00:00+00:00"^^xsd:dateTime', '"2020-01-01T10:00:00"^^xsd:dateTime',
    '"z"^^:own',
]  # fmt: skip
NUMBERS = ["1", "2", "7", "1.5", "2.0", '"1.0"^^xsd:double']
COMPARABLE = {*NUMBERS, '"a"', '"b"', '"ab"', '"a"@en', '"b"@en', '"a"@de-AT', '""'}
"""Values for which pyshacl compares rightly; it lets others pass, such as a date and a number."""
BLANKS = ["_:b1", "_:b2"]


def turtle(text: str) -> list[ox.Quad]:
    """Quads of a Turtle text with the prefixes above."""
    return list(ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE))


def graph(chance: random.Random, values: list[str]) -> str:
    """A random graph."""
    lines = [":B rdfs:subClassOf :A ."]
    for node in NODES + BLANKS:
        lines += [f"{node} a {each} ." for each in chance.sample(CLASSES, chance.randrange(3))]
        for predicate in PREDICATES:
            few = chance.sample(values + NODES + BLANKS, chance.choice((0, 1, 1, 2, 3)))
            lines += [f"{node} {predicate} {each} ." for each in few]
    return "\n".join(lines)


def path(chance: random.Random, depth: int = 2) -> str:
    """A random property path."""
    if depth == 0 or chance.random() < 0.4:
        return chance.choice(PREDICATES)
    inner = [path(chance, depth - 1) for _ in range(2)]
    # pyshacl walks the inverse of a sequence in the order in which it is written
    inverted = inner[0] if not inner[0].startswith("(") else chance.choice(PREDICATES)
    return chance.choice(
        [
            f"[ sh:inversePath {inverted} ]",
            f"( {inner[0]} {inner[1]} )",
            f"[ sh:alternativePath ( {inner[0]} {inner[1]} ) ]",
            f"[ sh:zeroOrMorePath {inner[0]} ]",
            f"[ sh:oneOrMorePath {inner[0]} ]",
            f"[ sh:zeroOrOnePath {inner[0]} ]",
        ]
    )


def for_values(chance: random.Random, values: list[str], depth: int) -> str:
    """A constraint that node and property shapes may have."""
    kinds: list[Callable[[], str]] = [
        lambda: f"sh:class {chance.choice(CLASSES)}",
        lambda: (
            "sh:datatype "
            + chance.choice(["xsd:string", "xsd:integer", "xsd:date", "rdf:langString", ":own"])
        ),
        lambda: (
            "sh:nodeKind sh:"
            + chance.choice(["IRI", "Literal", "BlankNode", "BlankNodeOrIRI", "IRIOrLiteral"])
        ),
        lambda: f"sh:minLength {chance.randrange(1, 4)}",
        lambda: f"sh:maxLength {chance.randrange(12)}",
        lambda: 'sh:pattern "' + chance.choice(["^a", "b$", "n[1-4]", "^A"]) + '" ; sh:flags "i"',
        lambda: "sh:languageIn ( " + chance.choice(['"en"', '"de"', '"de" "en"']) + " )",
        lambda: f"sh:hasValue {chance.choice(values + NODES)}",
        lambda: f"sh:in ( {' '.join(chance.sample(values + NODES, min(6, len(values))))} )",
        lambda: f"sh:equals {chance.choice(PREDICATES)}",
        lambda: f"sh:disjoint {chance.choice(PREDICATES)}",
    ]
    if set(values) <= COMPARABLE:
        kinds += [
            lambda: (
                f"sh:{chance.choice(['min', 'max'])}{chance.choice(['In', 'Ex'])}clusive "
                + chance.choice(NUMBERS)
            )
        ] * 3
    if depth:
        shapes = [shape(chance, values, depth - 1) for _ in range(2)]
        nested = f"[ {body(chance, values, depth - 1)} ]"
        kinds += [
            lambda: f"sh:not {shapes[0]}",
            lambda: f"sh:and ( {shapes[0]} {shapes[1]} )",
            lambda: f"sh:or ( {shapes[0]} {shapes[1]} )",
            lambda: f"sh:xone ( {shapes[0]} {shapes[1]} )",
            lambda: f"sh:node {nested}",
            lambda: f"sh:property {property_shape(chance, values, depth - 1)}",
        ]
    return chance.choice(kinds)()


def for_properties(chance: random.Random, values: list[str], depth: int) -> str:
    """A constraint of a property shape."""
    kinds: list[Callable[[], str]] = [
        lambda: f"sh:minCount {chance.randrange(4)}",
        lambda: f"sh:maxCount {chance.randrange(4)}",
        lambda: "sh:uniqueLang true",
        lambda: for_values(chance, values, depth),
        lambda: for_values(chance, values, depth),
    ]
    if depth:
        inner = shape(chance, values, depth - 1)
        count = chance.choice(["Min", "Max"])
        kinds.append(
            lambda: (
                f"sh:qualifiedValueShape {inner} ; sh:qualified{count}Count "
                f"{chance.randrange(3)} ; sh:qualifiedValueShapesDisjoint "
                + chance.choice(["true", "false"])
            )
        )
    return chance.choice(kinds)()


def body(chance: random.Random, values: list[str], depth: int) -> str:
    """What stands in a node shape."""
    extra = [] if chance.random() < 0.85 else ["sh:closed true ; sh:ignoredProperties ( rdf:type )"]
    parts = [for_values(chance, values, depth) for _ in range(chance.randrange(1, 3))]
    return " ; ".join(unique(parts) + extra)


def unique(parts: list[str]) -> list[str]:
    """One constraint for each parameter."""
    return list({part.split()[0]: part for part in parts}.values())


def property_shape(chance: random.Random, values: list[str], depth: int) -> str:
    """A random property shape."""
    parts = [for_properties(chance, values, depth) for _ in range(chance.randrange(1, 4))]
    return f"[ sh:path {path(chance)} ; {' ; '.join(unique(parts))} ]"


def shape(chance: random.Random, values: list[str], depth: int) -> str:
    """A random shape."""
    if chance.random() < 0.5:
        return property_shape(chance, values, depth)
    return f"[ {body(chance, values, depth)} ]"


def target(chance: random.Random, literals: list[str]) -> str:
    """A random target."""
    return chance.choice(
        [
            f"sh:targetClass {chance.choice(CLASSES)}",
            f"sh:targetNode {chance.choice(NODES)} , {chance.choice(literals)}",
            f"sh:targetSubjectsOf {chance.choice(PREDICATES)}",
            f"sh:targetObjectsOf {chance.choice(PREDICATES)}",
        ]
    )


def key(finding: Finding) -> tuple[str, ...]:
    """A finding to compare; texts are each library's own where the shape gives none."""
    focus, value = (
        "_" if isinstance(term, ox.BlankNode) else str(term)
        for term in (finding.focus, finding.value)
    )
    return (finding.shape, finding.severity.value, focus, finding.path, value, finding.component)


@pytest.mark.parametrize("seed", range(120))
def test_random_shapes(seed: int) -> None:
    """Four random shapes on a random graph."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    known = sorted(COMPARABLE) if seed % 2 else LITERALS
    values = chance.sample(known, 8)
    data = turtle(graph(chance, values))
    lines = []
    for number in range(4):
        content = " ; ".join(
            [target(chance, known), *unique([for_values(chance, values, 2) for _ in range(2)])]
        )
        lines.append(f":S{number} a sh:NodeShape ; {content} .")
    text = "\n".join(lines)
    shapes = turtle(text)
    ours, theirs = engine.check(data, shapes), shacl.check(data, shapes)
    left, right = {key(each) for each in ours}, {key(each) for each in theirs}
    assert (left - right, right - left) == (set(), set()), text
