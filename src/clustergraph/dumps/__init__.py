"""Dumps: a release as files to download, written once, in the same bytes for the same data."""

from clustergraph.dumps.kept import Dump, DumpFile, Dumps
from clustergraph.dumps.serialised import FORMATS, JELLY

__all__ = ["FORMATS", "JELLY", "Dump", "DumpFile", "Dumps"]
