"""Terms as short texts: what the reader gives, and what the engine's terms are looked up by.

An IRI is itself, a blank node ``_:label``, a literal ``"text"`` with ``@language`` or
``^^datatype``, a triple term ``<<( s p o )>>``.
"""

from __future__ import annotations

import pyoxigraph as ox

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
STRING = XSD + "string"


def literal(text: str, *, datatype: str = STRING, language: str = "") -> str:
    """The key of a literal."""
    if language:
        return f'"{text}"@{language}'
    return f'"{text}"' if datatype == STRING else f'"{text}"^^{datatype}'


def triple(subject: str, predicate: str, value: str) -> str:
    """The key of a triple term."""
    return f"<<( {subject} {predicate} {value} )>>"


def is_blank(key: str) -> bool:
    """Whether a key is that of a blank node."""
    return key.startswith("_:")


def key(term: object) -> str:
    """The key of one of the engine's terms."""
    if isinstance(term, ox.NamedNode):
        return term.value
    if isinstance(term, ox.BlankNode):
        return "_:" + term.value
    if isinstance(term, ox.Literal):
        if term.language:
            direction = getattr(term, "direction", None)
            language = term.language.lower()
            if direction is not None:
                language += "--" + direction.value
            return literal(term.value, language=language)
        return literal(term.value, datatype=term.datatype.value)
    if isinstance(term, ox.Triple):
        return triple(key(term.subject), key(term.predicate), key(term.object))
    return ""  # the default graph
