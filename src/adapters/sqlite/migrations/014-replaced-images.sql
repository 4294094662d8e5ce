-- Images that successful updates have replaced: only these are ever removed (update.keep-images).
CREATE TABLE replaced_images (
  image_id    TEXT PRIMARY KEY,
  repository  TEXT NOT NULL,
  replaced_at TEXT NOT NULL
) STRICT;
CREATE INDEX replaced_images_by_repository ON replaced_images (repository, replaced_at);
