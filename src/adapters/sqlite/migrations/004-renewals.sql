CREATE TABLE renewals (
  id          TEXT PRIMARY KEY,
  reason      TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
  outcome     TEXT CHECK (outcome IN ('renewed', 'not_due', 'nothing_to_renew', 'failed')),
  detail      TEXT,
  created_at  TEXT NOT NULL,
  due_at      TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT,
  before      TEXT,
  after       TEXT,
  error       TEXT
) STRICT;
CREATE INDEX renewals_by_status ON renewals (status, due_at);

-- As seen last; all are replaced by the next look.
CREATE TABLE certificates (
  position INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  project  TEXT,
  server   TEXT,
  disk     TEXT,
  served   TEXT,
  problem  TEXT
) STRICT;

-- The last threshold (days before the end) that a mail went out for, so that each has one mail.
CREATE TABLE certificate_alarms (
  fingerprint TEXT PRIMARY KEY,
  threshold   REAL NOT NULL,
  at          TEXT NOT NULL
) STRICT;
