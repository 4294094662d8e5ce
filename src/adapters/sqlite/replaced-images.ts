import type { ReplacedImage, ReplacedImages } from '../../ports/store';
import type { Database } from './database';

export function createReplacedImages(database: Database): ReplacedImages {
  return {
    add: (image) =>
      void database
        .prepare(
          `INSERT OR REPLACE INTO replaced_images (image_id, repository, reference, replaced_at)
           VALUES (@imageId, @repository, @reference, @replacedAt)`,
        )
        .run(image),
    repositories: () =>
      database
        .prepare<[], { repository: string }>('SELECT DISTINCT repository FROM replaced_images ORDER BY repository')
        .all()
        .map(({ repository }) => repository),
    of: (repository) =>
      database
        .prepare<[string], ReplacedImage>(
          `SELECT image_id AS imageId, repository, reference, replaced_at AS replacedAt FROM replaced_images
           WHERE repository = ? ORDER BY replaced_at DESC, image_id`,
        )
        .all(repository),
    remove: (imageId) => void database.prepare('DELETE FROM replaced_images WHERE image_id = ?').run(imageId),
  };
}
