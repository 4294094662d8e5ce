-- What is due is kept until it is done: neither a crash nor an engine that is down loses it.
CREATE TABLE timers (
  name       TEXT PRIMARY KEY,
  -- The schedule that was in force when it was last looked at; NULL: rung by events only.
  expression TEXT,
  time_zone  TEXT,
  -- Everything that was due until then was rung.
  seen_until TEXT,
  -- Rung and not done yet, since when it was due; NULL: nothing to do.
  due_at     TEXT,
  done_at    TEXT,
  outcome    TEXT,
  trouble    TEXT
) STRICT;

-- Situations that a person was told of and that last.
CREATE TABLE notices (
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  since   TEXT NOT NULL,
  words   TEXT NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT;

-- A pruned backup is none any more; its objects may outlive that by a failure of the storage.
ALTER TABLE backups ADD COLUMN pruned_at TEXT;
ALTER TABLE backups ADD COLUMN pruned_because TEXT;
ALTER TABLE backups ADD COLUMN objects_gone_at TEXT;
