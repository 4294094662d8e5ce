import type { DataChange } from '../domain/data/data-fingerprint';
import type { Update } from '../domain/update';
import type { Store } from '../ports/store';

/** What mail and page say of the end of an update beyond its row. */
export interface HowItEnded {
  /** It was rolled back without ever stopping the old container: a handover failed while both ran. */
  servedOn: boolean;
  /** What the new version changed in the databases of its set; null: it can change none, or was not started. */
  dataChange: DataChange | null;
}

export function howItEnded({ updates }: Pick<Store, 'updates'>, { id, status }: Update): HowItEnded {
  const journal = updates.journal(id);
  return {
    servedOn: status === 'rolled_back' && journal?.oldStopped === false,
    dataChange: journal?.dataChange ?? updates.rollout(id)?.dataChange ?? null,
  };
}
