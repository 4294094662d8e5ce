import type { Update } from '../domain/update';
import type { Store } from '../ports/store';

/** Whether a rolled back update never stopped the old container: a handover that failed while both ran. */
export function servedOn({ updates }: Pick<Store, 'updates'>, { id, status }: Update): boolean {
  return status === 'rolled_back' && updates.journal(id)?.oldStopped === false;
}
