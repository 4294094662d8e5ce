-- What is updated, and how far the update of a Swarm service has come, as JSON.
ALTER TABLE updates ADD COLUMN kind TEXT NOT NULL DEFAULT 'container';
ALTER TABLE updates ADD COLUMN rollout TEXT;
