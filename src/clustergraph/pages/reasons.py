"""Why the statements about a thing are believed: the attestations of each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.queries import select
from clustergraph.pages.view import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row


def evidence(
    backend: Backend, base: str, node: ox.NamedNode
) -> Mapping[tuple[Term, Term], tuple[Evidence, ...]]:
    """The attestations of a thing's statements, by predicate and object; one query.

    Args:
        backend: the store of the release.
        base: the base IRI.
        node: the thing.
    """

    def cg(name: str) -> ox.NamedNode:
        return ox.NamedNode(f"{base}ontology#{name}")

    rows = select(
        backend,
        "evidence",
        thing=node,
        cg_certainty=cg("certainty"),
        cg_rationale=cg("rationale"),
        cg_hasPassage=cg("hasPassage"),
        cg_firstLine=cg("firstLine"),
        cg_lastLine=cg("lastLine"),
    )
    grouped: dict[tuple[Term, Term], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        grouped[row["p"], row["o"]][row["attestation"].value].append(row)
    return {
        key: tuple(_attestation(iri, found) for iri, found in sorted(each.items()))
        for key, each in grouped.items()
    }


def _attestation(iri: str, rows: Sequence[Row]) -> Evidence:
    def text(name: str) -> str:
        return next((row[name].value for row in rows if name in row), "")

    passages = {
        (row["passage"].value, int(row["first"].value), int(row["last"].value))
        for row in rows
        if "passage" in row
    }
    return Evidence(
        iri,
        text("certainty"),
        text("rationale"),
        tuple(sorted(passages, key=lambda each: (each[1], each[0]))),
    )
