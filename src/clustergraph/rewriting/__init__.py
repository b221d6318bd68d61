"""Queries rewritten into others with the same answer, which the engine gives sooner.

A rewriting takes place only where the answer is known to be the same, whatever the data; what is
known of the data (``Known``) tells which way is the faster one. The engine orders joins by the
shape of patterns alone, and looks at every text for a word; see ``joins`` and ``exists``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.rewriting import exists, joins
from clustergraph.rewriting.known import Known, Predicate, Texts
from clustergraph.rewriting.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Known", "Predicate", "Texts", "faster"]

_LONGEST = 20_000
"""Characters of a query that is looked at: to read it costs more than it gains beyond."""


def faster(text: str, known: Callable[[], Known | None] = lambda: None) -> str:
    """A query with the same answer, often the same text.

    Args:
        text: a query that the gate let through, and that is asked of the stored dataset.
        known: what is known of that; nothing, if it is asked of another one.
    """
    if len(text) > _LONGEST:
        return text
    if exists.might(text) and (reading := read(text, exists.RULES)) is not None:
        text = exists.faster(reading)
    statistics = known()
    if statistics is not None and (reading := read(text, joins.RULES)) is not None:
        text = joins.faster(reading, statistics)
    return text
