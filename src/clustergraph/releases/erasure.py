"""What goes when a thing is forgotten: its statements, its parts, and what names it elsewhere.

Pure: which statements go, of all that there are or ever were. ``forget`` lets them go.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    from collections.abc import Iterable

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_STATEMENT = frozenset({_RDF + "subject", _RDF + "object"})
_ABOUT = _STATEMENT | {"http://www.w3.org/ns/org#member"}
"""Whatever points to a thing by one of these exists for it alone."""
_PARTS = frozenset(
    {
        "http://www.w3.org/2008/05/skos-xl#prefLabel",
        "http://www.w3.org/2008/05/skos-xl#altLabel",
        "http://www.w3.org/2008/05/skos-xl#hiddenLabel",
    }
)
_NAMING = re.compile(r"(label|name|literalform|mbox|e-?mail|phone|tel)$", re.IGNORECASE)
_REACHING = re.compile(r"(mbox|e-?mail|phone|tel)$", re.IGNORECASE)
_SHORTEST = 5  # characters from which on a name is looked for in other texts


@dataclass(frozen=True)
class Erasure:
    """What is to be taken out of a graph and its history."""

    nodes: frozenset[str]
    """The things that go: IRIs, and names of blank nodes behind ``_:``."""
    texts: tuple[str, ...]
    """What names them or reaches them, in lower case: nothing that holds one of these stays."""

    def takes(self, quad: ox.Quad) -> bool:
        """Whether a statement goes."""
        return any(self._names(term) for term in quad)

    def _names(self, term: object) -> bool:
        if isinstance(term, ox.BlankNode):
            return str(term) in self.nodes
        if isinstance(term, ox.NamedNode):
            return (
                term.value in self.nodes
                or term.value.split("#", 1)[0] in self.nodes
                or self.mentions(term.value)
            )
        return isinstance(term, ox.Literal) and self.mentions(term.value)

    def mentions(self, text: str) -> bool:
        """Whether a text names what goes."""
        lower = text.lower()
        return any(each in lower for each in self.texts)


def erasure(universe: Iterable[ox.Quad], iris: Iterable[str]) -> Erasure:
    """What goes if things are forgotten.

    With a thing go the blank nodes and extended labels that are its alone, statements about it
    (reified), its memberships (org:Membership), and the contact points that it is linked with.

    Args:
        universe: all quads that were ever stated, without what is computed from them.
        iris: the things.
    """
    outgoing: dict[str, list[tuple[str, str, ox.Quad]]] = {}
    incoming: dict[str, set[tuple[str, str]]] = {}
    reachable: set[str] = set()
    for quad in universe:
        subject, value = _node(quad.subject), _node(quad.object)
        outgoing.setdefault(subject, []).append((quad.predicate.value, value, quad))
        if value:
            incoming.setdefault(value, set()).add((quad.predicate.value, subject))
        if _REACHING.search(quad.predicate.value) or value.startswith(("mailto:", "tel:")):
            reachable.add(subject)
    doomed = set(iris)
    waiting = list(doomed)
    while waiting:
        node = waiting.pop()
        found = {each for each in outgoing if each.startswith(f"{node}#")}
        found |= {
            value
            for predicate, value, _quad in outgoing.get(node, ())
            if value
            and (value.startswith("_:") or predicate in _PARTS or value in reachable)
            and {owner for link, owner in incoming[value] if link not in _STATEMENT}
            <= doomed | {value}
        }
        found |= {
            subject
            for predicate, subject in incoming.get(node, ())
            if predicate in _ABOUT or subject in reachable
        }
        waiting += found - doomed
        doomed |= found
    return Erasure(frozenset(doomed), _texts(doomed, outgoing))


def _node(term: object) -> str:
    if isinstance(term, ox.NamedNode):
        return term.value
    return str(term) if isinstance(term, ox.BlankNode) else ""


def _texts(
    doomed: set[str], outgoing: dict[str, list[tuple[str, str, ox.Quad]]]
) -> tuple[str, ...]:
    """Names, addresses and numbers of what goes, in lower case."""
    texts: set[str] = set()
    for node in doomed:
        for predicate, value, quad in outgoing.get(node, ()):
            if isinstance(quad.object, ox.Literal) and _NAMING.search(predicate):
                texts.add(quad.object.value)
            elif value.startswith(("mailto:", "tel:")):
                texts.add(value.split(":", 1)[1])
    return tuple(sorted({each.lower() for each in texts if len(each) >= _SHORTEST}))


def hashed(iri: str, base: str) -> str:
    """An IRI as a tombstone remembers it: relative to the base, so that it holds under any."""
    return hashlib.sha256(iri.removeprefix(base).encode()).hexdigest()
