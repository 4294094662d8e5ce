import { lookForLeftovers } from '../containers/adopt-aside';
import { insist } from '../containers/insist';
import { readTargets } from '../services/read-targets';
import { messageOf, PilotError, rethrowEngineLost, toPilotError } from '../domain/errors';
import {
  firstRestoreJournal,
  leftBy,
  notJudged,
  type RestoreJournal,
  type RestoreRecord,
} from '../domain/backups/restore';
import type { Logger, Progress } from '../lib/logger';
import type { Store } from '../ports/store';
import { checkSet } from './check-set';
import { authenticManifest, findSet, notAuthenticated } from './find-set';
import { pinned } from './pinned-storage';
import { planRestore, type RestorePlan } from './plan-restore';
import { type RestoreDeps, restoreRun, type RestoreRun } from './restore-run';
import { howRepaired, repairedSince } from '../backups/since-update';
import { formatTime } from '../domain/format';
import type { Container } from '../domain/container';
import { writtenProgress } from '../lib/written-progress';
import { restoreEnded } from '../notifications/mails/restore-ended';
import { postMail } from '../notifications/post-mail';
import { reloadAfterRestore } from './reload-after-restore';
import { restoreData } from './restore-data';
import { startAgain, thoseThatRanRunAgain } from './those-that-ran';

export interface RestoreRequest {
  /** Id, address or folder of a set, or `latest`. */
  backup: string;
  /** Compose project, or container outside any, that the data goes to; left out: as the set says. */
  project?: string;
  /** Also a set that is not authenticated. */
  trust?: boolean;
}

export interface PlannedRestore extends RestorePlan {
  /** Of the manifest that was read for the plan. */
  manifestSha256: string;
}

/**
 * What a restore would do. Rejects with `backup_not_found`, `backup_not_verified` (no manifest, an object missing or
 * cut), `restore_refused` when the containers do not fit, and changes nothing.
 */
export async function planOfRestore(deps: RestoreDeps, { backup, project }: RestoreRequest): Promise<PlannedRestore> {
  const set = await findSet(deps, backup, project ?? null);
  const containers = await readTargets(deps);
  const plan = planRestore({ ...set, target: project ?? null, containers });
  if (plan.problems.length > 0) throw new PilotError('restore_refused', plan.problems.join(' '));
  return { ...plan, manifestSha256: set.sha256 };
}

/** The rest of what is found out before anything is stopped: the whole set is read. Changes nothing. */
export async function rehearse(deps: RestoreDeps, plan: RestorePlan, onProgress: Progress): Promise<void> {
  const journal = firstRestoreJournal(plan.manifest.id);
  const storage = pinned(deps.storage);
  await checkSet({
    ...deps,
    storage,
    plan,
    journal,
    save: () => undefined,
    onProgress,
    alsoStarts: null,
    ownLayer: 'refuse',
    deep: true,
  });
}

/**
 * Queues it for the process that uses this data directory. `trust`: the operator takes a set that is not authenticated;
 * that holds for the manifest of the plan and no other. Throws `backup_not_authenticated`.
 */
export function requestRestore(
  { restores }: Pick<Store, 'restores'>,
  { folder, url, manifest, distrust, manifestSha256 }: PlannedRestore,
  { project, trust = false }: Pick<RestoreRequest, 'project' | 'trust'>,
): RestoreRecord {
  if (distrust !== null && !trust) throw notAuthenticated(url, distrust);
  const trustedManifest = distrust === null ? null : manifestSha256;
  const updateId = null;
  return restores.insert({ backupId: manifest.id, folder, url, target: project ?? null, updateId, trustedManifest });
}

type RestoreJob = RestoreDeps & { store: Store; publicUrl: string };

/**
 * Runs the next requested restore, an interrupted one first; but a restore of an update comes before. False:
 * there is none. Rejects with `engine_unreachable` to be called again; every other end is recorded, with its mail.
 */
