"""Questions that are put to the store to explain a query: few, bounded, counted."""

from __future__ import annotations

import functools
import string
import time
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import store
from clustergraph.errors import MemoryLimitError, QueryError, TimeLimitError
from clustergraph.explain.patterns import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.explain.patterns import Condition, Pattern
    from clustergraph.store import Backend, Row

MOST = 80
"""Questions that one explanation may ask."""


class Probes:
    """The store, asked within the prologue and the dataset of a query."""

    def __init__(self, backend: Backend, pattern: Pattern, *, seconds: float) -> None:
        """Ask nothing yet.

        Args:
            backend: what is asked; bounds each question.
            pattern: the query.
            seconds: after which nothing more is asked.
        """
        self.asked = 0
        self.complete = True
        """Whether every question was asked and answered."""
        self._backend = backend
        self._pattern = pattern
        self._end = time.monotonic() + seconds

    def fails(self, conditions: Iterable[Condition]) -> bool:
        """Whether nothing satisfies some conditions together; False where nobody knows."""
        return self._ask("probe", written(conditions)) is False

    def matches(self, conditions: Iterable[Condition]) -> bool:
        """Whether something satisfies some conditions together; False where nobody knows."""
        return self.matches_text(written(conditions))

    def matches_text(self, pattern: str) -> bool:
        """Whether something matches what stands in a group; False where nobody knows."""
        return self._ask("probe", pattern) is True

    def has_rows(self) -> bool:
        """Whether the whole query, with its modifiers, has a solution."""
        return self._ask("subquery", self._pattern.subquery) is not False

    def rows(
        self,
        name: str,
        pattern: str = "",
        around: tuple[str, str] = ("", ""),
        **others: str,
    ) -> list[Row]:
        """The rows of a question; none where nobody knows."""
        text = self._text(name, pattern, before=around[0], after=around[1], **others)
        if not self._may_ask():
            return []
        try:
            return store.select(self._backend, text)
        except (TimeLimitError, MemoryLimitError, QueryError):
            self.complete = False
            return []

    def _ask(self, name: str, pattern: str) -> bool | None:
        if not self._may_ask():
            return None
        try:
            return store.ask(self._backend, self._text(name, pattern))
        except (TimeLimitError, MemoryLimitError, QueryError):
            self.complete = False
            return None

    def _may_ask(self) -> bool:
        if self.asked >= MOST or time.monotonic() > self._end:
            self.complete = False
            return False
        self.asked += 1
        return True

    def _text(self, name: str, pattern: str, **others: str) -> str:
        return _template(name).substitute(
            others,
            prologue=self._pattern.prologue,
            dataset=self._pattern.dataset,
            pattern=pattern,
        )


@functools.cache
def _template(name: str) -> string.Template:
    path = Path(__file__).resolve().parent / f"{name}.rq"
    return string.Template(path.read_text(encoding="utf-8"))
