-- Texts that hold a piece of text, for scripts that put no space between words.
SELECT t.thing, t.rank, t.language, t.value, t.plain
FROM text t
WHERE t.plain LIKE :match ESCAPE '\' AND t.rank <= :rank
  AND NOT EXISTS (
    SELECT 1 FROM json_each(:narrowed) n WHERE NOT EXISTS (
      SELECT 1 FROM facet f
      WHERE f.thing = t.thing AND f.property = json_extract(n.value, '$[0]')
        AND f.value = json_extract(n.value, '$[1]')
    )
  )
ORDER BY t.rank, t.id
LIMIT :most
