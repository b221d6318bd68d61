"""Releases: immutable numbered states of the graph on disk, published by an atomic switch."""

from clustergraph.releases.archive import Archive
from clustergraph.releases.candidate import Candidate, Record
from clustergraph.releases.manifest import Manifest
from clustergraph.releases.pipeline import Done, Pipeline
from clustergraph.releases.writes import Write

__all__ = ["Archive", "Candidate", "Done", "Manifest", "Pipeline", "Record", "Write"]
