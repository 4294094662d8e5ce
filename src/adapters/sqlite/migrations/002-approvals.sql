-- The plan as it was offered: what the mail showed is what the page shows.
ALTER TABLE updates ADD COLUMN plan TEXT;
ALTER TABLE updates ADD COLUMN reminded_at TEXT;
