"""Probing: what an engine can do is found out by asking it; with graphs of a moment, where allowed.

The questions and what their answers mean are files of this folder.
"""

from clustergraph.store.probing.probe import Finding, Probed, found, probe, told

__all__ = ["Finding", "Probed", "found", "probe", "told"]
