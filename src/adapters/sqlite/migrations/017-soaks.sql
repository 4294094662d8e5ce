-- The time after a successful update in which its new container is watched and the old one is kept (update.soak).
CREATE TABLE soaks (
  update_id        TEXT PRIMARY KEY REFERENCES updates (id) ON DELETE CASCADE,
  container        TEXT NOT NULL,
  container_id     TEXT NOT NULL,
  old_container_id TEXT NOT NULL,
  status           TEXT NOT NULL,
  started_at       TEXT NOT NULL,
  until            TEXT NOT NULL,
  look_at          TEXT NOT NULL,
  restarts         INTEGER NOT NULL,
  holds_data       INTEGER NOT NULL,
  failure          TEXT,
  failed_at        TEXT,
  schema           TEXT,
  schema_detail    TEXT,
  decide_until     TEXT,
  choice           TEXT,
  outcome          TEXT
) STRICT;
CREATE INDEX soaks_open ON soaks (update_id) WHERE status <> 'ended';
