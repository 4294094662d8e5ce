-- A set that is not authenticated is restored only as the manifest that the operator saw.
ALTER TABLE restores ADD COLUMN trusted_manifest TEXT;
