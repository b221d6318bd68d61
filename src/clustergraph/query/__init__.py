"""Queries of strangers: answered by worker processes that can be bounded and killed."""

from clustergraph.query.pool import Limits, QueryPool

__all__ = ["Limits", "QueryPool"]
