INSERT { GRAPH <$graph> { ?s ?p ?o } } WHERE { GRAPH <$stage> { ?s ?p ?o } } ;
DELETE { GRAPH <$graph> { ?s ?p ?o } } WHERE { GRAPH <$other> { ?s ?p ?o } }
