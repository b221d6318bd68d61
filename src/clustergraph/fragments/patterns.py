"""Patterns, and their terms as they stand in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pyoxigraph as ox

from clustergraph.errors import UsageError

if TYPE_CHECKING:
    from clustergraph.rdf import Term

DEFAULT_GRAPH = "urn:ldf:defaultGraph"
"""The IRI by which quad pattern fragments name the default graph."""

_LITERAL = re.compile(
    r'"(?P<text>.*)"(?:@(?P<language>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)|\^\^<?(?P<type>[^<>"]+)>?)?',
    re.DOTALL,
)
_VARIABLE = re.compile(r"\?\w{0,100}")
_BLANK = re.compile(r"_:([A-Za-z0-9_][\w.-]{0,200})", re.ASCII)
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")
_LONGEST = 100_000


@dataclass(frozen=True)
class Variable:
    """A place that any term may take; the same term wherever the same name stands."""

    name: str = ""


Place: TypeAlias = "Term | Variable"


@dataclass(frozen=True)
class Pattern:
    """What the statements of a fragment have in common."""

    subject: Place
    predicate: Place
    object: Place
    graph: Place | None
    """None: the default graph."""

    @property
    def places(self) -> dict[str, Place]:
        """The places by their names, the default graph left out."""
        found = {"subject": self.subject, "predicate": self.predicate, "object": self.object}
        return found if self.graph is None else found | {"graph": self.graph}

    @property
    def is_possible(self) -> bool:
        """Whether any statement can look so: no literal is a subject, a predicate or a graph."""
        iris = (self.predicate, self.graph)
        return not isinstance(self.subject, ox.Literal) and not any(
            isinstance(each, ox.Literal | ox.BlankNode) for each in iris
        )


def term(text: str, name: str) -> Place:
    """A term as it stands in an address: an IRI, ``"text"@en``, ``"1"^^iri``, ``?x``, ``_:b``.

    Args:
        text: what stands there; nothing stands for a variable.
        name: of the place, for errors.

    Raises:
        UsageError: it is none of these.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"{name} is longer than {_LONGEST} characters.")
    if not text or _VARIABLE.fullmatch(text):
        return Variable(text[1:] or f"?{name}")
    blank = _BLANK.fullmatch(text)
    literal = _LITERAL.fullmatch(text)
    iri = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    try:
        if blank:
            return ox.BlankNode(blank[1])
        if literal:
            return _literal(literal)
        if _IRI.fullmatch(iri):
            return ox.NamedNode(iri)
    except ValueError as error:
        raise UsageError(f"{name}={text[:80]!r} is no term: {error}.") from error
    raise UsageError(
        f"{name}={text[:80]!r} is no term.",
        hint='Write an absolute IRI, "text", "text"@en, "1"^^http://www.w3.org/2001/XMLSchema#int '
        "or ?variable.",
    )


def skolemised(quad: ox.Quad, prefix: str) -> ox.Quad:
    """A quad with IRIs in the place of blank nodes (RDF 1.1 section 3.5).

    A client joins pages by terms, and a blank node is another one in each document.

    Args:
        quad: any.
        prefix: with which the IRIs begin.
    """

    def named(each: Any) -> Any:
        return ox.NamedNode(prefix + each.value) if isinstance(each, ox.BlankNode) else each

    return ox.Quad(*map(named, quad))


def unskolemised(text: str, prefix: str) -> str:
    """The term that stands in an address, a blank node where the IRI is one that stands for it."""
    plain = text.strip("<>")
    return f"_:{plain.removeprefix(prefix)}" if plain.startswith(prefix) else text


def _literal(match: re.Match[str]) -> ox.Literal:
    if match["language"]:
        return ox.Literal(match["text"], language=match["language"])
    if match["type"]:
        if not _IRI.fullmatch(match["type"]):
            raise ValueError(f"{match['type'][:80]} is no absolute IRI")
        return ox.Literal(match["text"], datatype=ox.NamedNode(match["type"]))
    return ox.Literal(match["text"])
