"""What stands before Flask: queries and documents for programs are answered here, without it.

A request that a person makes, or that is wrong, goes on to Flask: so pages, and errors in the form
that the client wants, are made in one place. What a request is, and what is found out about it,
both share (``asked``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wsgi import get_host

from clustergraph.web import asked as asking
from clustergraph.web import documents, headers, memento, protocol, stored
from clustergraph.web.asked import Asked
from clustergraph.web.authorisation import Guesses
from clustergraph.web.errors import FOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from clustergraph.service import ClusterGraph
    from clustergraph.web.respond import Representation

_READ = frozenset({"GET", "HEAD"})
_OK, _NOT_MODIFIED = "200 OK", "304 NOT MODIFIED"


class Answering:
    """WSGI middleware."""

    def __init__(self, app: WSGIApplication, graph: ClusterGraph) -> None:
        """Put it before an application.

        Args:
            app: what answers everything else; it finds the request in ``asked.current``.
            graph: what is asked about.
        """
        self._app = app
        self._graph = graph
        self._guesses = Guesses()
        self._hosts = graph.settings.trusted_hosts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let Flask answer."""
        asked = Asked(environ, self._graph, self._guesses)
        former = asking.take(asked)
        try:
            direct = self._surface(asked)
            if direct is not None:
                try:
                    found = direct()
                    if found is not None:
                        return _sent(found, asked, start_response)
                except Exception as error:
                    environ[FOUND] = error
            return self._app(environ, start_response)
        finally:
            asking.take(former)

    def _surface(self, asked: Asked) -> Callable[[], Representation | None] | None:
        """What may answer a request; None: Flask does."""
        path = asked.path
        found: Callable[[], Representation | None] | None = None
        if protocol.is_endpoint(path):
            found = protocol.direct if asked.method in _READ or asked.method == "POST" else None
        elif asked.method in _READ:
            if documents.is_document(path):
                found = documents.direct
            elif stored.is_call(path):
                found = stored.direct
        if found is None or (self._hosts and not self._is_trusted(asked.environ)):
            return None
        travelling = memento.exists_in_each(path) and memento.travels(asked)
        return None if travelling else found

    def _is_trusted(self, environ: WSGIEnvironment) -> bool:
        return host_is_trusted(get_host(environ), self._hosts)


def _sent(found: Representation, asked: Asked, start_response: StartResponse) -> Iterable[bytes]:
    """Send a representation with the headers that every answer has."""
    if memento.exists_in_each(asked.path):
        memento.tell(found, asked)
    vary = (*found.vary, "Authorization") if asked.is_personal else found.vary
    head = [("ETag", f'"{found.etag}"'), ("Vary", ", ".join(vary)), *found.headers]
    if found.links:
        head.append(("Link", ", ".join(found.links)))
    head += headers.of_answer(asked, readable=True)
    if found.fresh:
        start_response(_NOT_MODIFIED, head)
        return []
    head.append(("Content-Type", found.content_type))
    if found.body is not None:
        head += (headers.digest(found.body), ("Content-Length", str(len(found.body))))
    start_response(_OK, head)
    if asked.method == "HEAD":
        return []
    return [found.body] if found.body is not None else found.chunks or []
