-- Data directories of an earlier PostgreSQL major, which stay in their volume until a time or until the operator removes them.
CREATE TABLE kept_data (
  update_id  TEXT PRIMARY KEY,
  container  TEXT NOT NULL,
  what       TEXT NOT NULL,
  directory  TEXT NOT NULL,
  folder     TEXT NOT NULL,
  keep_until TEXT NOT NULL
) STRICT;
