"""Publish a validated RDF knowledge graph as linked data with a SPARQL endpoint."""
