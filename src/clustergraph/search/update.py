"""The index of a release out of that of the one before: only things that changed are looked at.

What narrows results may differ from an index that is built anew in one thing: a property that once
had too many values is not looked at again.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

from clustergraph.search.index import MOST_VALUES, Collected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path


def update(
    path: Path, parent: Path, things: Collection[str], lines: Iterable[bytes], *, base: str
) -> None:
    """Write the index of a release of which few things changed.

    Args:
        path: of the file, which must not be there.
        parent: the index of the release before.
        things: the IRIs of the things of which something changed.
        lines: all that is public of these things, as N-Quads.
        base: the base IRI; see ``index.build``.

    Raises:
        OSError, sqlite3.Error: it cannot be written, or the one before not be read.
    """
    shutil.copyfile(parent, path)
    collected = Collected(base)
    for line in lines:
        collected.add(line)
    connection = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        index = _Index(connection)
        for thing in sorted(things):
            index.remove(thing)
        index.add(collected)
        index.count()
        connection.execute("COMMIT")


class _Index:
    """An index that is being changed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._touched: set[str] = set()
        self._many = {
            iri
            for (iri,) in self._rows(
                "SELECT iri FROM property WHERE iri NOT IN (SELECT property FROM held)"
            )
        }

    def _rows(self, text: str, *values: object) -> list[tuple[str, ...]]:
        return self._connection.execute(text, values).fetchall()

    def remove(self, iri: str) -> None:
        """Take out all that is known of a thing."""
        for (thing,) in self._rows("SELECT id FROM thing WHERE iri = ?", iri):
            for text, rank, plain in self._rows(
                "SELECT id, rank, plain FROM text WHERE thing = ?", thing
            ):
                for table in ("words", "pieces") if int(rank) < 3 else ("words",):
                    self._rows(
                        f"INSERT INTO {table} ({table}, rowid, plain) VALUES ('delete', ?, ?)",  # noqa: S608  two names
                        text,
                        plain,
                    )
            for name, value in self._rows(
                "SELECT property, value FROM facet WHERE thing = ?", thing
            ):
                self._hold(name, value, -1)
            for table in ("text", "facet"):
                self._rows(f"DELETE FROM {table} WHERE thing = ?", thing)  # noqa: S608  two names
            self._rows("DELETE FROM thing WHERE id = ?", thing)

    def add(self, collected: Collected) -> None:
        """Take in what is known of things that are not there."""
        first = int(self._rows("SELECT COALESCE(MAX(id), 0) FROM thing")[0][0])
        for number, iri in collected.things():
            self._rows("INSERT INTO thing VALUES (?, ?)", first + number, iri)
        for number, rank, language, value, plain in collected.texts():
            ((text,),) = self._rows(
                "INSERT INTO text (thing, rank, language, value, plain) VALUES (?, ?, ?, ?, ?) "
                "RETURNING id",
                first + number, rank, language, value, plain,
            )  # fmt: skip
            for table in ("words", "pieces") if rank < 3 else ("words",):
                self._rows(
                    f"INSERT INTO {table} (rowid, plain) VALUES (?, ?)",  # noqa: S608  two names
                    text,
                    plain,
                )
        for number, name, value in collected.facets():
            if name not in self._many:
                self._rows("INSERT INTO facet VALUES (?, ?, ?)", first + number, name, value)
                self._hold(name, value, 1)

    def _hold(self, name: str, value: str, step: int) -> None:
        self._touched.add(name)
        self._rows(
            "INSERT INTO held VALUES (?, ?, ?) "
            "ON CONFLICT (property, value) DO UPDATE SET things = things + excluded.things",
            name, value, step,
        )  # fmt: skip

    def count(self) -> None:
        """Find out anew by which properties results are narrowed."""
        self._rows("DELETE FROM held WHERE things = 0")
        for name in sorted(self._touched):
            ((values, most),) = self._counts(name)
            if values > MOST_VALUES:
                for table in ("facet", "held"):
                    self._rows(f"DELETE FROM {table} WHERE property = ?", name)  # noqa: S608
            self._rows("DELETE FROM property WHERE iri = ?", name)
            if values:
                narrows = 1 < values <= MOST_VALUES and most > 1
                self._rows("INSERT INTO property VALUES (?, ?)", name, narrows)

    def _counts(self, name: str) -> Iterator[tuple[int, int]]:
        for values, most in self._rows(
            "SELECT COUNT(*), COALESCE(MAX(things), 0) FROM held WHERE property = ?", name
        ):
            yield int(values), int(most)
