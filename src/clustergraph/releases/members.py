"""Members of the change feed: what a release made of one thing, as N-Quads lines.

A member is a named graph that holds all statements of the thing, whatever graph they stand in. It
says in which graph they stand (``sd:name``); where there are several, the others are parts of the
member (``dcterms:hasPart``), each a named graph too. So a reader takes the member's graph for the
thing as it is, and a mirror can put every quad where it stood.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.vocab import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.releases.manifest import Manifest

_KNOWN = prefixes("")
AS = "https://www.w3.org/ns/activitystreams#"
_SD = "http://www.w3.org/ns/sparql-service-description#"
_SPDX = "http://spdx.org/rdf/terms#"
_VOID = "http://rdfs.org/ns/void#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
MEMBER = _KNOWN["tree"] + "member"
VERSION_OF = "http://purl.org/dc/terms/isVersionOf"
CREATED = "http://purl.org/dc/terms/created"
HAS_PART = "http://purl.org/dc/terms/hasPart"
SEQUENCE = _KNOWN["dcat"] + "version"
GENERATED_BY = _KNOWN["prov"] + "wasGeneratedBy"
ACTIVITY = _KNOWN["prov"] + "Activity"
ENDED = _KNOWN["prov"] + "endedAtTime"
STATUS = _KNOWN["adms"] + "status"
COMPLETED = "http://purl.org/adms/status/Completed"
FORMER_TYPE = AS + "formerType"
GRAPH = _SD + "name"
CHECKSUM, CHECKSUM_VALUE = _SPDX + "checksum", _SPDX + "checksumValue"
ALGORITHM, SHA256 = _SPDX + "algorithm", _SPDX + "checksumAlgorithm_sha256"
STATEMENTS = _VOID + "triples"
STREAM = "feed/ldes#stream"
"""The event stream, relative to the base."""
GENID = ".well-known/genid/blank/"
"""Blank nodes get IRIs below this, relative to the base (RDF 1.1 Concepts, section 3.5)."""

_LINE = re.compile(
    rb"(\S+) (\S+) "
    rb'(<[^>]*>|_:\S+|"[^"\\]*(?:\\.[^"\\]*)*"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?)'
    rb"(?: (\S+))? \.\n"
)


@dataclass(frozen=True)
class Version:
    """A thing as a release leaves it."""

    subject: bytes
    """As in N-Quads."""
    kind: bytes
    """Create, Update or Delete, of Activity Streams."""
    lines: tuple[bytes, ...]
    """All that is said of it; of one that is gone, what was taken away."""


class Members:
    """Writes the members of one release."""

    def __init__(self, base: str, manifest: Manifest) -> None:
        self._base = base.encode()
        self._manifest = manifest
        self._stream = _iri(base + STREAM)
        self._release = _iri(f"{base}releases/{manifest.number}")

    def lines(self, version: Version, *, final: bool = False) -> list[bytes]:
        """A member: that it is one, what it is, what it holds.

        Args:
            version: of a thing.
            final: whether it is the last one of its release.
        """
        thing = self._named(version.subject)
        name = hashlib.sha256(thing).hexdigest()[:20].encode()
        member = b"%s#%s>" % (self._release[:-1], name)
        told = [
            (self._stream, MEMBER, member),
            (member, TYPE, _iri(AS + version.kind.decode())),
            (member, VERSION_OF, thing),
            (member, CREATED, _literal(self._manifest.created, "dateTime")),
            (member, SEQUENCE, _literal(str(self._manifest.number), "integer")),
            (member, GENERATED_BY, self._release),
        ]
        if final:
            told.append((member, STATUS, _iri(COMPLETED)))
        if version.kind == b"Delete":
            types = {each[2] for each in map(self._parsed, version.lines) if each[1] == _iri(TYPE)}
            told += [(member, FORMER_TYPE, each) for each in sorted(types)]
            return list(_written(told))
        plain = self._plain(member, version.lines)
        return [
            *_written(told),
            *(self._content(member, version.lines) if plain is None else plain),
        ]

    @staticmethod
    def _plain(member: bytes, lines: Sequence[bytes]) -> list[bytes] | None:
        """What ``_content`` says of a thing of which one graph speaks, without blank nodes."""
        ending = lines[0][lines[0].rindex(b" ", 0, -3) :] if lines else b""
        whole = b"".join(lines)
        if ending[:2] != b" <" or b'"' in ending or b"_:" in whole:
            return None
        if whole.count(ending) != len(lines) or min(line.count(b" ") for line in lines) < 4:
            return None  # several graphs, or a line without one
        told = b"%s <%s>%s" % (member, GRAPH.encode(), ending)
        return [told, *whole.replace(ending, b" %s .\n" % member).splitlines(keepends=True)]

    def release(self) -> list[bytes]:
        """What is said of the release behind its members: by which a mirror checks itself."""
        release, digest = self._release, self._release[:-1] + b"#digest>"
        return list(
            _written(
                (
                    (release, TYPE, _iri(ACTIVITY)),
                    (release, ENDED, _literal(self._manifest.created, "dateTime")),
                    (release, SEQUENCE, _literal(str(self._manifest.number), "integer")),
                    (release, STATEMENTS, _literal(str(self._manifest.quads), "integer")),
                    (release, CHECKSUM, digest),
                    (digest, ALGORITHM, _iri(SHA256)),
                    (digest, CHECKSUM_VALUE, _literal(self._manifest.digest, "hexBinary")),
                )
            )
        )

    def _content(self, member: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The statements of a thing, and in which graphs they stand."""
        graphs: dict[bytes, dict[bytes, None]] = {}
        for line in lines:
            subject, predicate, value, graph = self._parsed(line)
            triple = b"%s %s %s" % (subject, predicate, value)
            graphs.setdefault(graph, {})[triple] = None
        main = max(graphs, key=lambda graph: (len(graphs[graph]), graph))
        others = {graph: triples for graph, triples in graphs.items() if graph != main}
        shared = [each for each in graphs[main] if any(each in part for part in others.values())]
        parts = [*others.items(), *([(main, dict.fromkeys(shared))] if shared else [])]
        if main:
            yield from _written([(member, GRAPH, main)])
        for number, (graph, _triples) in enumerate(parts, start=1):
            part = _part(member, number)
            yield from _written([(member, HAS_PART, part)])
            if graph:
                yield from _written([(part, GRAPH, graph)])
        for triple in dict.fromkeys(each for part in graphs.values() for each in part):
            yield b"%s %s .\n" % (triple, member)
        for number, (_graph, triples) in enumerate(parts, start=1):
            for triple in triples:
                yield b"%s %s .\n" % (triple, _part(member, number))

    def _parsed(self, line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        subject, predicate, value, graph = split(line)
        return self._named(subject), predicate, self._named(value), self._named(graph)

    def _named(self, term: bytes) -> bytes:
        """A term; an IRI in the place of a blank node, so that it is the same in every member."""
        if term.startswith(b"_:"):
            return b"<%s%s%s>" % (self._base, GENID.encode(), term[2:])
        return term


def split(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The terms of a line of N-Quads as this program writes it; b"" for the default graph.

    Raises:
        ValueError: it is none.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"no line of N-Quads: {line[:80]!r}")
    subject, predicate, value, graph = found.groups()
    return subject, predicate, value, graph or b""


def _part(member: bytes, number: int) -> bytes:
    return b"%s-%d>" % (member[:-1], number)


def _iri(iri: str) -> bytes:
    return f"<{iri}>".encode()


def _literal(text: str, kind: str) -> bytes:
    return f'"{text}"^^<{_XSD}{kind}>'.encode()


def _written(statements: Iterable[tuple[bytes, str, bytes]]) -> Iterator[bytes]:
    for subject, predicate, value in statements:
        yield b"%s <%s> %s .\n" % (subject, predicate.encode(), value)
