-- A silent registry: until when an update is not started, or an event not decided on, and since when it waits.
ALTER TABLE updates ADD COLUMN hold TEXT;
ALTER TABLE webhooks ADD COLUMN waits_until TEXT;
