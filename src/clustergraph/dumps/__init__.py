"""Dumps: a release as files to download, written once, in the same bytes for the same data."""

from clustergraph.dumps.kept import Dump, DumpFile, Dumps

__all__ = ["Dump", "DumpFile", "Dumps"]
