"""An answer whose head is looked at before it is sent on: for middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]


def begun(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, Iterable[bytes]]:
    """Status, headers and chunks of an application's answer; nothing is sent yet."""
    heads: list[tuple[str, Headers]] = []

    def begin(status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:
        heads[:] = [(status, list(headers))]  # who looks at it changes it; who sent it keeps it
        return lambda _data: None

    chunks = app(environ, begin)
    status, headers = heads[0]
    return status, headers, chunks
