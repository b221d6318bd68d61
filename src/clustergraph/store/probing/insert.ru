INSERT DATA { GRAPH <$graph> { $data } }
