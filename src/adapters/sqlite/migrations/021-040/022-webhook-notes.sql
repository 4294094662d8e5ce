-- The event of an accepted webhook is read once and stored with its body; image, platform, digest and event have their columns.
ALTER TABLE webhooks ADD COLUMN release_notes TEXT;
-- What was rejected may not be JSON, and then json_extract fails: CASE keeps the order in which SQLite looks.
UPDATE webhooks SET release_notes = CASE WHEN status = 'pending' AND json_valid(body) THEN json_extract(body, '$.hub_link') END;
UPDATE webhooks SET release_notes = NULL WHERE release_notes NOT LIKE 'http://%' AND release_notes NOT LIKE 'https://%';
