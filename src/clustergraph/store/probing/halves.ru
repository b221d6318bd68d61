INSERT DATA { GRAPH <$graph> { <$s> <$p> "half" } } ; LOAD <urn:x-nothing:nowhere> INTO GRAPH <$graph>
