"""What goes when a thing is forgotten: its statements, its parts, and what names it elsewhere.

Pure: which statements go, of all that there are or ever were. ``forget`` lets them go.
"""

from __future__ import annotations

import functools
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
_NAMES = frozenset(
    {"label", "preflabel", "altlabel", "hiddenlabel", "literalform", "name", "givenname",
     "familyname", "firstname", "lastname", "additionalname", "alternatename", "legalname",
     "preferredname", "fullname", "nick", "fn", "title"}
)  # fmt: skip
_REACHING = frozenset(
    {"mbox", "email", "hasemail", "phone", "tel", "telephone", "hastelephone", "faxnumber"}
)
"""Local names of properties, in lower case."""
_REACHING_SCHEMES = ("mailto:", "tel:")
_CONTACT = re.compile(r"contact|address|vcard|email|telephone", re.IGNORECASE)
"""Local names of properties that link a thing with how to reach it, in either direction."""
_SHORTEST = 5  # characters from which on a name is looked for in other texts


@dataclass(frozen=True)
class Erasure:
    """What is to be taken out of a graph and its history."""

    nodes: frozenset[str]
    """The things that go: IRIs, and names of blank nodes behind ``_:``."""
    texts: tuple[str, ...]
    """What names them or reaches them, in lower case: nothing that says one of these stays."""

    @functools.cached_property
    def _texts(self) -> re.Pattern[str] | None:
        """Names as whole words, IRIs to their end."""
        names = [f"{re.escape(each)}(?!\\w)" for each in self.texts]
        iris = [
            f"{re.escape(each.lower())}(?![\\w/-])"
            for each in self.nodes
            if not each.startswith("_:")
        ]
        return re.compile(rf"(?<!\w)(?:{'|'.join([*names, *iris])})") if names or iris else None

    def takes(self, quad: ox.Quad) -> bool:
        """Whether a statement goes."""
        return any(self._names(term) for term in quad)

    def is_whole(self, node: object) -> bool:
        """Whether all goes that is said of a node."""
        if isinstance(node, ox.BlankNode):
            return str(node) in self.nodes
        return isinstance(node, ox.NamedNode) and (
            node.value in self.nodes or node.value.split("#", 1)[0] in self.nodes
        )

    def _names(self, term: object) -> bool:
        if isinstance(term, ox.NamedNode | ox.Literal):
            return self.is_whole(term) or self.mentions(term.value)
        return self.is_whole(term)

    def mentions(self, text: str) -> bool:
        """Whether a text names what goes."""
        return self._texts is not None and self._texts.search(text.lower()) is not None


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
    named: set[str] = set()
    for quad in universe:
        subject, value = _node(quad.subject), _node(quad.object)
        outgoing.setdefault(subject, []).append((quad.predicate.value, value, quad))
        if value:
            incoming.setdefault(value, set()).add((quad.predicate.value, subject))
        if _local(quad.predicate.value) in _REACHING or value.startswith(_REACHING_SCHEMES):
            reachable.add(subject)
        if _local(quad.predicate.value) in _NAMES:
            named.add(subject)

    def is_contact(node: str, predicate: str) -> bool:
        """Whether a node is how to reach another: linked as such, or without a name of its own."""
        linked = node not in named or _CONTACT.search(_local(predicate)) is not None
        return linked and node in reachable

    doomed = set(iris)
    waiting = list(doomed)
    while waiting:
        node = waiting.pop()
        found = {each for each in outgoing if each.startswith(f"{node}#")}
        found |= {
            value
            for predicate, value, _quad in outgoing.get(node, ())
            if value
            and (value.startswith("_:") or predicate in _PARTS or is_contact(value, predicate))
            and {owner for link, owner in incoming[value] if link not in _STATEMENT}
            <= doomed | {value}
        }
        found |= {
            subject
            for predicate, subject in incoming.get(node, ())
            if predicate in _ABOUT or is_contact(subject, predicate)
        }
        waiting += found - doomed
        doomed |= found
    return Erasure(frozenset(doomed), _texts(doomed, outgoing))


def _node(term: object) -> str:
    if isinstance(term, ox.NamedNode):
        return term.value
    return str(term) if isinstance(term, ox.BlankNode) else ""


def _local(predicate: str) -> str:
    """The local name of a property, in lower case."""
    return re.split(r"[#/:]", predicate)[-1].lower()


def _texts(
    doomed: set[str], outgoing: dict[str, list[tuple[str, str, ox.Quad]]]
) -> tuple[str, ...]:
    """Names, addresses and numbers of what goes, in lower case."""
    texts: set[str] = set()
    for node in doomed:
        for predicate, value, quad in outgoing.get(node, ()):
            if isinstance(quad.object, ox.Literal):
                if _local(predicate) in _NAMES | _REACHING:
                    texts.add(quad.object.value)
            elif value.startswith(_REACHING_SCHEMES):
                texts.add(value.split(":", 1)[1])
    return tuple(sorted({each.lower() for each in texts if len(each) >= _SHORTEST}))


def named_in(text: str, base: str) -> set[str]:
    """The IRIs below a base that a text may name; with and without what may end a sentence."""
    found = re.findall(re.escape(base) + r"[^\s<>\"{}|\\^`]*", text)
    return {shape for each in found for shape in (each, each.rstrip(".,;:!?)'"))}


def hashed(iri: str, base: str) -> str:
    """An IRI as a tombstone remembers it: relative to the base, so that it holds under any."""
    return hashlib.sha256(iri.removeprefix(base).encode()).hexdigest()
