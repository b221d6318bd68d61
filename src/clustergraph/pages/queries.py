"""The queries of this package, bound and run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import sparql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row

_FOLDER = Path(__file__).resolve().parent


@cache
def _query(path: Path) -> sparql.Query:
    return sparql.parse(path.read_text(encoding="utf-8"))


def text_of(name: str) -> str:
    """One of our queries, its parameters not set, for who answers it elsewhere."""
    return _query(_FOLDER / f"{name}.rq").text


def select(backend: Backend, name: str, **values: Term | Sequence[Term]) -> list[Row]:
    """The solutions of one of our queries, with its parameters set."""
    return select_from(_FOLDER, backend, name, **values)


def select_from(
    folder: Path, backend: Backend, name: str, /, **values: Term | Sequence[Term]
) -> list[Row]:
    """The solutions of a query of another package, which lies in its folder."""
    query = _query(folder / f"{name}.rq")
    return backend.select(sparql.Query(sparql.bind(query.text, values), query.form))
