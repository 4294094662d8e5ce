-- Retention asks of each backup which updates use it.
CREATE INDEX updates_by_backup ON updates (backup_id) WHERE backup_id IS NOT NULL;
