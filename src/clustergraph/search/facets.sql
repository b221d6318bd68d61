-- By what some things may be narrowed, and how many of them have each value.
SELECT property, value, COUNT(DISTINCT thing)
FROM facet
WHERE thing IN (SELECT value FROM json_each(:things))
  AND property IN (SELECT iri FROM property WHERE narrows)
GROUP BY property, value
