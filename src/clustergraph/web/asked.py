"""What is asked: a request as all surfaces see it, those before Flask and those behind it.

Each thread has at most one at hand, which ``Answering`` sets: the parts of an answer ask for it
here, and so need no Flask.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict
from werkzeug.http import parse_etags, parse_options_header
from werkzeug.wsgi import get_input_stream

from clustergraph.errors import UsageError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from clustergraph.reading import OpenRelease
    from clustergraph.service import ClusterGraph
    from clustergraph.tokens import Token
    from clustergraph.web.authorisation import Guesses

_MOST = 1000
_OF_RELEASE = re.compile(r"^/releases/(\d+)/sparql$")

_here = threading.local()


class Asked:
    """One request; what is found out about it is found out once."""

    def __init__(self, environ: WSGIEnvironment, graph: ClusterGraph, guesses: Guesses) -> None:
        """Nothing is read yet.

        Args:
            environ: of the request.
            graph: what it is about.
            guesses: wrong tokens, by client.
        """
        self.environ = environ
        self.graph = graph
        self.guesses = guesses
        self.method: str = environ["REQUEST_METHOD"]
        self.token: Token | None = None
        """Who asks, once ``authorisation`` found it out."""
        self.is_verified = False
        self.languages: list[str] = []
        """Of the reader, once ``views`` found them out."""
        self.kept: dict[int, str] = {}
        """What the page's templates made once, by the object that they made it of."""
        self._release: OpenRelease | None = None
        self._body: bytes | None = None
        self._arguments: MultiDict[str, str] | None = None
        self._mistake = ""

    @property
    def path(self) -> str:
        """The path of the address, decoded."""
        raw: str = self.environ.get("PATH_INFO", "")
        return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "replace")

    @property
    def query_string(self) -> bytes:
        """What follows the question mark, as it was sent."""
        raw: str = self.environ.get("QUERY_STRING", "")
        return raw.encode("latin-1")

    def header(self, name: str) -> str | None:
        """A header other than Content-Type and Content-Length; None if it was not sent."""
        return cast("str | None", self.environ.get(f"HTTP_{name.upper().replace('-', '_')}"))

    @property
    def is_personal(self) -> bool:
        """Whether it tells who asks: the answer is for nobody else."""
        return "HTTP_AUTHORIZATION" in self.environ

    @property
    def arguments(self) -> MultiDict[str, str]:
        """The parameters in the address; where they are no UTF-8, with replacement characters."""
        if self._arguments is None:
            content = self.query_string
            try:
                self._arguments = parsed(content, "The address")
            except UsageError as error:
                self._mistake = error.message
                text = content.decode("utf-8", "replace")
                self._arguments = MultiDict(parse_qsl(text, keep_blank_values=True))
        return self._arguments

    def checked_arguments(self) -> MultiDict[str, str]:
        """The parameters in the address, as a query wants them: not changed by anybody.

        Raises:
            UsageError: they are not UTF-8, or too many.
        """
        found = self.arguments
        if self._mistake:
            raise UsageError(self._mistake)
        return found.copy()

    @property
    def media_type(self) -> str:
        """Of the body; "" if it does not say."""
        return parse_options_header(self.environ.get("CONTENT_TYPE", ""))[0].lower()

    @property
    def charset(self) -> str:
        """Of the body; UTF-8 if it does not say."""
        _kind, options = parse_options_header(self.environ.get("CONTENT_TYPE", ""))
        return options.get("charset", "utf-8").lower()

    def body(self) -> bytes:
        """The whole body.

        Raises:
            RequestEntityTooLarge: it is larger than the settings allow.
        """
        if self._body is None:
            stream = get_input_stream(self.environ, max_content_length=self.graph.settings.max_body)
            self._body = stream.read()
        return self._body

    def holds(self, etag: str) -> bool:
        """Whether the client says that it holds this very representation."""
        return etag in parse_etags(self.environ.get("HTTP_IF_NONE_MATCH"))

    @property
    def opened(self) -> OpenRelease | None:
        """The release of this request, if anything asked for it yet."""
        return self._release

    def release(self, *, restricted: bool) -> OpenRelease:
        """The release of this request: the same from its beginning to its end.

        The current one, unless the address names another (``?release=``,
        ``/releases/{n}/sparql``).

        Args:
            restricted: with what is restricted; the first call decides.

        Raises:
            UsageError: the address names no number.
            NotFoundError, GoneError: there is no such release, or it is not kept any more.
        """
        if self._release is None:
            text = self.arguments.get("release")
            named = _OF_RELEASE.match(self.path)
            if named is not None:
                text = named[1]
            if text is not None and (not text.isdecimal() or len(text) > 9):
                raise UsageError(f"{text[:40]!r} is no number of a release.")
            number = None if text is None else int(text)
            self._release = self.graph.release(number, restricted=restricted)
        return self._release


def parsed(content: bytes, name: str) -> MultiDict[str, str]:
    """Parameters as addresses and forms write them: strict UTF-8.

    Raises:
        UsageError: they are not UTF-8, or too many.
    """
    try:
        text = content.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text.") from error
    except ValueError as error:
        raise UsageError(f"{name} has more than {_MOST} parameters.") from error
    return MultiDict(pairs)


def take(asked: Asked | None) -> Asked | None:
    """Make a request that of this thread; gives the one before."""
    former: Asked | None = getattr(_here, "asked", None)
    _here.asked = asked
    return former


def current() -> Asked:
    """The request that this thread answers.

    Raises:
        LookupError: it answers none.
    """
    found: Asked | None = getattr(_here, "asked", None)
    if found is None:
        raise LookupError("no request is being answered here")
    return found
