import { awaySeconds, type PastUpdate, type RunSeen } from '../../domain/past-update';
import type { Verdict } from '../../domain/update';
import type { Updates } from '../../ports/store';
import type { Database } from './database';

interface Row {
  id: string;
  container: string;
  reference: string;
  status: Verdict;
  finished_at: string;
  quiesced: number | null;
  served: number | null;
  steps: string;
}

const VERDICTS: readonly Verdict[] = ['succeeded', 'failed', 'rolled_back', 'rollback_failed'];

/** By the index of the status, so that it reads no more rows than it shows, however long the history is. */
const NEWEST = VERDICTS.map(
  (status) => `SELECT * FROM (SELECT id FROM updates WHERE status = '${status}' ORDER BY id DESC LIMIT @limit)`,
).join(' UNION ALL ');
const NEWEST_OF_ONE = `
  SELECT id FROM updates WHERE container = @container AND status IN (${VERDICTS.map((each) => `'${each}'`).join(', ')})
  ORDER BY id DESC LIMIT @limit`;

const past = (chosen: string): string => `
  SELECT u.id, u.container, u.to_reference AS reference, u.status, u.finished_at, b.quiesced,
    iif(u.status = 'succeeded', u.journal ->> '$.handedOver', u.journal ->> '$.oldStopped' = 0) AS served,
    (SELECT json_group_array(json_object('name', name, 'status', status, 'startedAt', started_at, 'finishedAt', finished_at))
       FROM steps WHERE update_id = u.id) AS steps
  FROM updates u LEFT JOIN backups b ON b.id = u.backup_id
  WHERE u.id IN (${chosen}) AND u.container IS NOT NULL AND u.finished_at IS NOT NULL
  ORDER BY u.id DESC LIMIT @limit`;

/** Updates in brief: one query, whatever their number. */
export function createPastUpdates(database: Database): Pick<Updates, 'past'> {
  const ofAll = database.prepare<{ limit: number }, Row>(past(NEWEST));
  const ofOne = database.prepare<{ limit: number; container: string }, Row>(past(NEWEST_OF_ONE));
  return {
    past: ({ container, limit }) =>
      (container === undefined ? ofAll.all({ limit }) : ofOne.all({ container, limit })).map(toPastUpdate),
  };
}

function toPastUpdate({ id, container, reference, status, finished_at, ...seen }: Row): PastUpdate {
  const run: RunSeen = {
    status,
    steps: JSON.parse(seen.steps) as RunSeen['steps'],
    quiesced: seen.quiesced === 1,
    served: seen.served === 1,
  };
  return { id, container, reference, status, finishedAt: finished_at, awaySeconds: awaySeconds(run) };
}
