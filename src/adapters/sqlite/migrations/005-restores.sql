-- Whether all that write to the set were stopped while it was taken: only then a restore loses nothing that came after.
ALTER TABLE backups ADD COLUMN quiesced INTEGER NOT NULL DEFAULT 0;
