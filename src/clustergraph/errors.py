"""Every error that ClusterGraph tells a person, and what each means to a shell and to HTTP.

    ClusterGraphError
    ├── UsageError                 what was asked for cannot be done as it was asked
    │   ├── SettingsError          a setting is missing or wrong
    │   ├── SourceError            a file cannot be read as RDF: names file, line, column
    │   ├── QueryError             a SPARQL text is wrong: names line, column
    │   │   └── QueryRefusedError  well formed, but asks for what this endpoint does not do
    │   ├── ParameterError         a stored query got a wrong or no value
    │   ├── NotAcceptableError     no format that we have suits the Accept header
    │   ├── UnsupportedError       a document is in no format that is read here
    │   └── TooLargeError          a document is larger than is read here
    ├── UnauthorisedError          a token is missing, wrong, expired or revoked
    ├── ForbiddenError             a token does not allow this, or nobody may do it
    ├── PreconditionError          the graph has changed since the client looked at it
    ├── NotFoundError              no such thing, release or query
    ├── GoneError                  it was here, and was taken away on purpose
    ├── LimitError                 a query takes more than a query may take
    │   ├── TimeLimitError         too long
    │   ├── MemoryLimitError       too much memory
    │   ├── AnswerLimitError       too long an answer
    │   ├── OverloadedError        too many at once: try again later
    │   └── TooManyRequestsError   too many from one client
    ├── ValidationFailedError      the graph breaks its shapes: carries the report
    └── StoreError                 the release on disk cannot be used
        ├── BusyError              another process is writing
        ├── CorruptedError         bytes on disk are not those that were written
        ├── EngineError            an engine does not answer, or not as it should
        └── NoSpaceError           the disk is full or cannot be written

Each message says what is wrong, where, and how to mend it. Foreign exceptions become one of
these at the seam where they arise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ClusterGraphError(Exception):
    """The root: anything below it is told as one message, without a traceback."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(ClusterGraphError):
    """What was asked for cannot be done as it was asked."""


class SettingsError(UsageError):
    """A setting is missing or has a value that it cannot have."""


