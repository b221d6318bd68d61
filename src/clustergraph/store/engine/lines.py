"""N-Quads lines on their way to an engine: taken apart without being parsed, blank nodes named.

An engine gives blank nodes names of its own, so that no later change could name them: they become
IRIs (RDF 1.1 section 3.5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from clustergraph.store.engine.names import GENID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*+"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?')


class Line(NamedTuple):
    """A statement: the text of its triple, and the name of its graph; "" for the default graph."""

    triple: bytes
    graph: str


def apart(line: bytes, base: str) -> Line:
    """A line of N-Quads as our own files write it.

    Raises:
        ValueError: it is no such line.
    """
    subject, predicate, rest = line.rstrip().removesuffix(b" .").split(b" ", 2)
    if rest.startswith(b'"'):
        match = _LITERAL.match(rest)
        if match is None:
            raise ValueError(f"no line of N-Quads: {line[:80]!r}")
        value, graph = match[0], rest[match.end() :].strip()
    else:
        value, _, graph = rest.partition(b" ")
    if subject.startswith(b"_:") or value.startswith(b"_:"):
        subject, value = named(subject, base), named(value, base)
    return Line(b"%b %b %b" % (subject, predicate, value), named(graph, base).decode()[1:-1])


def named(term: bytes, base: str) -> bytes:
    """A term of N-Quads; an IRI in the place of a blank node."""
    if term.startswith(b"_:"):
        return f"<{base}{GENID}{term[2:].decode()}>".encode()
    return term


def merged(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with those of the merge: each triple once more, in the default graph.

    They must come sorted by their triples, as our files have them.
    """
    last = b""
    for line in lines:
        yield line
        if line.triple != last:
            last = line.triple
            yield Line(last, "")


def unnamed(triple: bytes, base: str) -> bytes:
    """The text of a triple with the blank nodes that ``named`` gave IRIs."""
    prefix = f"<{base}{GENID}".encode()
    if prefix not in triple:
        return triple
    subject, predicate, value = triple.split(b" ", 2)
    return b" ".join((_unnamed(subject, prefix), predicate, _unnamed(value, prefix)))


def _unnamed(term: bytes, prefix: bytes) -> bytes:
    return b"_:" + term[len(prefix) : -1] if term.startswith(prefix) else term
