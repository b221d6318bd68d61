-- The IRIs of some things.
SELECT id, iri FROM thing WHERE id IN (SELECT value FROM json_each(:things))
