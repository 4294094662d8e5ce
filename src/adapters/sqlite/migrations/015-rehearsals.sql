-- Trials of a new image on a restored copy of the data; several of one update, the newest counts.
-- mail: JSON of the announcement that waits for the verdict; NULL: none waits.
CREATE TABLE rehearsals (
  id          TEXT PRIMARY KEY,
  update_id   TEXT NOT NULL,
  digest      TEXT,
  status      TEXT NOT NULL DEFAULT 'queued',
  created_at  TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT,
  seconds     REAL,
  detail      TEXT,
  mail        TEXT,
  tries       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX rehearsals_of_update ON rehearsals (update_id, id);
CREATE INDEX rehearsals_open ON rehearsals (status, id) WHERE status IN ('queued', 'running');
CREATE INDEX rehearsals_mail ON rehearsals (id) WHERE mail IS NOT NULL;
