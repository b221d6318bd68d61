-- The index of a release: names and descriptions of things, and what results are narrowed by.
PRAGMA page_size = 4096;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE thing (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
-- rank: 1 the name, 2 another name, 3 a description
CREATE TABLE text (
  id INTEGER PRIMARY KEY, thing INTEGER NOT NULL, rank INTEGER NOT NULL, language TEXT NOT NULL,
  value TEXT NOT NULL, plain TEXT NOT NULL
);
CREATE VIRTUAL TABLE words USING fts5(
  plain, content = 'text', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);
CREATE VIRTUAL TABLE pieces USING fts5(
  plain, content = '', tokenize = 'trigram', detail = none
);
CREATE TABLE facet (thing INTEGER NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL);
-- how many things have a value: kept in step with facet
CREATE TABLE held (
  property TEXT NOT NULL, value TEXT NOT NULL, things INTEGER NOT NULL, PRIMARY KEY (property, value)
) WITHOUT ROWID;
-- by which properties results are narrowed: several values, of which several things have one; those
-- with too many values have no rows in facet
CREATE TABLE property (iri TEXT PRIMARY KEY, narrows INTEGER NOT NULL) WITHOUT ROWID;
