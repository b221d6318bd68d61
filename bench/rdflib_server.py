"""rdflib-endpoint over a file, its default graph the union of all: run with its own Python."""

import sys

import uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint

data, port = sys.argv[1:]
graph = Dataset(default_union=True)
graph.parse(data, format="nquads")
uvicorn.run(SparqlEndpoint(graph=graph), port=int(port), log_level="warning")
