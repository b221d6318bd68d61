"""What the tests of the ontology share: its triples and its rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

from clustergraph import inference, queries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clustergraph.queries import StoredQuery

REPOSITORY = Path(__file__).resolve().parents[2]
BASE = "https://w3id.org/clustergraph/"

PREFIXES = """
    @prefix cg:      <https://w3id.org/clustergraph/ontology#> .
    @prefix id:      <https://w3id.org/clustergraph/id/> .
    @prefix dcterms: <http://purl.org/dc/terms/> .
    @prefix foaf:    <http://xmlns.com/foaf/0.1/> .
    @prefix org:     <http://www.w3.org/ns/org#> .
    @prefix prov:    <http://www.w3.org/ns/prov#> .
    @prefix schema:  <https://schema.org/> .
    @prefix skos:    <http://www.w3.org/2004/02/skos/core#> .
    @prefix skosxl:  <http://www.w3.org/2008/05/skos-xl#> .
    @prefix xsd:     <http://www.w3.org/2001/XMLSchema#> .
    @base <https://w3id.org/clustergraph/id/> .
"""


def parse(text: str) -> list[ox.Quad]:
    """The triples of a piece of Turtle written with the prefixes above."""
    return list(ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE))


@pytest.fixture(scope="session")
def ontology() -> list[ox.Quad]:
    """All triples of the ontology's files, schemes included."""
    return [
        quad
        for path in sorted((REPOSITORY / "ontology").rglob("*.ttl"))
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    ]


@pytest.fixture(scope="session")
def rules() -> Mapping[str, StoredQuery]:
    """The rules that come with the program and the project's own, by name."""
    return {
        name: rule
        for folder in ("src/clustergraph/rules", "ontology/rules")
        for name, rule in queries.read_folder(
            REPOSITORY / folder, written_base=BASE, base=BASE
        ).items()
    }


@pytest.fixture(scope="session")
def derive(
    ontology: list[ox.Quad], rules: Mapping[str, StoredQuery]
) -> Callable[..., set[ox.Triple]]:
    """What rules derive about the entities of a piece of Turtle: all rules, or the named ones."""

    def run(text: str, *names: str) -> set[ox.Triple]:
        chosen = {name: rules[name] for name in names or rules}
        derived = inference.infer([*ontology, *parse(text)], chosen).derived
        return {triple for triple in derived if BASE + "id/" in f"{triple.subject} {triple.object}"}

    return run
