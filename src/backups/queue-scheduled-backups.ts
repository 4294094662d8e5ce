import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { scopeName } from './backup-set';
import { requestBackups } from './request-backup';

/** The daily backup of every set there is by then. */
export async function queueScheduledBackups(deps: Deps): Promise<WorkOutcome> {
  const containers = await readContainers(deps.engine, deps.selfId);
  const queued = requestBackups({ store: deps.store, containers }, { reason: 'schedule' });
  const sets = queued.map(scopeName).join(', ');
  return { outcome: sets === '' ? 'No container has the label backup.kind.' : `Requested: ${sets}.`, trouble: null };
}
