"""Nodes as the engine holds them: the text of a term in N-Triples, which hashes and compares fast.

A node is ``<iri>``, ``_:label`` or ``"text"`` with its language or datatype. Python keeps the hash
of a string, so sets of nodes are quick; a term of the store computes its hash anew at each look.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pyoxigraph as ox

if TYPE_CHECKING:
    from clustergraph.rdf import Term

SH = "http://www.w3.org/ns/shacl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OWL = "http://www.w3.org/2002/07/owl#"


def iri(value: str) -> str:
    """The node of an IRI."""
    return f"<{value}>"


def sh(name: str) -> str:
    """The node of a term of SHACL's vocabulary."""
    return f"<{SH}{name}>"


TYPE = iri(RDF + "type")
FIRST = iri(RDF + "first")
REST = iri(RDF + "rest")
NIL = iri(RDF + "nil")
SUBCLASS_OF = iri(RDFS + "subClassOf")
CLASS = iri(RDFS + "Class")

STRING = XSD + "string"
LANG_STRING = RDF + "langString"

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class Parts(NamedTuple):
    """A literal taken apart; ``language`` is in lower case, or empty."""

    text: str
    datatype: str
    language: str


def is_iri(node: str) -> bool:
    """Whether the node is an IRI."""
    return node[0] == "<" and node[1] != "<"


def is_blank(node: str) -> bool:
    """Whether the node is a blank node."""
    return node[0] == "_"


def is_literal(node: str) -> bool:
    """Whether the node is a literal."""
    return node[0] == '"'


@lru_cache(maxsize=65_536)
def parts(node: str) -> Parts:
    """The parts of a literal."""
    end = node.rindex('"')
    text = node[1:end]
    if "\\" in text:
        text = _ESCAPE.sub(_character, text)
    rest = node[end + 1 :]
    if not rest:
        return Parts(text, STRING, "")
    if rest[0] == "@":
        return Parts(text, LANG_STRING, rest[1:].lower())
    return Parts(text, rest[3:-1], "")


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])


def value(node: str) -> str:
    """What SPARQL's STR gives: the IRI, or the literal's text; a blank node's label."""
    if node[0] == '"':
        return parts(node).text
    return node[1:-1] if node[0] == "<" else node[2:]


def node(term: Term) -> str:
    """The node of a term."""
    return str(term)


def term(text: str) -> Term:
    """The term of a node."""
    if text[0] == "<":
        return ox.NamedNode(text[1:-1])
    if text[0] == "_":
        return ox.BlankNode(text[2:])
    content, datatype, language = parts(text)
    if language:
        return ox.Literal(content, language=language)
    return ox.Literal(content, datatype=ox.NamedNode(datatype))


def literal(text: str, language: str = "") -> str:
    """The node of a plain text."""
    return str(ox.Literal(text, language=language) if language else ox.Literal(text))
