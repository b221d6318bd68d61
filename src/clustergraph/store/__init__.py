"""The one seam to a SPARQL store: a backend answers a query with bytes in a standard format."""

from clustergraph.store.backend import (
    STORED_DATASET,
    Answer,
    Backend,
    DatasetClause,
    Row,
    Whole,
    ask,
    construct,
    rows,
    select,
    solutions,
)

__all__ = [
    "STORED_DATASET",
    "Answer",
    "Backend",
    "DatasetClause",
    "Row",
    "Whole",
    "ask",
    "construct",
    "rows",
    "select",
    "solutions",
]
