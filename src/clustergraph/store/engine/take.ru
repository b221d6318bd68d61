DELETE { GRAPH <$graph> { ?s ?p ?o } } WHERE { GRAPH <$stage> { ?s ?p ?o } }
