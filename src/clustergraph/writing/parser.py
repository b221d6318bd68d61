"""The parser: a confined process that reads one document and writes it as N-Quads.

``python -m clustergraph.writing.parser MEDIA-TYPE BASE NAME MEMORY LARGEST PROJECT WRITTEN-BASE
PUBLISHED-BASE`` reads standard input and writes standard output; an error goes to standard error
as a line of JSON.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyoxigraph as ox

from clustergraph import jsonld, rdf
from clustergraph.errors import ClusterGraphError
from clustergraph.process import confined


def main() -> int:
    """Read, parse, write."""
    media_type, base, name, memory, largest, project, *bases = sys.argv[1:]
    fmt = next(each for each in rdf.RDF_FORMATS if each.media_type == media_type)
    contexts = jsonld.pinned(Path(project), *bases)
    content = sys.stdin.buffer.read()
    confined.confine(memory=int(memory), largest=int(largest))
    try:
        quads = rdf.parse(content, fmt, base=base, name=name, contexts=contexts)
    except ClusterGraphError as error:
        confined.tell(error)
        return 1
    try:
        ox.serialize(quads, sys.stdout.buffer, ox.RdfFormat.N_QUADS)
        sys.stdout.buffer.flush()
    except OSError:  # larger than it may be
        os._exit(1)  # what is still in the buffer would fail again
    return 0


if __name__ == "__main__":
    sys.exit(main())
