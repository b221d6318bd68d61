"""Documents that strangers send: decompressed and parsed within bounds.

Turtle, TriG, N-Triples and N-Quads are parsed by the writer. The parsers of JSON-LD and RDF/XML
can be brought down by a document (nesting, memory), so those two are read by a process of their
own, which gives N-Quads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph import compression, rdf
from clustergraph.errors import TooLargeError, UnsupportedError
from clustergraph.process import confined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.settings import Settings

_SECONDS = 30
_EXPANDED = 4  # a document may be so many times longer as N-Quads than one may be at all
_CONFINED = (rdf.JSON_LD, rdf.RDF_XML)
_BY_MEDIA_TYPE = {
    media_type: each for each in rdf.RDF_FORMATS for media_type in (each.media_type, *each.aliases)
} | {"application/rdf+xml": rdf.RDF_XML, "application/json": rdf.JSON_LD}


@dataclass(frozen=True)
class Upload:
    """A document as the writer takes it."""

    payload: bytes
    fmt: rdf.RdfFormat
    base: str


@dataclass(frozen=True)
class File:
    """A document as it came in a form."""

    content: bytes
    content_type: str
    encoding: str
    """Its Content-Encoding; "" for none."""
    name: str
    """How it is called in messages."""


def together(files: Sequence[File], settings: Settings, *, base: str) -> Upload:
    """Take in several documents as their merge: blank nodes of each are its own.

    Args:
        files: at least one.
        settings: of the project: how large each may be, and all of them as N-Quads.
        base: what their relative IRIs are resolved against.

    Raises:
        UnsupportedError, TooLargeError, SourceError: as ``received``, for the first that is wrong.
    """
    if len(files) == 1:
        each = files[0]
        return received(
            each.content, each.content_type, settings,
            encoding=each.encoding, base=base, name=each.name,
        )  # fmt: skip
    limit = settings.max_upload << 20
    merged = bytearray()
    for each in files:
        fmt = format_of(each.content_type)
        content = compression.decoded(each.content, each.encoding, limit, name=each.name)
        merged += _confined(content, fmt, settings, base, each.name)
        if len(merged) > limit * _EXPANDED:
            raise TooLargeError(
                f"The documents together are larger than {limit * _EXPANDED} bytes as N-Quads.",
                hint="Send them one by one.",
            )
    return Upload(bytes(merged), rdf.N_QUADS, base)


def received(
    body: bytes,
    content_type: str,
    settings: Settings,
    *,
    encoding: str = "",
    base: str,
    name: str = "the document",
) -> Upload:
    """Take in a document.

    Args:
        body: as it came.
        content_type: its media type.
        settings: of the project: how large it may be.
        encoding: its Content-Encoding.
        base: what its relative IRIs are resolved against.
        name: how it is called in messages.

    Raises:
        UnsupportedError: a media type or encoding that is not read here.
        TooLargeError: it is larger or nested deeper than is read here.
        SourceError: it breaks its syntax; names line and column where the parser tells them.
    """
    fmt = format_of(content_type)
    content = compression.decoded(body, encoding, settings.max_upload << 20, name=name)
    if fmt not in _CONFINED:
        return Upload(content, fmt, base)
    return Upload(_confined(content, fmt, settings, base, name), rdf.N_QUADS, base)


def format_of(content_type: str) -> rdf.RdfFormat:
    """The RDF format of a media type, parameters allowed.

    Raises:
        UnsupportedError: it is none that is read here.
    """
    media_type, _, parameters = content_type.partition(";")
    found = _BY_MEDIA_TYPE.get(media_type.strip().lower())
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if found is None or ("charset=" in charset and "charset=utf-8" not in charset):
        raise UnsupportedError(
            f"{content_type[:80] or 'A document without Content-Type'} is not read here.",
            hint="Send one of: " + ", ".join(each.media_type for each in rdf.RDF_FORMATS),
        )
    return found


def _confined(
    content: bytes, fmt: rdf.RdfFormat, settings: Settings, base: str, name: str
) -> bytes:
    """Parse in a process of its own that is bounded in time and memory."""
    largest = settings.max_upload * _EXPANDED << 20
    arguments = (
        fmt.media_type, base, name, str(settings.query_memory << 20), str(largest),
        str(settings.project), settings.written_base, settings.base,
    )  # fmt: skip
    try:
        return confined.run("clustergraph.writing.parser", arguments, content, seconds=_SECONDS)
    except TimeoutError as error:
        raise TooLargeError(
            f"Reading the document took longer than {_SECONDS} seconds.",
            hint="Send it in parts, or as Turtle.",
        ) from error
    except MemoryError as error:
        raise TooLargeError(
            "Reading the document needs too much memory: it is nested too deep or expands too far.",
            hint="Flatten it, or send it as Turtle.",
        ) from error
