"""Full-text search over the names and descriptions of what is public; one index a release."""

from clustergraph.search.index import NAME, Builder, build
from clustergraph.search.ranking import Facet, Found, Hit, Index
from clustergraph.search.update import update

__all__ = ["NAME", "Builder", "Facet", "Found", "Hit", "Index", "build", "update"]
