"""Queries of strangers: answered by worker processes that can be bounded and killed."""

from clustergraph.query.engine import EngineQueries
from clustergraph.query.limits import Limits
from clustergraph.query.pool import OwnQueries, QueryPool

__all__ = ["EngineQueries", "Limits", "OwnQueries", "QueryPool"]
