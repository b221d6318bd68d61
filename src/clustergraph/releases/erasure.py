"""What goes when a thing is forgotten: its statements, its parts, and what names it elsewhere.

Pure: which statements go, of all that there are or ever were. ``forget`` lets them go.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import pyoxigraph as ox

from clustergraph.tombstones import is_nesting, named_in, spelling

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
    {"label", "preflabel", "altlabel", "hiddenlabel", "literalform", "name", "alternatename",
     "legalname", "preferredname", "fullname", "fn"}
)  # fmt: skip
_GIVEN = frozenset({"givenname", "firstname", "forename"})
_FAMILY = frozenset({"familyname", "lastname", "surname"})
"""Parts of a name, which others share: looked for together only."""
_NAMING = _NAMES | _GIVEN | _FAMILY | {"nick", "additionalname", "title"}
_REACHING = frozenset(
    {"mbox", "email", "hasemail", "phone", "tel", "telephone", "hastelephone", "faxnumber"}
)
"""Local names of properties, in lower case."""
_REACHING_SCHEME = re.compile(r"(?:mailto|tel):", re.IGNORECASE)
_CONTACT = re.compile(r"contact|address|vcard|email|telephone", re.IGNORECASE)
"""Local names of properties that link a thing with how to reach it, in either direction."""
_SHORTEST = 5  # characters from which on a name is looked for in other texts


@dataclass(frozen=True)
class Erasure:
    """What is to be taken out of a graph and its history."""

    nodes: frozenset[str]
    """The things that go: IRIs, and names of blank nodes behind ``_:``."""
    texts: tuple[str, ...]
    """What names them or reaches them, as ``_plain``: nothing that says one of these stays."""
    base: str
    """The base IRI of the graph."""

    @functools.cached_property
    def _texts(self) -> re.Pattern[str] | None:
        """Names as whole words."""
        names = "|".join(re.escape(each) for each in self.texts)
        return re.compile(rf"(?<!\w)(?:{names})(?!\w)") if names else None

    @functools.cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset(spelling(each, self.base) for each in self.nodes)

    def takes(self, quad: ox.Quad) -> bool:
        """Whether a statement goes."""
        return any(self._names(term) for term in quad)

    def is_whole(self, node: object) -> bool:
        """Whether all goes that is said of a node."""
        if isinstance(node, ox.BlankNode):
            return str(node) in self.nodes
        return isinstance(node, ox.NamedNode) and self._goes(node.value)

    def _goes(self, iri: str) -> bool:
        """Whether an IRI is one of those that go, or of a part of one, however it is spelt."""
        spelt = spelling(iri, self.base)
        return spelt in self._spellings or spelt.split("#", 1)[0] in self._spellings

    def _names(self, term: object) -> bool:
        if isinstance(term, ox.Literal):
            return self.mentions(term.value) or self._goes(term.datatype.value)
        if isinstance(term, ox.NamedNode):
            iri = term.value
            telling = _REACHING_SCHEME.match(iri) or any(sign in iri for sign in "%@+")
            return self._goes(iri) or bool((telling or is_nesting(iri)) and self.mentions(iri))
        return self.is_whole(term)

    def mentions(self, text: str) -> bool:
        """Whether a text names what goes: by a name, an address, a number or an IRI."""
        if self._texts is not None:
            spellings = {text, unquote_plus(text)} if "%" in text or "+" in text else {text}
            if any(self._texts.search(_plain(each)) for each in spellings):
                return True
        return any(self._goes(each) for each in named_in(text))


def erasure(universe: Iterable[ox.Quad], iris: Iterable[str], base: str) -> Erasure:
    """What goes if things are forgotten.

    With a thing go the blank nodes and extended labels that are its alone, statements about it
    (reified), its memberships (org:Membership), and the contact points that it is linked with.

    Args:
        universe: all quads that were ever stated, without what is computed from them.
        iris: the things.
        base: the base IRI of the graph.
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
        if _local(quad.predicate.value) in _REACHING or _REACHING_SCHEME.match(value):
            reachable.add(subject)
        if _local(quad.predicate.value) in _NAMING:
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
    return Erasure(frozenset(doomed), _texts(doomed, outgoing), base)


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
    """Names, addresses and numbers of what goes, as ``_plain``."""
    texts: set[str] = set()
    for node in doomed:
        given: set[str] = set()
        family: set[str] = set()
        for predicate, value, quad in outgoing.get(node, ()):
            name = _local(predicate)
            if isinstance(quad.object, ox.Literal):
                if name in _NAMES | _REACHING:
                    texts.add(quad.object.value)
                if name in _GIVEN:
                    given.add(quad.object.value)
                if name in _FAMILY:
                    family.add(quad.object.value)
            elif _REACHING_SCHEME.match(value):
                texts.add(unquote_plus(value.split(":", 1)[1].split("?", 1)[0]))
        for first, last in itertools.product(given, family):
            texts |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
    return tuple(sorted(plain for each in texts if len(plain := _plain(each)) >= _SHORTEST))


def _plain(text: str) -> str:
    """A text without what does not matter for who is meant: case, kinds and lengths of space."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.split())
