DELETE { GRAPH <$marker> { <$marker> <http://purl.org/dc/terms/hasVersion> ?release } }
WHERE { GRAPH <$marker> { <$marker> <http://purl.org/dc/terms/hasVersion> ?release } }
