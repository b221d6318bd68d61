"""Stored queries as example queries in a graph, where editors and other programs find them.

Each is a ``sh:SPARQLExecutable`` (https://www.w3.org/TR/shacl/#sparql-executables), described as
the SIB does it (https://github.com/sib-swiss/sparql-examples).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.queries import StoredQuery
    from clustergraph.rdf import Term
    from clustergraph.settings import Settings

GRAPH = "graph/queries"
"""The graph, relative to the base."""

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_TARGET = ox.NamedNode("https://schema.org/target")
_FORMS = {
    sparql.Form.SELECT: ("SPARQLSelectExecutable", "select"),
    sparql.Form.ASK: ("SPARQLAskExecutable", "ask"),
    sparql.Form.CONSTRUCT: ("SPARQLConstructExecutable", "construct"),
}
_HEADER = "#+"


def describe(queries: Iterable[StoredQuery], settings: Settings) -> list[ox.Quad]:
    """The graph of the example queries."""
    graph = ox.NamedNode(settings.iri(GRAPH))
    found: list[ox.Quad] = []
    for query in queries:
        try:
            text = executable(query, settings)
        except UsageError:  # whoever runs it is told
            continue
        if text is not None:
            subject = ox.NamedNode(settings.iri(f"{GRAPH}#{query.name}"))
            found += (
                ox.Quad(subject, predicate, value, graph)
                for predicate, value in _said(query, text, settings)
            )
    return found


def _said(query: StoredQuery, text: str, settings: Settings) -> Iterator[tuple[ox.NamedNode, Term]]:
    kind, predicate = _FORMS[sparql.parse(text).form]
    yield _TYPE, ox.NamedNode(rdf.SHACL + "SPARQLExecutable")
    yield _TYPE, ox.NamedNode(rdf.SHACL + kind)
    yield ox.NamedNode(_RDFS + "label"), ox.Literal(query.title, language="en")
    comment = query.description or query.title
    yield ox.NamedNode(_RDFS + "comment"), ox.Literal(comment, language="en")
    yield ox.NamedNode(rdf.SHACL + predicate), ox.Literal(text)
    yield _TARGET, ox.NamedNode(settings.iri("sparql"))


def executable(query: StoredQuery, settings: Settings) -> str | None:
    """The text of a stored query without its header, as anybody can run it.

    Parameters have their defaults, but the examples name no thing of the graph: what is forgotten
    would live on in them. Such a parameter stays a variable, and the query asks for all.

    Returns:
        None where the form has no kind in SHACL, where the text names a thing, or where a
        parameter that is no IRI has no default.

    Raises:
        UsageError: the text is no query, or has not the parameters that its header names.
    """
    things = settings.iri("id/")
    values: dict[str, Term] = {}
    for each in query.parameters:
        term = each.term(each.default, settings.base) if each.default is not None else None
        is_thing = isinstance(term, ox.NamedNode) and term.value.startswith(things)
        if term is not None and not is_thing:
            values[each.name] = term
        elif each.type != "iri":
            return None
    lines = (line for line in query.text.splitlines() if not line.startswith(_HEADER))
    text = sparql.bind("\n".join(lines).strip(), dict(values))
    if things in text or sparql.parse(text).form not in _FORMS:
        return None
    namespaces = {
        prefix: namespace
        for prefix, namespace in sparql.prefixes(text).items()
        if namespace.startswith(things) or things.startswith(namespace)
    }
    named = (token for token in sparql.tokens(text) if token.kind == "name")
    for token in named:
        prefix, _, local = token.text.replace("\\", "").partition(":")
        if local and (namespaces.get(prefix, "") + local).startswith(things):
            return None
    return text
