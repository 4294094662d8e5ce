import { ofSameSet } from '../../domain/data/changes-of-others';
import type { DataFingerprint } from '../../domain/data/data-fingerprint';
import type { Updates } from '../../ports/store';
import type { Database } from './database';

interface Row {
  container: string;
  fingerprint: string;
  changes: string;
}

/** A rollback that succeeded has undone what its update changed. */
const CHANGED_DATA_SINCE = `
  SELECT container, journal -> '$.fingerprint' AS fingerprint, journal -> '$.dataChange.changes' AS changes
  FROM updates
  WHERE id <> @id AND finished_at > @since AND status IN ('succeeded', 'rollback_failed') AND container IS NOT NULL
    AND json_array_length(journal, '$.dataChange.changes') > 0 AND journal -> '$.fingerprint' IS NOT NULL
  ORDER BY finished_at, id`;

export function createOtherUpdates(database: Database): Pick<Updates, 'othersThatChanged'> {
  const changedSince = database.prepare<{ id: string; since: string }, Row>(CHANGED_DATA_SINCE);
  return {
    othersThatChanged: ({ id, startedAt }, before) => {
      if (startedAt === null) return [];
      const others = changedSince.all({ id, since: startedAt }).map(({ container, fingerprint, changes }) => ({
        container,
        before: JSON.parse(fingerprint) as DataFingerprint,
        changes: JSON.parse(changes) as string[],
      }));
      return ofSameSet(before, others);
    },
  };
}
