-- The names of some things.
SELECT thing, rank, language, value, plain
FROM text
WHERE rank < 3 AND thing IN (SELECT value FROM json_each(:things))
