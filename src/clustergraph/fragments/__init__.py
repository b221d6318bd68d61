"""Triple and quad pattern fragments: what matches one pattern, page by page, with its number.

The order of a fragment is the one in which the release's store on disk holds it: it is the same
at each request, after a restart too, and never changes, since a release never does.
"""

from clustergraph.fragments.pages import PAGE, Fragments, Page
from clustergraph.fragments.patterns import (
    DEFAULT_GRAPH,
    Pattern,
    Variable,
    skolemised,
    term,
    unskolemised,
)

__all__ = [
    "DEFAULT_GRAPH",
    "PAGE",
    "Fragments",
    "Page",
    "Pattern",
    "Variable",
    "skolemised",
    "term",
    "unskolemised",
]
