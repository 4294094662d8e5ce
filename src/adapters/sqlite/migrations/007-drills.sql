-- Restore drills of a backup: asked for until the verdict is known, so that neither a crash nor an engine that is down loses one.
ALTER TABLE backups ADD COLUMN drill_asked_at TEXT;
-- How often it was begun since: what ends the process each time is not tried without end.
ALTER TABLE backups ADD COLUMN drill_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN drill TEXT;
