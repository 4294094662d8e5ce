-- The event of an accepted webhook is read once and stored with its body; image, platform, digest and event have their columns.
ALTER TABLE webhooks ADD COLUMN release_notes TEXT;
UPDATE webhooks SET release_notes = json_extract(body, '$.hub_link')
 WHERE status = 'pending' AND (json_extract(body, '$.hub_link') LIKE 'http://%' OR json_extract(body, '$.hub_link') LIKE 'https://%');
