-- Names that share pieces of three letters with a text, those with most of them first.
SELECT t.thing, t.rank, t.language, t.value, t.plain
FROM pieces p JOIN text t ON t.id = p.rowid
WHERE pieces MATCH :match AND t.rank <= :rank
  AND NOT EXISTS (
    SELECT 1 FROM json_each(:narrowed) n WHERE NOT EXISTS (
      SELECT 1 FROM facet f
      WHERE f.thing = t.thing AND f.property = json_extract(n.value, '$[0]')
        AND f.value = json_extract(n.value, '$[1]')
    )
  )
ORDER BY p.rank
LIMIT :most
