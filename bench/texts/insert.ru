# New facts into a graph of their own
INSERT DATA { GRAPH <https://w3id.org/clustergraph/graph/source/bench> {
$TRIPLES
} }