export async function runNextRestore(deps: RestoreJob): Promise<boolean> {
  const record = deps.store.restores.next();
  const busy = record?.status === 'queued' && deps.store.updates.withStatus('running').length > 0;
  if (record === null || busy) return false;
  const logger = deps.logger.child({ restore: record.id, backup: record.backupId });
  let run: RestoreRun | null = null;
  try {
    // A refusal after a crash must not end it with its containers stopped.
    run = await insist({ ...deps, logger }, 'the start of the restore', () => open({ ...deps, logger }, record));
    await restoreData(run);
    await startAgain(run);
    const { kept } = run.journal;
    const detail = [...whatIsRestored(run), ...(await reloadAfterRestore(run))].join(' ');
    end(deps, record, { status: 'succeeded', detail, kept });
    logger.info('restore succeeded', { kept: kept.length });
  } catch (error) {
    rethrowEngineLost(error);
    if (run !== null) await reloadAfterRestore(run);
    fail(deps, record, error, logger);
  }
  return true;
}

function whatIsRestored({ plan, journal }: RestoreRun): string[] {
  const left = notJudged(journal);
  const health = left.length === 0 ? ['All containers that use it are healthy.'] : left;
  return [`The data of ${formatTime(plan.manifest.createdAt)} is restored.`, ...health];
}

async function open(deps: RestoreJob, record: RestoreRecord): Promise<RestoreRun> {
  const { store, clock } = deps;
  if (record.status === 'queued') refuseRepaired(store, record);
  const journal = store.restores.journal(record.id) ?? firstRestoreJournal(record.id);
  store.restores.change(record.id, { status: 'running', startedAt: record.startedAt ?? clock.now().toISOString() });
  const onProgress = writtenProgress(deps, (detail) => void store.restores.change(record.id, { detail }));
  await thoseThatRanRunAgain(deps, journal, onProgress);
  const manifest =
    journal.manifest ?? (await authenticManifest(deps, record.folder, { trustedManifest: record.trustedManifest }));
  const containers = await readTargets(deps);
  const { folder, url, target } = record;
  return restoreRun({
    ...deps,
    set: { folder, url, manifest, target, containers },
    journal,
    save: (reached) => store.restores.saveJournal(record.id, reached),
    onProgress,
    alsoStarts: updatedContainer(deps, record, containers),
    ownLayer: 'refuse',
    deep: record.trustedManifest !== null,
  });
}

/** An update that was under way when the link was used may have succeeded: its data is not replaced. */
function refuseRepaired(store: Store, { updateId }: RestoreRecord): void {
  const update = updateId === null ? null : store.updates.get(updateId);
  const repair = update === null ? null : repairedSince(store, update);
  if (repair === null) return;
  throw new PilotError('restore_refused', `${howRepaired(repair)} Nothing was stopped and nothing was changed.`);
}

/** Of the update whose mail it was requested from: it has to run with the restored data, whatever its state is now. */
function updatedContainer(
  { store }: RestoreJob,
  { updateId }: RestoreRecord,
  containers: readonly Container[],
): string | null {
  const update = updateId === null ? null : store.updates.get(updateId);
  return containers.find(({ name }) => name === update?.container)?.id ?? null;
}

function fail(deps: RestoreJob, record: RestoreRecord, error: unknown, logger: Logger): void {
  const journal = deps.store.restores.journal(record.id);
  const restored = leftBy(journal) === 'restored';
  const { code, message } = restored ? notHealthy(journal, error) : toPilotError(error);
  logger.error('restore failed', { code, reason: message });
  const kept = restored ? (journal?.kept ?? []) : [];
  end(deps, record, { status: 'failed', kept, error: { code, message } });
}

/** Whatever failed: the data is in its place by then, and the containers were to be started. */
function notHealthy(journal: RestoreJournal | null, error: unknown): PilotError {
  const of = journal?.manifest ? ` of ${formatTime(journal.manifest.createdAt)}` : '';
  const message = `The data${of} is restored, and the previous data is kept. Not every container that uses it is healthy: ${messageOf(error)}`;
  return new PilotError('restore_not_healthy', message, { cause: error });
}

function end({ store, clock, publicUrl }: RestoreJob, record: RestoreRecord, fields: Partial<RestoreRecord>): void {
  store.transaction(() => {
    const ended = store.restores.change(record.id, { ...fields, finishedAt: clock.now().toISOString() });
    const journal = store.restores.journal(record.id);
    const about = { left: leftBy(journal), allJudged: journal === null || notJudged(journal).length === 0 };
    lookForLeftovers({ store, clock });
    postMail(store.outbox, restoreEnded({ restore: ended, ...about, publicUrl }));
  });
}
