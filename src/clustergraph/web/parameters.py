"""Parameters of the SPARQL protocol, from the address or a form: strict UTF-8, or none at all.

Flask puts a replacement character where bytes are no UTF-8; a query must not be changed so.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from clustergraph.errors import UsageError

FORM = "application/x-www-form-urlencoded"
_MOST = 1000


def from_address() -> MultiDict[str, str]:
    """The parameters in the address.

    Raises:
        UsageError: they are not UTF-8, or too many.
    """
    return _parsed(request.query_string, "The address")


def from_form(body: bytes) -> MultiDict[str, str]:
    """The parameters in a body of the type ``FORM``.

    Raises:
        UsageError: they are not UTF-8, or too many.
        UnsupportedMediaType: the body is compressed.
    """
    _check_plain()
    return _parsed(body, "The form")


def text_of(body: bytes) -> str:
    """The text of a body that is a query or an update itself (protocol 2.1.3, 2.2.2).

    Raises:
        UsageError: it is not UTF-8.
        UnsupportedMediaType: it says that it is in another encoding, or compressed.
    """
    _check_plain()
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("The body is not UTF-8 text.") from error


def _check_plain() -> None:
    """Requests are short: they are not read in a content coding (RFC 9110 section 15.5.16)."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType


def _parsed(content: bytes, name: str) -> MultiDict[str, str]:
    try:
        text = content.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text.") from error
    except ValueError as error:
        raise UsageError(f"{name} has more than {_MOST} parameters.") from error
    return MultiDict(pairs)
