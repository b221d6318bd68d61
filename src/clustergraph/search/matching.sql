-- Texts that hold all words, or words that begin like them.
SELECT t.thing, t.rank, t.language, t.value, t.plain
FROM words w JOIN text t ON t.id = w.rowid
WHERE words MATCH :match AND t.rank <= :rank
  AND NOT EXISTS (
    SELECT 1 FROM json_each(:narrowed) n WHERE NOT EXISTS (
      SELECT 1 FROM facet f
      WHERE f.thing = t.thing AND f.property = json_extract(n.value, '$[0]')
        AND f.value = json_extract(n.value, '$[1]')
    )
  )
ORDER BY t.rank, bm25(words)
LIMIT :most
