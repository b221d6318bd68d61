"""RDF formats as values, reading files with positions in errors, rebasing, serialising."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph import compression, jsonld
from clustergraph.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Subject: TypeAlias = ox.NamedNode | ox.BlankNode
Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal
Graph: TypeAlias = ox.NamedNode | ox.BlankNode | ox.DefaultGraph

DEFAULT_GRAPH = ox.DefaultGraph()


@dataclass(frozen=True)
class Format:
    """A serialisation: its media type (and others by which it is asked for) and file suffix."""

    name: str
    media_type: str
    suffix: str
    aliases: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The Content-Type header for this format."""
        utf8 = self.media_type.startswith("text/")
        return f"{self.media_type};charset=utf-8" if utf8 else self.media_type


@dataclass(frozen=True)
class RdfFormat(Format):
    """A serialisation of RDF graphs or datasets."""

    dataset: bool = False
    """Whether it can name graphs."""

    @property
    def engine(self) -> ox.RdfFormat:
        """The same in pyoxigraph's terms."""
        found = ox.RdfFormat.from_media_type(self.media_type)
        if found is None:  # every format below is one that pyoxigraph has
            raise ValueError(self.media_type)
        return found


@dataclass(frozen=True)
class ResultsFormat(Format):
    """A serialisation of SPARQL solutions and booleans."""

    @property
    def engine(self) -> ox.QueryResultsFormat:
        """The same in pyoxigraph's terms."""
        found = ox.QueryResultsFormat.from_media_type(self.media_type)
        if found is None:
            raise ValueError(self.media_type)
        return found


TURTLE = RdfFormat(
    "Turtle",
    "text/turtle",
    "ttl",
    ("application/turtle", "application/x-turtle", "text/n3", "text/rdf+n3", "application/n3"),
)
TRIG = RdfFormat("TriG", "application/trig", "trig", ("application/x-trig",), dataset=True)
N_TRIPLES = RdfFormat("N-Triples", "application/n-triples", "nt", ("text/plain",))
N_QUADS = RdfFormat("N-Quads", "application/n-quads", "nq", ("text/x-nquads",), dataset=True)
JSON_LD = RdfFormat("JSON-LD", "application/ld+json", "jsonld", ("application/json",), dataset=True)
RDF_XML = RdfFormat(
    "RDF/XML", "application/rdf+xml", "rdf", ("application/xml", "text/xml"), dataset=False
)

JELLY = Format("Jelly", "application/x-jelly-rdf", "jelly")
"""A binary format; https://w3id.org/jelly."""
DUMP_FORMATS: tuple[Format, ...] = (N_QUADS, TRIG, TURTLE, JSON_LD, N_TRIPLES, JELLY)
"""Formats of the files to download. Turtle and N-Triples hold the merge, the others all graphs."""

SHACL = "http://www.w3.org/ns/shacl#"

RDF_FORMATS = (TURTLE, JSON_LD, RDF_XML, N_TRIPLES, TRIG, N_QUADS)
"""All RDF formats, the preferred one first."""

JSON = ResultsFormat(
    "JSON", "application/sparql-results+json", "srj", ("application/json", "text/json")
)
XML = ResultsFormat("XML", "application/sparql-results+xml", "srx", ("application/xml", "text/xml"))
CSV = ResultsFormat("CSV", "text/csv", "csv")
TSV = ResultsFormat("TSV", "text/tab-separated-values", "tsv")

RESULTS_FORMATS = (JSON, XML, CSV, TSV)
"""All formats for solutions and booleans, the preferred one first."""

NO_TRIPLE_TERMS = "Triple terms (RDF 1.2) are not taken here:"
REIFY = "Reify the statement: rdf:Statement with rdf:subject, rdf:predicate and rdf:object."

_BY_SUFFIX = {each.suffix: each for each in RDF_FORMATS} | {
    "xml": RDF_XML,
    "owl": RDF_XML,
    "json": JSON_LD,
}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_REFUSED_SCHEMES = frozenset({"javascript", "data", "vbscript"})
_NOT_IN_IRIS = re.compile('[\x00-\x20\x7f-\x9f<>"{}|\\\\^`\u202a-\u202e\u2066-\u2069\ufff0-\uffff]')
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LARGEST = 4 << 30  # bytes of a file once it is decompressed
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_PLACE = re.compile(r"^Parser error (?:at|between) line \d+[^:]*: ")


def format_of(path: Path) -> RdfFormat:
    """The RDF format that a file's suffix stands for, be it compressed.

    Raises:
        SourceError: no RDF format has that suffix.
    """
    found = _BY_SUFFIX.get(_suffixes(path)[0])
    if found is None:
        raise SourceError(
            str(path),
            f"'{path.suffix}' is no suffix of an RDF file.",
            hint="Known: " + ", ".join("." + suffix for suffix in sorted(_BY_SUFFIX)),
        )
    return found


