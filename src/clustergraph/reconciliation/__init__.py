"""Entity reconciliation: names of others matched with the things of the current release.

``queries`` reads what clients ask, ``matcher`` hands it to a process of its own (``worker``), which
holds the names of the release in memory (``things``, ``index``) and answers (``matching``,
``answers``). Only the public graph is ever read; nothing is written.
"""

from clustergraph.reconciliation.matcher import Matcher
from clustergraph.reconciliation.queries import BATCH, Query

__all__ = ["BATCH", "Matcher", "Query"]
