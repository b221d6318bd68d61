"""Where each term of an RDF file stands: line and column for findings, errors and editors.

The reader here never decides what a file says: pyoxigraph does. It maps what is said to places.
"""

from clustergraph.positions.place import Lines, Place
from clustergraph.positions.reader import Fault, Reading, Record, read
from clustergraph.positions.source import Source

__all__ = ["Fault", "Lines", "Place", "Reading", "Record", "Source", "read"]