def is_known(media_type: str) -> bool:
    """Whether a media type, parameters allowed, is one of an RDF format alone."""
    bare = media_type.partition(";")[0].strip().lower()
    return any(bare == each.media_type for each in RDF_FORMATS)


def is_source(path: Path) -> bool:
    """Whether a file is named like one that holds RDF."""
    return _suffixes(path)[0] in _BY_SUFFIX


def coding_of(path: Path) -> str:
    """The content coding that a file's last suffix stands for; "" for none."""
    return _suffixes(path)[1]


def _suffixes(path: Path) -> tuple[str, str]:
    """The suffix of the format, and the content coding that a second one stands for."""
    suffix = path.suffix.lstrip(".").lower()
    if suffix in compression.SUFFIXES:
        return path.with_suffix("").suffix.lstrip(".").lower(), compression.SUFFIXES[suffix]
    return suffix, ""


def read(
    path: Path,
    *,
    base: str,
    name: str | None = None,
    contexts: Mapping[str, str] | None = None,
    unsaved: Mapping[Path, str] | None = None,
) -> list[ox.Quad]:
    """Read an RDF file whole.

    Args:
        path: the file; its suffix tells the format (``.ttl``, ``.ttl.gz``, ``.ttl.zst``).
        base: what relative IRIs are resolved against.
        name: how the file is called in error messages.
        contexts: the JSON-LD contexts that it may name.
        unsaved: texts that stand for files, by resolved path.

    Raises:
        SourceError: it cannot be opened, is not UTF-8, breaks the syntax or holds a DOCTYPE
            (whose entities could expand without bound).
        TooLargeError: it is nested too deep, or has too much inside.
    """
    shown = name or str(path)
    fmt = format_of(path)
    typed = unsaved.get(path.resolve()) if unsaved else None
    if typed is not None:
        content = typed.encode("utf-8", "replace")
        return parse(content, fmt, base=base, name=shown, contexts=contexts)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(shown, f"cannot be read: {error.strerror}") from error
    content = compression.decoded(content, _suffixes(path)[1], _LARGEST, name=shown)
    return parse(content, fmt, base=base, name=shown, contexts=contexts)


def text(path: Path, unsaved: Mapping[Path, str] | None = None) -> str:
    """The text of an RDF file, decompressed; or that which stands for it (see ``read``).

    Raises:
        SourceError: it cannot be opened, or is not UTF-8.
    """
    typed = unsaved.get(path.resolve()) if unsaved else None
    if typed is not None:
        return typed
    try:
        content = path.read_bytes()
        content = compression.decoded(content, _suffixes(path)[1], _LARGEST, name=str(path))
        return content.decode("utf-8")
    except OSError as error:
        raise SourceError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(str(path), "is not UTF-8 text.", line=line, column=1) from error


