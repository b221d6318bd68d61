"""Forms with files (RFC 7578), in bytes: nothing is decoded, so that nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from clustergraph.errors import UsageError

FORM = "multipart/form-data"
_MOST = 20


@dataclass
class Part:
    """One field of a form."""

    name: str
    file: str
    """The name of the file; empty if it is none."""
    content_type: str
    encoding: str
    content: bytes = b""


def parts(body: bytes, boundary: str) -> list[Part]:
    """The fields of a form, without those that were left empty.

    Raises:
        UsageError: the body is no such form, or has too many fields.
    """
    if not boundary:
        raise UsageError("The form has no boundary.")
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=_MOST)
    found: list[Part] = []
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Field | File):
                file = event.filename if isinstance(event, File) else ""
                kind = event.headers.get("Content-Type", "") if file else ""
                coding = event.headers.get("Content-Encoding", "")
                found.append(Part(event.name or "", file or "", kind, coding))
            elif isinstance(event, Data):
                found[-1].content += event.data
    except (ValueError, RequestEntityTooLarge) as error:
        raise UsageError("The form cannot be read, or has too many fields.") from error
    return [each for each in found if each.content]