class SourceError(UsageError):
    """A file cannot be read as RDF.

    ``line`` and ``column`` count from 1; None where the parser does not tell.
    """

    def __init__(
        self,
        path: str,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        super().__init__(f"{place}: {message}", hint=hint)
        self.path, self.line, self.column = path, line, column


class QueryError(UsageError):
    """A SPARQL text cannot be parsed; ``line`` and ``column`` count from 1.

    ``reason`` is the message without the place.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        place = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(f"{place}{message}", hint=hint)
        self.reason, self.line, self.column = message, line, column


class QueryRefusedError(QueryError):
    """A query is well formed, but asks for what this endpoint does not do."""


class ParameterError(UsageError):
    """A stored query got a value that does not fit its declaration, or none."""


class NotAcceptableError(UsageError):
    """No representation that we have suits what the client accepts."""

    def __init__(self, message: str, alternatives: tuple[str, ...]) -> None:
        super().__init__(message, hint="available: " + ", ".join(alternatives))
        self.alternatives = alternatives


class UnsupportedError(UsageError):
    """A document is in no format that is read here."""


class TooLargeError(UsageError):
    """A document is larger, or nested deeper, than is read here."""


class UnauthorisedError(ClusterGraphError):
    """A token is missing, wrong, expired or revoked."""


class ForbiddenError(ClusterGraphError):
    """The token does not allow this, or nobody may do it."""


class PreconditionError(ClusterGraphError):
    """The graph has changed since the client looked at it (RFC 9110 section 13)."""


class NotFoundError(ClusterGraphError):
    """There is no such thing, release or query."""


class GoneError(ClusterGraphError):
    """It was here, and was taken away on purpose."""


class LimitError(ClusterGraphError):
    """A query takes more than a query may take; ``retry_after`` is in seconds."""

    retry_after: int | None = None


class TimeLimitError(LimitError):
    """A query took too long."""


class MemoryLimitError(LimitError):
    """A query needed too much memory."""


class AnswerLimitError(LimitError):
    """The answer to a query is longer than an answer may be."""


class OverloadedError(LimitError):
    """Too much is going on at once."""

    retry_after = 5


class TooManyRequestsError(LimitError):
    """One client asks more than its share."""

    retry_after = 60


class ValidationFailedError(ClusterGraphError):
    """The graph breaks its shapes.

    ``text`` is the report for people, ``documents`` the report by media type.
    """

    def __init__(self, message: str, text: str, documents: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.documents = dict(documents or {})


class StoreError(ClusterGraphError):
    """The release on disk cannot be used."""


class BusyError(StoreError):
    """Another process holds the lock for writing."""


class CorruptedError(StoreError):
    """The bytes on disk are not those that were written."""


class EngineError(StoreError):
    """An engine does not answer, or not as it should; the message names its address.

    That is for operators: who asks over HTTP is not told where the engine is.
    """

    retry_after = 5
    """Seconds after which it is worth trying again."""


class NoSpaceError(StoreError):
    """The disk is full or cannot be written."""


EXIT_FINE, EXIT_FINDINGS, EXIT_COULD_NOT_RUN = 0, 1, 2

EXIT_CODES: Mapping[type[ClusterGraphError], int] = {
    ValidationFailedError: EXIT_FINDINGS,
    ClusterGraphError: EXIT_COULD_NOT_RUN,
}
"""Exit code of the command line by error class; the nearest ancestor counts."""

PROBLEMS: Mapping[type[ClusterGraphError], tuple[int, str]] = {
    QueryError: (400, "The query cannot be run"),
    QueryRefusedError: (400, "The query asks for what this endpoint does not do"),
    NotAcceptableError: (406, "No acceptable representation"),
    UnsupportedError: (415, "A format that is not read here"),
    TooLargeError: (413, "Too large"),
    UsageError: (400, "The request cannot be understood"),
    UnauthorisedError: (401, "A token is needed"),
    ForbiddenError: (403, "Not allowed"),
    PreconditionError: (412, "The graph has changed"),
    NotFoundError: (404, "Not found"),
    GoneError: (410, "Gone"),
    TimeLimitError: (503, "It took too long"),
    MemoryLimitError: (503, "It needs too much memory"),
    TooManyRequestsError: (429, "Too many requests"),
    OverloadedError: (503, "Too busy"),
    LimitError: (503, "It takes too much"),
    ValidationFailedError: (422, "The data break their shapes"),
    BusyError: (503, "Another writer is at work"),
    NoSpaceError: (507, "No space left to write"),
    EngineError: (503, "The engine does not answer as it should"),
    StoreError: (503, "The graph cannot be read"),
    ClusterGraphError: (500, "Something went wrong on our side"),
}
"""HTTP status and title (RFC 9457) by error class; the nearest ancestor counts."""


def exit_code(error: ClusterGraphError) -> int:
    """The exit code that the command line ends with."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def problem(error: ClusterGraphError) -> tuple[int, str]:
    """The HTTP status and title that an error is answered with."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def to_fields(error: ClusterGraphError) -> dict[str, Any]:
    """An error as JSON can carry it from one of our processes to another."""
    return {"class": type(error).__name__, **vars(error)}


def from_fields(fields: Mapping[str, Any]) -> ClusterGraphError:
    """The error that ``to_fields`` took apart; one of an unknown class is the root's."""
    values = dict(fields)
    found = globals().get(str(values.pop("class", "")))
    known = isinstance(found, type) and issubclass(found, ClusterGraphError)
    kind: type[ClusterGraphError] = found if known else ClusterGraphError  # type: ignore[assignment]  # checked
    error = kind.__new__(kind)
    Exception.__init__(error, values.get("message", ""))
    error.__dict__.update(values)
    return error
