DELETE DATA { GRAPH <$graph> { $data } }
