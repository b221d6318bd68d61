"""The dataset's own description: DCAT-AP 3 and VoID, with every count taken from the data."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import examples, rdf
from clustergraph.catalogue import dcat
from clustergraph.catalogue.graph import (
    DCAT,
    DCTERMS,
    FOAF,
    PROV,
    RDF,
    RDFS,
    SKOS,
    SPDX,
    VOID,
    XSD,
    Description,
)
from clustergraph.catalogue.statistics import Statistics, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.queries import StoredQuery
    from clustergraph.settings import Settings

__all__ = [
    "DCAT", "DCTERMS", "FOAF", "GRAPH", "PROV", "RDF", "RDFS", "SKOS", "SPDX", "VOID", "XSD",
    "Description", "Statistics", "about", "counted", "describe", "is_computed", "provenance",
]  # fmt: skip

GRAPH = "graph/catalogue"
"""The graph that holds it, under the base."""
_ROUNDS = 10


def describe(
    quads: Iterable[ox.Quad], rules: Mapping[str, StoredQuery], settings: Settings
) -> list[ox.Quad]:
    """The catalogue graph and the description of the inferred graph.

    Args:
        quads: all public quads of the release but these.
        rules: by which something was inferred.
        settings: the project's settings.
    """
    own = provenance(rules, settings)
    return own + counted(Statistics(rdf.triples([*quads, *own]), settings.base), settings)


def counted(statistics: Statistics, settings: Settings) -> list[ox.Quad]:
    """The catalogue graph.

    The counts are of the default graph of the release, this description included; so it is made
    again until its counts are those of the graph that holds it. Where no counts are (that of the
    distinct objects is an object itself, and may be the one that makes the difference), it is left
    at the first description that would come again.

    Args:
        statistics: of all other public quads of the release; unchanged afterwards.
        settings: the project's settings.
    """
    made: dict[ox.Quad, None] = {}
    seen: list[dict[ox.Quad, None]] = []
    for _ in range(_ROUNDS):
        again = dict.fromkeys(_dataset(statistics, settings))
        statistics.change(
            added=rdf.triples(quad for quad in again if quad not in made),
            removed=rdf.triples(quad for quad in made if quad not in again),
        )
        made = again
        if made in seen:
            break
        seen.append(made)
    statistics.change(removed=rdf.triples(made))
    return list(made)


def about(settings: Settings) -> list[ox.Quad]:
    """What can be said of a dataset of which nothing is computed."""
    d = Description(settings.iri(GRAPH))
    dcat.describe(d, settings, ())
    return list(d.quads)


def _dataset(statistics: Statistics, settings: Settings) -> list[ox.Quad]:
    d = Description(settings.iri(GRAPH))
    d.take(_said(settings, frozenset(dcat.vocabularies(statistics.uses))))
    count(d, settings.dataset_iri, statistics, settings)
    return list(d.quads)


@functools.lru_cache(maxsize=4)
def _said(settings: Settings, vocabularies: frozenset[str]) -> tuple[ox.Quad, ...]:
    """What is said of a dataset apart from its counts; it is asked for again and again."""
    d = Description(settings.iri(GRAPH))
    dcat.describe(d, settings, vocabularies)
    return tuple(d.quads)


def is_computed(quad: ox.Quad, settings: Settings) -> bool:
    """Whether a quad is one that the program computes: an inference, or a part of the catalogue."""
    graph = getattr(quad.graph_name, "value", "")
    own = tuple(settings.iri(name) for name in ("graph/inferred", GRAPH, examples.GRAPH))
    if graph == settings.iri("graph/provenance"):
        subject = getattr(quad.subject, "value", "")
        return str(subject).split("#", 1)[0] in own
    return graph in own


def provenance(rules: Mapping[str, StoredQuery], settings: Settings) -> list[ox.Quad]:
    """What ``graph/inferred`` is and by which rules it was made, in ``graph/provenance``."""
    d = Description(settings.iri("graph/provenance"))
    inferred, run = settings.iri("graph/inferred"), settings.iri("graph/inferred#materialisation")
    catalogue = settings.iri(GRAPH)
    d.add(inferred, RDF + "type", PROV + "Entity")
    d.text(inferred, DCTERMS + "title", "Inferred statements")
    d.text(
        inferred,
        DCTERMS + "description",
        "Statements that no source makes itself and that follow by the rules named here.",
    )
    d.add(inferred, PROV + "wasGeneratedBy", run)
    d.add(run, RDF + "type", PROV + "Activity")
    d.text(run, SKOS + "prefLabel", "Materialisation of inferred statements")
    d.add(catalogue, RDF + "type", PROV + "Entity")
    d.text(catalogue, DCTERMS + "title", "Catalogue")
    d.text(
        catalogue,
        DCTERMS + "description",
        "The description of the dataset itself, computed when a release is built.",
    )
    queries = settings.iri(examples.GRAPH)
    d.add(queries, RDF + "type", PROV + "Entity")
    d.text(queries, DCTERMS + "title", "Example queries")
    d.text(
        queries,
        DCTERMS + "description",
        "The stored queries of the project, as anybody can run them.",
    )
    for name, rule in sorted(rules.items()):
        node = settings.iri(f"graph/inferred#{name}")
        d.add(run, PROV + "used", node)
        d.add(node, RDF + "type", PROV + "Plan")
        d.text(node, SKOS + "prefLabel", rule.title)
        d.text(node, DCTERMS + "description", rule.description)
    return list(d.quads)
