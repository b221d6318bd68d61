-- The names of all that fits.
SELECT t.thing, t.rank, t.language, t.value, t.plain
FROM text t
WHERE t.rank = 1
  AND NOT EXISTS (
    SELECT 1 FROM json_each(:narrowed) n WHERE NOT EXISTS (
      SELECT 1 FROM facet f
      WHERE f.thing = t.thing AND f.property = json_extract(n.value, '$[0]')
        AND f.value = json_extract(n.value, '$[1]')
    )
  )
ORDER BY t.plain, t.id
LIMIT :most
