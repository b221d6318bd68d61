"""What an erased thing leaves: the hash of its IRI, which is found again however it is spelt."""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pyoxigraph as ox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]|[^\x00-\x7f]")
_HIERARCHICAL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(.*)", re.DOTALL)
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_INNER = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST_INNER = 2048
_ENDS = re.compile(r"[#.,;:!?)'\]*_]")
_MOST_ENDS = 32
_FORMATS = re.compile(r"\.(?:html|ttl|trig|nt|nq|rdf|jsonld|json|csv|md)$")


def spelling(iri: str, base: str) -> str:
    """One spelling for all that name the same thing (RFC 3986 section 6.2.2).

    Scheme and host in lower case, what need not be percent-encoded is not, no dot segments, NFC;
    the address of a document about a thing counts as the thing.

    Args:
        iri: an IRI, with or without what stands behind ``#``, which is kept.
        base: the base IRI of the graph.
    """
    return _spelling(iri, base) if len(iri) < _LONGEST_INNER else _spelling.__wrapped__(iri, base)


@functools.lru_cache(maxsize=1 << 16)
def _spelling(iri: str, base: str) -> str:
    if "%" in iri:
        iri = _ENCODED.sub(_decoded, iri)
    if not iri.isascii():
        iri = unicodedata.normalize("NFC", iri)
    if (parts := _HIERARCHICAL.fullmatch(iri)) is not None:
        scheme, host, path, rest = parts.groups()
        if "/." in path:
            path = _without_dots(path)
        iri = f"{scheme.lower()}://{host.lower()}{path}{rest}"
    document = f"{base}doc/"
    if iri.startswith(document):
        iri = f"{base}id/{_FORMATS.sub('', iri.removeprefix(document))}"
    return iri


def _decoded(run: re.Match[str]) -> str:
    """What a run of encoded bytes stands for; what is reserved stays encoded."""
    try:
        text = unquote_to_bytes(run[0]).decode("utf-8")
    except UnicodeDecodeError:
        return run[0].upper()
    return "".join(
        each if _UNRESERVED.match(each) else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in text
    )


def _without_dots(path: str) -> str:
    """A path without ``.`` and ``..`` (RFC 3986 section 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


def named_in(text: str) -> Iterator[str]:
    """The IRIs that a text may name.

    Where an IRI ends in a text is anybody's guess: it is given with what follows it up to the
    next space, and cut before each sign that may as well belong to the sentence.
    """
    texts = [text] if ":" in text else []
    if "%3a" in text or "%3A" in text:
        texts.append(unquote_to_bytes(text).decode("utf-8", "replace"))
    for each in texts:
        for found in _IRI.finditer(each):
            yield from _cut(found[0])
            for _count, inner in zip(range(_MOST_ENDS), _INNER.finditer(found[0], 1), strict=False):
                yield from _cut(found[0][inner.start() : inner.start() + _LONGEST_INNER])


def _cut(iri: str) -> Iterator[str]:
    yield iri
    for _count, end in zip(range(_MOST_ENDS), _ENDS.finditer(iri), strict=False):
        yield iri[: end.start()]
    yield iri.rstrip(".,;:!?)'\"]*_")


def is_nesting(iri: str) -> bool:
    """Whether an IRI may hold another, as the addresses of redirections do."""
    return "%3a" in iri or "%3A" in iri or iri.find("://") != iri.rfind("://")


def iris_of(quads: Iterable[ox.Quad]) -> Iterator[str]:
    """All that quads name by IRI: as a term, as a datatype, within a text; some of it often."""
    for quad in quads:
        for term in quad:
            if isinstance(term, ox.NamedNode):
                yield term.value
                if is_nesting(term.value):
                    yield from named_in(term.value)
            elif isinstance(term, ox.Literal):
                yield term.datatype.value
                yield from named_in(term.value)


def hashed(iri: str, base: str) -> str:
    """An IRI as a tombstone remembers it: relative to the base, so that it holds under any."""
    return hashlib.sha256(spelling(iri, base).removeprefix(base).encode()).hexdigest()


def is_erased(iri: str, base: str, hashes: frozenset[str]) -> bool:
    """Whether a thing, or what an IRI is a part of, is among those erased."""
    return bool(hashes) and hashed(iri.split("#", 1)[0], base) in hashes


def first_erased(
    iris: Iterable[str], quads: Iterable[ox.Quad], base: str, hashes: frozenset[str]
) -> str | None:
    """The first of some IRIs, or of those that quads name, that is among those erased."""
    if not hashes:
        return None
    found = itertools.chain(iris, iris_of(quads))
    return next((iri for iri in found if is_erased(iri, base, hashes)), None)
