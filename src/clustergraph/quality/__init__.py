"""Where a graph stands: findings and their history, completeness, evidence, links."""

from clustergraph.quality.measures import Completeness, Link, Measures, measured
from clustergraph.quality.reports import Found, Reports
from clustergraph.quality.standing import Change, Quality, Standing

__all__ = [
    "Change",
    "Completeness",
    "Found",
    "Link",
    "Measures",
    "Quality",
    "Reports",
    "Standing",
    "measured",
]
