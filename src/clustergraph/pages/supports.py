"""What the passages of a source support: each statement, in the order of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label
from clustergraph.pages.reasons import passage
from clustergraph.pages.view import Named, Support, Supports, Value, statement_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clustergraph.pages.labels import Labels
    from clustergraph.store import Row

_PAGE = 50
"""Passages on one page."""


class Supported:
    """What a source supports; one page of it."""

    def __init__(self, rows: Iterable[Row], number: int) -> None:
        """Choose a page.

        Args:
            rows: with ``why``, ``passage`` and its lines, and the statement if it is one.
            number: of the page, from 1; the last one if there are less.
        """
        grouped: dict[str, list[Row]] = {}
        ordered = sorted(rows, key=_place)
        for row in ordered:
            grouped.setdefault(row["passage"].value, []).append(row)
        self._pages = max(1, -(-len(grouped) // _PAGE))
        self._number = max(1, min(number, self._pages))
        self._total = len({row["why"].value for row in ordered})
        begin = (self._number - 1) * _PAGE
        self._shown: Sequence[list[Row]] = list(grouped.values())[begin : begin + _PAGE]

    def iris(self) -> set[str]:
        """Things that are named on this page."""
        return {
            term.value
            for rows in self._shown
            for row in rows
            for term in row.values()
            if isinstance(term, ox.NamedNode)
        }

    def page(self, labels: Labels) -> Supports | None:
        """The page, with names; None if nothing is supported."""
        if not self._shown:
            return None
        return Supports(
            tuple(
                (passage(rows[0], labels), tuple(_support(row, labels) for row in rows))
                for rows in self._shown
            ),
            self._total,
            self._number,
            self._pages,
        )


def _place(row: Row) -> tuple[float, float, str, str]:
    def number(name: str) -> float:
        term = row.get(name)
        text = term.value if isinstance(term, ox.Literal) else ""
        return float(text) if text.isdecimal() else float("inf")

    return number("first"), number("last"), row["passage"].value, row["why"].value


def _support(row: Row, labels: Labels) -> Support:
    why = Named(row["why"].value, labels.of(row["why"].value))
    subject, predicate, term = row.get("s"), row.get("p"), row.get("o")
    if not isinstance(subject, ox.NamedNode) or not isinstance(predicate, ox.NamedNode):
        return Support(why, None)
    if isinstance(term, ox.NamedNode):
        label = labels.of(term.value)
    elif isinstance(term, ox.Literal):
        label = Label(term.value, term.language or "")
    else:
        return Support(why, None)
    return Support(
        why,
        (
            Named(subject.value, labels.of(subject.value)),
            Named(predicate.value, labels.of(predicate.value)),
            Value(term, label, key=statement_key(subject, predicate, term), at=subject.value),
        ),
    )
