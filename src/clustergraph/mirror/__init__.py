"""A mirror: another instance's feed, or any Linked Data Event Stream, kept as releases here."""

from clustergraph.mirror.fetch import Client
from clustergraph.mirror.sync import Mirror, Synchronised

__all__ = ["Client", "Mirror", "Synchronised"]
