import { lookAtBackupAges } from '../backups/look-at-backup-ages';
import { queueScheduledBackups } from '../backups/request-backup';
import { pruneBackups } from '../backups/prune-backups';
import { requestRenewal } from '../certificates/renewal-queue';
import { reconcile } from '../decisions/reconcile';
import { reofferChanged } from '../decisions/reoffer';
import type { Deps } from '../deps';
import type { WorkName, WorkOutcome } from '../domain/due-work';
import { OBSERVES } from '../domain/mode';
import { codeOf, messageOf } from '../domain/errors';
import { sendDigest } from '../notifications/send-digest';
import { removeOldImages } from '../updates/remove-old-images';
import { queueDrills } from '../restores/drills/request-drills';

/** What each rung timer comes to. Does its work, or queues it; rejects with `engine_unreachable` to be called again. */
type Work = (deps: Deps) => Promise<WorkOutcome>;

const WORKS: Partial<Record<WorkName, Work>> = {
  backup: queueScheduledBackups,
  renewal: queueScheduledRenewal,
  reconcile,
  drill: queueDrills,
  reoffer: reofferChanged,
  retention: pruneBackups,
  'backup-ages': lookAtBackupAges,
  'old-images': removeOldImages,
  digest: (deps) => sendDigest(deps),
};

/** The renewal itself reports its outcome. */
function queueScheduledRenewal(deps: Deps): Promise<WorkOutcome> {
  if (deps.mode === 'observe') return Promise.resolve({ outcome: `Skipped: ${OBSERVES}`, trouble: null });
  requestRenewal(deps, { reason: 'schedule' });
  return Promise.resolve({ outcome: 'Asked for.', trouble: null });
}

/** Does the work that is due for the longest time. False: nothing is due. A defect ends it until it is due again. */
export async function doDueWork(deps: Deps): Promise<boolean> {
  const next = deps.store.timers.due().find(({ name }) => WORKS[name] !== undefined);
  if (next === undefined) return false;
  const what = await outcomeOf(deps, next.name, WORKS[next.name] as Work);
  deps.store.timers.done(next.name, next.dueAt, what);
  return true;
}

async function outcomeOf(deps: Deps, name: WorkName, work: Work): Promise<WorkOutcome> {
  try {
    const what = await work(deps);
    deps.logger.info('timer done', { timer: name, outcome: what.outcome });
    return what;
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    deps.logger.error('a timer broke off', { timer: name, code: codeOf(error), reason: messageOf(error) });
    return { outcome: `It broke off: ${messageOf(error)}`, trouble: 'it broke off the last time: see the log' };
  }
}
