"""A graph in the making, triple by triple, and the vocabularies that describe datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    from collections.abc import Iterable

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DCTERMS = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
FOAF = "http://xmlns.com/foaf/0.1/"
PROV = "http://www.w3.org/ns/prov#"
VOID = "http://rdfs.org/ns/void#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SPDX = "http://spdx.org/rdf/terms#"


class Description:
    """A graph in the making."""

    def __init__(self, graph: str) -> None:
        self.graph = ox.NamedNode(graph)
        self.quads: dict[ox.Quad, None] = {}

    def add(self, subject: str, predicate: str, value: str | ox.Literal) -> None:
        """Add a triple; a ``str`` value is an IRI."""
        term = ox.NamedNode(value) if isinstance(value, str) else value
        self.quads[ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), term, self.graph)] = None

    def take(self, quads: Iterable[ox.Quad]) -> None:
        """Add triples that were made before."""
        for quad in quads:
            self.quads[quad] = None

    def number(self, subject: str, predicate: str, value: int) -> None:
        """Add a count."""
        self.add(subject, predicate, ox.Literal(str(value), datatype=ox.NamedNode(XSD + "integer")))

    def text(self, subject: str, predicate: str, value: str) -> None:
        """Add a text in English; nothing where there is none."""
        if value:
            self.add(subject, predicate, ox.Literal(value, language="en"))

    def day(self, subject: str, predicate: str, value: str) -> None:
        """Add a date; nothing where there is none."""
        if value:
            self.add(subject, predicate, ox.Literal(value, datatype=ox.NamedNode(XSD + "date")))
