-- What diun-pilot mended by itself, for a person to see.
CREATE TABLE incidents (
  id        TEXT PRIMARY KEY,
  at        TEXT NOT NULL,
  container TEXT NOT NULL,
  words     TEXT NOT NULL
) STRICT;
