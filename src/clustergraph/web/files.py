"""A file as an answer: validators, ranges, and chunks for clients however slow (RFC 9110, 9530)."""

from __future__ import annotations

import base64
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from flask import Response, request

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator
    from pathlib import Path

_RANGE = re.compile(r"^\s*bytes\s*=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*$")
_CHUNK = 1 << 18


def send(
    path: Path, *, media_type: str, size: int, sha256: str, modified: datetime.datetime
) -> Response:
    """The file, a part of it, or word that the client holds it.

    A range that is none, or several at once, are not looked at, as section 14.2 allows.

    Args:
        path: of the file; its content never changes.
        media_type: of the file.
        size: in bytes.
        sha256: its digest, hexadecimal; the entity tag is made from it.
        modified: when it became what it is.
    """
    modified = modified.replace(microsecond=0)
    response = Response(content_type=media_type)
    response.set_etag(sha256[:32])
    response.last_modified = modified
    response.headers["Accept-Ranges"] = "bytes"
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    if request.if_match and not request.if_match.contains(sha256[:32]):  # 13.1.1
        response.status_code = 412
        response.headers.pop("Repr-Digest")
        return response
    if _is_held(sha256[:32], modified):
        response.status_code = 304
        return response
    found = _range(size) if _applies(sha256[:32], modified) else None
    if found is None:
        response.headers["Content-Length"] = str(size)
        return _with_body(response, path, 0, size)
    first, length = found
    if length <= 0:
        response.status_code = 416
        response.headers["Content-Range"] = f"bytes */{size}"
        response.headers.pop("Repr-Digest")
        response.content_type = "text/plain;charset=utf-8"
        response.set_data(f"The file has {size} bytes.\n")
        return response
    response.status_code = 206
    response.headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    response.headers["Content-Length"] = str(length)
    return _with_body(response, path, first, length)


def _is_held(tag: str, modified: datetime.datetime) -> bool:
    """Whether the client has it already (13.1.2, 13.1.3)."""
    if "If-None-Match" in request.headers:
        return request.if_none_match.contains_weak(tag)
    since = request.if_modified_since
    return since is not None and modified <= since


def _applies(tag: str, modified: datetime.datetime) -> bool:
    """Whether a range is one of what we have (13.1.5): by a strong tag, or the very date."""
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.startswith(('"', "W/")):
        return condition == f'"{tag}"'
    try:
        return parsedate_to_datetime(condition) == modified
    except (TypeError, ValueError):
        return False


def _range(size: int) -> tuple[int, int] | None:
    """First byte and length of the range that is asked for; a length of 0: none can be given."""
    match = _RANGE.match(request.headers.get("Range", ""))
    if match is None or request.method != "GET":
        return None
    if match[3] is not None:
        length = min(int(match[3]), size)
        return size - length, length
    first, last = int(match[1]), int(match[2] or size)
    if match[2] and last < first:
        return None  # no range at all (14.1.1)
    return first, min(last, size - 1) - first + 1


def _with_body(response: Response, path: Path, first: int, length: int) -> Response:
    if request.method == "HEAD":
        return response
    response.response = _chunks(path, first, length)
    response.direct_passthrough = True
    return response


def _chunks(path: Path, first: int, length: int) -> Iterator[bytes]:
    """The bytes, as the client takes them: no more than a chunk is in memory."""
    with path.open("rb") as file:
        file.seek(first)
        while length > 0 and (chunk := file.read(min(_CHUNK, length))):
            length -= len(chunk)
            yield chunk
