"""Parameters of the SPARQL protocol, from the address or the body: strict UTF-8, or none at all.

Flask puts a replacement character where bytes are no UTF-8; a query must not be changed so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import UnsupportedMediaType

from clustergraph.errors import UsageError
from clustergraph.web.asked import current, parsed

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

FORM = "application/x-www-form-urlencoded"


def from_address() -> MultiDict[str, str]:
    """The parameters in the address.

    Raises:
        UsageError: they are not UTF-8, or too many.
    """
    return current().checked_arguments()


def from_form(body: bytes) -> MultiDict[str, str]:
    """The parameters in a body of the type ``FORM``.

    Raises:
        UsageError: they are not UTF-8, or too many.
        UnsupportedMediaType: the body is compressed.
    """
    _check_plain()
    return parsed(body, "The form")


def text_of(body: bytes) -> str:
    """The text of a body that is a query or an update itself (protocol 2.1.3, 2.2.2).

    Raises:
        UsageError: it is not UTF-8.
        UnsupportedMediaType: it says that it is in another encoding, or compressed.
    """
    _check_plain()
    if current().charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("The body is not UTF-8 text.") from error


def _check_plain() -> None:
    """Requests are short: they are not read in a content coding (RFC 9110 section 15.5.16)."""
    if (current().header("Content-Encoding") or "").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType
