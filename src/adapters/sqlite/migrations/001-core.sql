-- Times are ISO 8601 in UTC. Ids are ULIDs, so that their order is the order of creation.

CREATE TABLE webhooks (
  id          TEXT PRIMARY KEY,
  received_at TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('pending', 'handled', 'duplicate', 'rejected')),
  image       TEXT,
  platform    TEXT,
  digest      TEXT,
  event       TEXT,
  body        TEXT NOT NULL,
  outcome     TEXT
) STRICT;
CREATE INDEX webhooks_by_image ON webhooks (image, platform, id) WHERE image IS NOT NULL;
CREATE INDEX webhooks_pending ON webhooks (id) WHERE status = 'pending';

CREATE TABLE updates (
  id             TEXT PRIMARY KEY,
  container      TEXT,
  project        TEXT,
  service        TEXT,
  policy         TEXT,
  status         TEXT NOT NULL,
  reason         TEXT NOT NULL,
  source         TEXT NOT NULL,
  from_reference TEXT,
  from_digest    TEXT,
  to_reference   TEXT NOT NULL,
  to_digest      TEXT,
  created_at     TEXT NOT NULL,
  started_at     TEXT,
  finished_at    TEXT,
  approval       TEXT,
  backup_id      TEXT,
  error          TEXT,
  follow_up      TEXT,
  journal        TEXT
) STRICT;
CREATE INDEX updates_by_container ON updates (container, id);
CREATE INDEX updates_by_status ON updates (status, id);

CREATE TABLE steps (
  update_id   TEXT NOT NULL REFERENCES updates (id),
  name        TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'skipped')),
  started_at  TEXT NOT NULL,
  finished_at TEXT,
  detail      TEXT,
  PRIMARY KEY (update_id, name)
) STRICT;

CREATE TABLE refusals (
  container TEXT NOT NULL,
  digest    TEXT NOT NULL,
  why       TEXT NOT NULL CHECK (why IN ('failed', 'declined')),
  update_id TEXT NOT NULL,
  at        TEXT NOT NULL,
  PRIMARY KEY (container, digest)
) STRICT;

CREATE TABLE outbox (
  id              TEXT PRIMARY KEY,
  kind            TEXT NOT NULL,
  update_id       TEXT,
  created_at      TEXT NOT NULL,
  subject         TEXT NOT NULL,
  html            TEXT NOT NULL,
  text            TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'refused')),
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT,
  sent_at         TEXT,
  last_error      TEXT
) STRICT;
CREATE INDEX outbox_pending ON outbox (next_attempt_at) WHERE status = 'pending';

CREATE TABLE backups (
  id          TEXT PRIMARY KEY,
  project     TEXT,
  container   TEXT,
  reason      TEXT NOT NULL,
  update_id   TEXT,
  status      TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
  created_at  TEXT NOT NULL,
  started_at  TEXT,
  finished_at TEXT,
  url         TEXT,
  bytes       INTEGER,
  verified_at TEXT,
  items       TEXT NOT NULL DEFAULT '[]',
  error       TEXT
) STRICT;
CREATE INDEX backups_by_status ON backups (status, id);
