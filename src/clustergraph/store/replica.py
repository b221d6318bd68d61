"""A copy of the current release in this process, which follows from release to release.

Each release asks it through a view of its own. Once it has gone on, the views of earlier releases
ask something else that still holds theirs: no page mixes two releases.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import patch
from clustergraph.store import embedded
from clustergraph.store.backend import STORED_DATASET, read_solutions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query
    from clustergraph.store.backend import Answer, Backend, DatasetClause, Row


class Replica:
    """One release in memory, and then the next; safe to use from many threads."""

    def __init__(self, store: ox.Store, number: int) -> None:
        """Hold a release.

        Args:
            store: in memory; it becomes another with each release.
            number: of the release that it holds.
        """
        self._store = store
        self._number = number
        self._lock = threading.Lock()

    def advance(self, number: int, deltas: Sequence[Path], *, merged: bool) -> None:
        """Hold a later release from now on.

        Args:
            number: of that release.
            deltas: the changes that lead to it, in their order.
            merged: whether the default graph is the merge of the others.

        Raises:
            CorruptedError: a change cannot be read; nothing was changed.
        """
        changes = [patch.read(path) for path in deltas]
        with self._lock:
            self._number = 0
            for change in changes:
                embedded.change(self._store, change.added, change.removed, merged=merged)
            self._number = number

    def select(self, number: int, text: str) -> list[Row] | None:
        """The solutions of a query of our own, if this is the release that is held; else None.

        A query that has begun goes on over the state in which it began.

        Raises:
            QueryError: the query is wrong.
            StoreError: it cannot be answered.
        """
        try:
            with self._lock:
                if self._number != number:
                    return None
                solutions = embedded.solve(self._store, text)
            if not isinstance(solutions, ox.QuerySolutions):
                raise TypeError("select() was given a query of another form")
            return read_solutions(solutions)
        except (OSError, RuntimeError) as error:
            raise embedded.store_error(error) from error

    def view(self, number: int, otherwise: Backend) -> View:
        """A release as a backend; ``otherwise`` is asked once the replica has gone on."""
        return View(self, number, otherwise)


class View:
    """One release, asked of the replica as long as that holds it."""

    def __init__(self, replica: Replica, number: int, otherwise: Backend) -> None:
        self._replica = replica
        self._number = number
        self._otherwise = otherwise

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """See ``Backend.answer``: asked of the other, since it is written in another thread."""
        return self._otherwise.answer(query, fmt, dataset)

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``."""
        rows = self._replica.select(self._number, query.text)
        return self._otherwise.select(query) if rows is None else rows

    def close(self) -> None:
        """The replica goes on to the next release."""
