"""Releases: immutable numbered states of the graph on disk, published by an atomic switch."""

from clustergraph.releases.archive import Archive
from clustergraph.releases.manifest import Manifest
from clustergraph.releases.publish import Candidate

__all__ = ["Archive", "Candidate", "Manifest"]
