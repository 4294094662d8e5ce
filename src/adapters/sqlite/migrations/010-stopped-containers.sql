-- Containers whose restart policy is `no` while they must not run, with the policy to put back.
CREATE TABLE disarmed_containers (
  container_id TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  policy       TEXT NOT NULL,
  at           TEXT NOT NULL
) STRICT;

-- Containers that still exist after the end of the update that replaced them: kept on purpose until a time, or left over.
CREATE TABLE kept_containers (
  container_id TEXT PRIMARY KEY,
  container    TEXT NOT NULL,
  name         TEXT NOT NULL,
  update_id    TEXT NOT NULL,
  reason       TEXT NOT NULL,
  leftover     INTEGER NOT NULL,
  keep_until   TEXT NOT NULL
) STRICT;
CREATE INDEX kept_containers_due ON kept_containers (keep_until);
