"""Evidence rules that need more than a query: an attestation is named after what it attests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.validation.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PARTS = {ox.NamedNode(_RDF + name): name for name in ("subject", "predicate", "object")}
SLUG_LENGTH = 16


def attestation_slug(
    subject: ox.NamedNode,
    predicate: ox.NamedNode,
    value: ox.NamedNode | ox.Literal,
    graph: ox.NamedNode,
    base: str,
) -> str:
    """The slug of the attestation of one statement.

    The first 16 hexadecimal digits of the SHA-256 of the statement's N-Quads line, in which IRIs
    under the base are written relative to it, so that it is the same under any base.
    """
    line = f"{subject} {predicate} {value} {graph} .".replace(f"<{base}", "<")
    return hashlib.sha256(line.encode()).hexdigest()[:SLUG_LENGTH]


def is_part(quad: ox.Quad, base: str) -> bool:
    """Whether a statement is a part of an attestation."""
    return (
        quad.predicate in _PARTS
        and isinstance(quad.subject, ox.NamedNode)
        and quad.subject.value.startswith(f"{base}id/attestation/")
    )


def check(
    quads: Iterable[ox.Quad], base: str, others: Iterable[ox.NamedNode] = ()
) -> list[Finding]:
    """R69: each attestation's slug fits the triple it attests, in one of the graphs that exist.

    Args:
        quads: with all statements about each attestation that is checked.
        base: the base IRI.
        others: graphs that there are beside those of the quads.
    """
    prefix = f"{base}id/attestation/"
    parts: dict[ox.NamedNode, dict[str, ox.NamedNode | ox.Literal]] = {}
    graphs: set[ox.NamedNode] = set(others)
    for quad in quads:
        if isinstance(quad.graph_name, ox.NamedNode):
            graphs.add(quad.graph_name)
        name = _PARTS.get(quad.predicate)
        if (
            name
            and isinstance(quad.subject, ox.NamedNode)
            and quad.subject.value.startswith(prefix)
            and isinstance(quad.object, ox.NamedNode | ox.Literal)
        ):
            parts.setdefault(quad.subject, {})[name] = quad.object
    return [
        Finding(
            rule="R69",
            severity=Severity.VIOLATION,
            message="The attestation is not named after the triple that it attests; "
            f"its slug should be {expected}.",
            focus=node,
            shape=f"{base}shapes#R69",
        )
        for node, triple in parts.items()
        if (expected := _expected(triple, graphs, base, node.value.removeprefix(prefix)))
    ]


def _expected(
    triple: dict[str, ox.NamedNode | ox.Literal],
    graphs: set[ox.NamedNode],
    base: str,
    slug: str,
) -> str | None:
    """None if the slug is right, else what it should be."""
    subject, predicate, value = (triple.get(name) for name in ("subject", "predicate", "object"))
    if not isinstance(subject, ox.NamedNode) or not isinstance(predicate, ox.NamedNode):
        return None  # told by the shape of attestations
    if value is None:
        return None
    slugs = [
        attestation_slug(subject, predicate, value, graph, base)
        for graph in sorted(graphs, key=lambda each: (not _is_source(each), str(each)))
    ]
    return None if slug in slugs else (slugs or [""])[0]


def _is_source(graph: ox.NamedNode) -> bool:
    return "/graph/source/" in graph.value
