"""What shapes of strangers may not ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import ClusterGraphError, UsageError
from clustergraph.rdf import SHACL
from clustergraph.sparql import tokens, unescape

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEXTS = frozenset(SHACL + name for name in ("select", "ask", "construct", "update"))
_SCRIPTS = (SHACL + "js", SHACL + "JS")
_REFUSED = frozenset({"SERVICE", "FROM"})


def check_shapes(shapes: Iterable[ox.Quad]) -> None:
    """Refuse scripts, and queries that look beyond the data.

    The process could not reach out all the same; but whoever wrote such a shape shall not believe
    that it was looked at.

    Raises:
        UsageError: a shape has a script (SHACL-JS), or a query with SERVICE or FROM.
    """
    for quad in shapes:
        for term in (quad.predicate, quad.object):
            if isinstance(term, ox.NamedNode) and term.value.startswith(_SCRIPTS):
                raise UsageError(
                    f"The shapes use <{term.value}>: scripts (SHACL-JS) are not run here.",
                    hint="Say it in SHACL Core or SPARQL.",
                )
        if quad.predicate.value in _TEXTS and isinstance(quad.object, ox.Literal):
            _check_query(quad.object.value)


def _check_query(text: str) -> None:
    try:
        words = {each.text.upper() for each in tokens(unescape(text)) if each.kind == "word"}
    except ClusterGraphError:
        return  # whoever validates says what is wrong with it
    for word in sorted(_REFUSED & words):
        raise UsageError(
            f"A query in the shapes has {word}: it may only look at the data that are validated.",
            hint=f"Take {word} out.",
        )
