DELETE { GRAPH <$graph> { ?s ?p ?o } } WHERE { GRAPH <$graph> { ?s ?p ?o } }
