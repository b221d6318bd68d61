"""The queries of this package, bound and run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import sparql, store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row

_FOLDER = Path(__file__).resolve().parent


@cache
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.rq").read_text(encoding="utf-8")


def select(backend: Backend, name: str, **values: Term | Sequence[Term]) -> list[Row]:
    """The solutions of one of our queries, with its parameters set."""
    return store.select(backend, sparql.bind(_text(name), values))
