import { backupSets, serversIn } from '../../backups/backup-set';
import type { Deps } from '../../deps';
import {
  type BackupRecord,
  type DrillVerdict,
  keyOfPlace,
  NotTried,
  backupPlaceOf,
  samePlace,
  scopeName,
} from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import type { WorkOutcome } from '../../domain/due-work';
import { codeOf, isEngineLost, messageOf } from '../../domain/errors';
import { INTERRUPTED_TOO_OFTEN, MOST_ATTEMPTS } from '../../domain/interruptions';
import { drillFailed } from '../../notifications/mails/backups';
import { postMail } from '../../notifications/post-mail';
import type { Store } from '../../ports/store';
import { readTargets } from '../../services/read-targets';
import type { RestoreDeps } from '../restore-run';
import { drillSet, removeLeftOver } from './drill-set';

export type DrillJob = RestoreDeps & { store: Store; publicUrl: string };

/**
 * Runs the next requested restore drill, from its beginning also after a crash. False: there is none. Rejects
 * with `engine_unreachable` to be called again; every other end is a verdict.
 */
export async function runNextDrill(deps: DrillJob): Promise<boolean> {
  const { store, logger } = deps;
  const record = store.backups.nextDrill();
  if (record === null) return false;
  const log = logger.child({ backup: record.id, set: scopeName(record) });
  try {
    const words = await drill(deps, record);
    end(deps, record, 'passed', words);
    log.info('restore drill passed', { counted: words });
  } catch (error) {
    if (isEngineLost(error)) {
      store.backups.askDrill(record.id); // the drill itself has not failed
      throw error;
    }
    const status = error instanceof NotTried ? 'skipped' : 'failed';
    end(deps, record, status, messageOf(error));
    if (status === 'skipped') log.warn('restore drill skipped', { reason: messageOf(error) });
    else log.error('restore drill failed', { code: codeOf(error), reason: messageOf(error) });
  }
  return true;
}

async function drill(deps: DrillJob, record: BackupRecord): Promise<string> {
  await removeLeftOver(deps, record);
  if (deps.store.backups.beginDrill(record.id) > MOST_ATTEMPTS) {
    throw new NotTried(INTERRUPTED_TOO_OFTEN);
  }
  return drillSet(deps, record);
}

/** Verdict, notice and mail in one transaction. What was not tried neither begins nor ends a trouble. */
function end(deps: DrillJob, { id }: BackupRecord, status: DrillVerdict['status'], words: string): void {
  const { store, clock, publicUrl } = deps;
  store.transaction(() => {
    const record = store.backups.endDrill(id, { status, at: clock.now().toISOString(), words });
    const subject = keyOfPlace(record);
    if (status === 'passed') store.notices.close('drill_failed', subject);
    if (status !== 'failed') return;
    store.notices.open('drill_failed', subject, `the last restore drill of ${scopeName(record)} failed`);
    postMail(store.outbox, drillFailed({ backup: record, lastPassed: lastPassedOf(store, record), publicUrl }));
  });
}

/** Of the same set, and still kept. */
function lastPassedOf({ backups }: Store, record: BackupRecord): BackupRecord | null {
  const passed = backups.good().filter(({ drill }) => drill?.status === 'passed');
  return passed.find((good) => good.id !== record.id && samePlace(good, record)) ?? null;
}

/** Asks for a drill of the newest good backup of each set that is there and holds databases. Answers these backups. */
export function requestDrills(
  { backups, transaction }: Pick<Store, 'backups' | 'transaction'>,
  containers: readonly Container[],
): BackupRecord[] {
  const newest = backupSets(containers)
    .map(({ place }) => backups.lastSucceeded(place))
    .filter((record): record is BackupRecord => record !== null && serversIn(record.items).length > 0);
  transaction(() => {
    for (const { id } of newest) backups.askDrill(id);
  });
  return newest;
}

/** The weekly drills. Of a set that is there no longer nothing is drilled, and a failed drill is troubling no more. */
export async function queueDrills(deps: Deps): Promise<WorkOutcome> {
  const { store } = deps;
  const targets = await readTargets(deps);
  const sets = requestDrills(store, targets).map(scopeName).join(', ');
  const there = new Set(targets.map((target) => keyOfPlace(backupPlaceOf(target))));
  for (const { kind, subject } of store.notices.all())
    if (kind === 'drill_failed' && !there.has(subject)) store.notices.close(kind, subject);
  return { outcome: sets === '' ? 'No good backup holds a database.' : `Requested: ${sets}.`, trouble: null };
}
