"""Answers that must stop after they began: ended so that no parser takes them for whole.

The status and the first rows are sent by then. JSON and XML that end early are no JSON and no XML;
the formats that could end anywhere get a last line that breaks their syntax and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph import rdf
from clustergraph.errors import ClusterGraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clustergraph.store import Answer

_LINES = {rdf.N_TRIPLES, rdf.N_QUADS, rdf.TURTLE, rdf.TRIG}


def honest(chunks: Answer, fmt: rdf.Format, stopped: Callable[[], None]) -> Iterator[bytes]:
    """The chunks of an answer; if it must stop, its end is an error in its own format.

    Args:
        chunks: of the answer.
        fmt: in which it is written.
        stopped: called if it had to stop.
    """
    quotes = 0
    try:
        for chunk in chunks:
            if fmt is rdf.CSV:
                quotes += chunk.count(b'"')
            yield chunk
    except ClusterGraphError as error:
        stopped()
        yield _broken(fmt, error.message, inside=quotes % 2 == 1)


def _broken(fmt: rdf.Format, reason: str, *, inside: bool) -> bytes:
    """What breaks the syntax of a format.

    Args:
        fmt: of the answer.
        reason: why it stops.
        inside: whether a quoted field of CSV is open.
    """
    text = f"This answer is incomplete. {reason}".replace('"', "'").replace("\n", " ")
    if fmt is rdf.CSV:
        return (text if inside else f'\r\n"{text}').encode()  # the quote is never closed
    if fmt is rdf.TSV:
        return f'\n"{text}'.encode()
    if fmt in _LINES:
        return f"\n!! {text}\n".encode()
    return b""
