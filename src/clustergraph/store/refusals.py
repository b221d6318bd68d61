"""What an engine's refusals mean: its status and its message become an error of ours."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from clustergraph import errors

if TYPE_CHECKING:
    from clustergraph.errors import ClusterGraphError

_MESSAGE = 300  # characters of an engine's message that are told
PARTIAL = ("S1TAT", "S1T00")
"""States by which an engine says that its time was over."""
_TAGS = re.compile(r"<(style|script|title)\b.*?</\1>|<[^>]{0,200}>", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_TIME = re.compile(
    r"time[d]?[ -]?out|time limit|deadline|took too long|query (?:was )?(?:cancel|abort|interrupt)|"
    r"S1T00|execution time .{0,40}exceeds",
    re.IGNORECASE,
)
_SYNTAX = re.compile(
    r"syntax error|parse (?:error|exception)|malformed ?query|SP03\d|37000|SR\d{3}.{0,20}undefined",
    re.IGNORECASE,
)
_MEMORY = re.compile(r"out of memory|memory limit|heap space|SR\d{3}.{0,40}memory", re.IGNORECASE)


def readable(text: str) -> str:
    """An engine's message in one line, without markup, the beginning of it."""
    plain = _SPACE.sub(" ", unescape(_TAGS.sub(" ", text))).strip()
    return plain if len(plain) <= _MESSAGE else plain[:_MESSAGE].rstrip() + " ..."


def refusal(shown: str, status: int, message: str, after: float = 0) -> ClusterGraphError:  # noqa: PLR0911  one return a kind
    """What an engine's refusal means, by its status and its message.

    Args:
        shown: the engine's address as messages name it.
        status: of HTTP.
        message: of the engine, for people.
        after: seconds after which it wants to be asked again; 0 if it does not tell.
    """
    tail = f": {message}" if message else "."
    if status in {408, 504} or (status >= 400 and _TIME.search(message)):
        return errors.TimeLimitError(
            f"The engine gave the query up{tail}",
            hint="Ask for less at once: add a LIMIT, bind more terms, or split it.",
        )
    if status in {429, 503}:
        busy = errors.OverloadedError(f"The engine is busy{tail}", hint="Try again soon.")
        busy.retry_after = round(after) or busy.retry_after
        return busy
    if status >= 400 and _MEMORY.search(message):
        return errors.MemoryLimitError(
            f"The query needs more memory than the engine gives it{tail}",
            hint="Ask for less at once: add a LIMIT, bind more terms.",
        )
    if status == 400 or (status == 500 and _SYNTAX.search(message)):
        return errors.QueryError(f"The engine refuses the text{tail}")
    if status in {413, 414}:
        return errors.QueryError(f"The text is longer than the engine reads{tail}")
    if status in {401, 403}:
        return errors.EngineError(
            f"{shown} does not let us in{tail}",
            hint="Set CG_STORE_USER and CG_STORE_PASSWORD, or CG_STORE_TOKEN.",
        )
    if status in {404, 405, 410} or 300 <= status < 400:
        return errors.EngineError(
            f"{shown} is no such endpoint (status {status}){tail}",
            hint="clustergraph doctor --store URL tells which addresses answer.",
        )
    return errors.EngineError(f"{shown} answers with status {status}{tail}")