def parse(
    content: bytes,
    fmt: RdfFormat,
    *,
    base: str,
    name: str,
    contexts: Mapping[str, str] | None = None,
) -> list[ox.Quad]:
    """Parse RDF text; see ``read``."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(name, "is not UTF-8 text.", line=line, column=1) from error
    if fmt is RDF_XML and _DOCTYPE.search(content):
        raise SourceError(name, "RDF/XML with a DOCTYPE is not read.", hint="Remove it.")
    if fmt is JSON_LD:
        content = jsonld.inlined(content, contexts or {}, name=name)
    try:
        quads = list(ox.parse(content, fmt.engine, base_iri=base, rename_blank_nodes=True))
    except SyntaxError as error:
        raise SourceError(
            name,
            _PLACE.sub("", error.msg or str(error)),
            line=error.lineno,
            column=error.offset,
        ) from error
    except ValueError as error:
        raise SourceError(name, str(error)) from error
    if b"<<" in content or b"Triple" in content:
        found = next((quad for quad in quads if isinstance(quad.object, ox.Triple)), None)
        if found is not None:
            raise SourceError(name, f"{NO_TRIPLE_TERMS} {str(found)[:200]}", hint=REIFY)
    return quads


def rebase(quads: Iterable[ox.Quad], old: str, new: str) -> Iterator[ox.Quad]:
    """Move quads from one base IRI to another.

    IRIs that start with ``old`` then start with ``new``; so do those named inside literals (the
    SPARQL texts of shapes, namespace declarations).
    """
    if old == new:
        yield from quads
        return

    def move(term: object) -> object:
        if isinstance(term, ox.NamedNode):
            return (
                ox.NamedNode(new + term.value[len(old) :]) if term.value.startswith(old) else term
            )
        if isinstance(term, ox.Literal) and old in term.value:
            text = term.value.replace(old, new)
            if term.language:
                return ox.Literal(text, language=term.language)
            return ox.Literal(text, datatype=term.datatype)
        return term

    for quad in quads:
        yield ox.Quad(*(move(term) for term in quad))  # type: ignore[arg-type]  # kinds are kept


def name_blank_nodes(quads: Iterable[ox.Quad], prefix: str) -> list[ox.Quad]:
    """Give blank nodes names that depend on the content alone (RDFC-1.0), so that two builds agree.

    Args:
        quads: what was read from one file.
        prefix: sets the names of one file apart from those of another; letters and digits.
    """
    everything = list(quads)
    touched = [quad for quad in everything if any(isinstance(term, ox.BlankNode) for term in quad)]
    if not touched:
        return everything
    dataset = ox.Dataset(touched)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)

    def name(term: object) -> object:
        return ox.BlankNode(prefix + term.value) if isinstance(term, ox.BlankNode) else term

    named = [
        ox.Quad(*(name(term) for term in quad))  # type: ignore[arg-type]  # kinds are kept
        for quad in dataset
    ]
    plain = [quad for quad in everything if not any(isinstance(t, ox.BlankNode) for t in quad)]
    return plain + sorted(named, key=str)


def triples(quads: Iterable[ox.Quad]) -> Iterator[ox.Triple]:
    """The quads without their graph names; a triple that stands in two graphs comes twice."""
    for quad in quads:
        yield ox.Triple(quad.subject, quad.predicate, quad.object)


def serialise(
    quads: Iterable[ox.Quad], fmt: RdfFormat, prefixes: Mapping[str, str] | None = None
) -> bytes:
    """Serialise quads; formats without named graphs get each triple once."""
    ordered = sorted(set(quads), key=str)
    declared = _used(prefixes or {}, ordered)
    if not fmt.dataset:
        return _required(
            ox.serialize(dict.fromkeys(triples(ordered)), format=fmt.engine, prefixes=declared)
        )
    grouped = sorted(ordered, key=lambda quad: (str(quad.graph_name), str(quad)))
    return _required(ox.serialize(grouped, format=fmt.engine, prefixes=declared))


def _used(prefixes: Mapping[str, str], quads: Iterable[ox.Quad]) -> dict[str, str]:
    """The prefixes that shorten an IRI of the quads, so that no document declares them all."""
    namespaces = {
        term.value[: max(term.value.rfind("/"), term.value.rfind("#")) + 1]
        for quad in quads
        for each in quad
        for term in (each, each.datatype if isinstance(each, ox.Literal) else None)
        if isinstance(term, ox.NamedNode)
    }
    return {prefix: iri for prefix, iri in prefixes.items() if iri in namespaces}


def _required(content: bytes | None) -> bytes:
    if content is None:  # pyoxigraph returns None only when it was given an output
        raise TypeError("serialize() returned nothing")
    return content


def checked_iri(text: str) -> ox.NamedNode:
    """An absolute IRI that may be written into the graph (RFC 3987; RFC 3986 section 3).

    Raises:
        ValueError: it is relative, has a scheme that a browser would run, is not in Unicode's
            normal form C, or holds characters that no IRI can hold.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ValueError(f"<{text[:200]}> is no absolute IRI")
    if scheme[1].lower() in _REFUSED_SCHEMES:
        raise ValueError(f"<{text[:200]}>: IRIs of the scheme {scheme[1]} are not taken")
    if not unicodedata.is_normalized("NFC", text):
        raise ValueError(f"<{text[:200]}> is not in Unicode's normal form C")
    bad = _NOT_IN_IRIS.search(text)
    if bad is not None:
        raise ValueError(f"<{text[:200]}> holds the character U+{ord(bad[0]):04X}")
    return ox.NamedNode(text)


def check_term(term: object) -> None:
    """Check a term that somebody wants to write.

    Raises:
        ValueError: an IRI is none that may be written (see ``checked_iri``), a literal holds a
            character that XML cannot hold, so that not every format could give it back, or it is a
            triple term, which the checks of what is written do not look into.
    """
    if isinstance(term, ox.NamedNode):
        checked_iri(term.value)
    elif isinstance(term, ox.Literal):
        bad = _NOT_IN_XML.search(term.value)
        if bad is not None:
            raise ValueError(
                f"A literal holds the character U+{ord(bad[0]):04X}: {term.value[:60]!r}"
            )
        checked_iri(term.datatype.value)
    elif isinstance(term, ox.Triple):
        raise ValueError(f"{NO_TRIPLE_TERMS} {str(term)[:200]}")
