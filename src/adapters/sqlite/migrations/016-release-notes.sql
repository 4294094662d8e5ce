-- Where the release notes of an update are, of which versions, and what they speak of, as JSON; null: no source is known.
ALTER TABLE updates ADD COLUMN notes TEXT;

-- The texts, for the page of the update; those of the newest updates are kept.
CREATE TABLE notes_texts (
  update_id TEXT PRIMARY KEY REFERENCES updates (id) ON DELETE CASCADE,
  releases  TEXT NOT NULL
) STRICT;

-- Answers of forges, with their ETag; limited in number and size.
CREATE TABLE notes_answers (
  address TEXT PRIMARY KEY,
  etag    TEXT,
  content TEXT NOT NULL,
  at      TEXT NOT NULL
) STRICT;
