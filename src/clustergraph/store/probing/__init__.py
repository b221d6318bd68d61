"""Probing: what an engine can do is found out by asking it; with graphs of a moment, where allowed.

The questions and what their answers mean are files of this folder.
"""

from clustergraph.store.probing.findings import Finding, Probed, told
from clustergraph.store.probing.probe import found, probe

__all__ = ["Finding", "Probed", "found", "probe", "told"]
