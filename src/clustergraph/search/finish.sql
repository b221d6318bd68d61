INSERT INTO words (rowid, plain) SELECT id, plain FROM text;
INSERT INTO pieces (rowid, plain) SELECT id, plain FROM text WHERE rank < 3;
INSERT INTO words (words) VALUES ('optimize');
INSERT INTO pieces (pieces) VALUES ('optimize');
INSERT INTO held SELECT property, value, COUNT(*) FROM facet GROUP BY property, value;
INSERT INTO property
  SELECT property, COUNT(*) > 1 AND MAX(things) > 1 FROM held GROUP BY property;
CREATE INDEX text_thing ON text (thing, rank);
CREATE INDEX text_name ON text (plain) WHERE rank < 3;
CREATE INDEX facet_thing ON facet (thing);
ANALYZE;
