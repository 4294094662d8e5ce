-- Whether all that write to the set were stopped while it was taken: only then a restore loses nothing that came after.
ALTER TABLE backups ADD COLUMN quiesced INTEGER NOT NULL DEFAULT 0;

-- Restores that were asked for; one after a rollback is part of its update's own journal.
CREATE TABLE restores (
  id          TEXT PRIMARY KEY,
  backup_id   TEXT NOT NULL,
  folder      TEXT NOT NULL,
  url         TEXT NOT NULL,
  target      TEXT,
  update_id   TEXT,
  status      TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
  created_at  TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT,
  detail      TEXT,
  kept        TEXT NOT NULL DEFAULT '[]',
  error       TEXT,
  journal     TEXT
) STRICT;
CREATE INDEX restores_by_status ON restores (status, id);
-- A link restores once.
CREATE UNIQUE INDEX restores_by_link ON restores (update_id) WHERE update_id IS NOT NULL;
