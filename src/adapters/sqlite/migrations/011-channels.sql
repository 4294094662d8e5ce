-- The channels that the settings name. One that was removed from them stays, inactive, so that its history keeps a name.
CREATE TABLE channels (
  id     TEXT PRIMARY KEY,
  name   TEXT NOT NULL,
  topics TEXT NOT NULL,
  active INTEGER NOT NULL
) STRICT;

-- The mail in a few lines, for channels; null: a mail from before channels existed, or one that goes to no channel.
ALTER TABLE outbox ADD COLUMN notice TEXT;
-- 0: it has no mail of its own and is only told in the digest and by channels.
ALTER TABLE outbox ADD COLUMN mailed INTEGER NOT NULL DEFAULT 1;
-- 1: it needs no decision and is no failure, so a digest may hold it.
ALTER TABLE outbox ADD COLUMN calm INTEGER NOT NULL DEFAULT 0;

-- One row for each notice and channel, written in the transaction that writes the mail.
CREATE TABLE channel_deliveries (
  mail_id         TEXT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
  channel         TEXT NOT NULL REFERENCES channels (id),
  status          TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'refused')),
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT,
  sent_at         TEXT,
  last_error      TEXT,
  PRIMARY KEY (mail_id, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_deliveries_pending ON channel_deliveries (channel, next_attempt_at) WHERE status = 'pending';
