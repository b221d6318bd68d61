"""rdflib-endpoint over a file, its default graph the union of all: run with its own Python.

The server is a fork of the process that holds the graph: when it is killed, for a question that
never ends, another is there at once.
"""

import gc
import os
import signal
import sys

import uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint

data, port = sys.argv[1:]
graph = Dataset(default_union=True)
graph.parse(data, format="nquads")
gc.freeze()  # so that counting references is all that writes to the shared memory
while True:
    child = os.fork()
    if child == 0:
        uvicorn.run(SparqlEndpoint(graph=graph), port=int(port), log_level="warning")
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    os.waitpid(child, 0)
