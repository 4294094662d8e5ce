-- A queued update does not start before this time (ISO 8601), and only inside the update window of its container.
ALTER TABLE updates ADD COLUMN not_before TEXT;
ALTER TABLE updates ADD COLUMN in_window INTEGER NOT NULL DEFAULT 0;

-- When a digest that concerned a container was first seen: its age is counted from then.
CREATE TABLE digests_seen (
  repository    TEXT NOT NULL,
  digest        TEXT NOT NULL,
  first_seen_at TEXT NOT NULL,
  PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;
