import { lookAtBackupAges } from '../backups/set-notices';
import { pruneBackups } from '../backups/prune-backups';
import { queueScheduledBackups, runNextBackup } from '../backups/backup-queue';
import { createWatch, requestRenewal, requeueInterrupted, runNextRenewal } from '../certificates/renewal-queue';
import { forgetRemovedData, removeDueData } from '../updates/major/data-directory';
import { lookAtDisk } from '../services/look-at-disk';
import { adoptAside, adoptLeftovers } from '../containers/adopt-aside';
import { removeDueContainers } from '../containers/kept-containers';
import { lookAtStopped } from '../containers/kept-stay-stopped';
import { expireApprovals, remindOfApprovals } from '../decisions/expire-and-remind';
import { handleInbox } from '../decisions/handle-inbox';
import { releaseHeldMails } from '../decisions/mail-of-offer';
import { reconcile } from '../decisions/reconcile';
import { reofferChanged } from '../decisions/reoffer';
import type { Deps } from '../deps';
import type { WorkName, WorkOutcome } from '../domain/due-work';
import {
  codeOf,
  ERROR_CODES,
  messageOf,
  rethrowEngineLost,
  rethrowUndecided,
  toPilotError,
  type ErrorCode,
} from '../domain/errors';
import { OBSERVES, reasonUnder } from '../domain/mode';
import type { Update } from '../domain/update';
import { startLoop, type Loop } from '../lib/loop';
import { watchNetworks } from '../networks/watch-networks';
import { sendDigest } from '../notifications/digest';
import { removeLeftRehearsals } from '../rehearsals/rehearsal-run';
import { runNextRehearsal } from '../rehearsals/run-next-rehearsal';
import { queueDrills, runNextDrill } from '../restores/drills/run-next-drill';
import { runNextRestore } from '../restores/restore-queue';
import { endAbortedService } from '../rollouts/finish-rollout';
import { updateService } from '../rollouts/run-rollout';
import { endAborted } from '../updates/end-aborted';
import { finishUnstarted } from '../updates/finish';
import { removeOldImages } from '../updates/clean-up';
import { remindOfSoaks } from '../updates/soak/offer-old-version';
import { watchSoaks } from '../updates/soak/watch-soaks';
import { requeueUnstarted } from '../updates/start/judge-start';
import { updateContainer } from '../updates/update-container';
import { removeOldRecords } from './old-records';

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
  disk: lookAtDisk,
  'old-images': removeOldImages,
  leftovers: adoptLeftovers,
  'old-records': removeOldRecords,
  digest: (deps) => sendDigest(deps),
};

/** The renewal itself reports its outcome. */
function queueScheduledRenewal(deps: Pick<Deps, 'clock' | 'mode' | 'store'>): Promise<WorkOutcome> {
  if (deps.mode === 'observe') return Promise.resolve({ outcome: `Skipped: ${OBSERVES}`, trouble: null });
  requestRenewal(deps, { reason: 'schedule' });
  return Promise.resolve({ outcome: 'Requested.', trouble: null });
}

/** Does the work that is due for the longest time. False: nothing is due. A defect ends it until it is due again. */
async function doDueWork(deps: Deps): Promise<boolean> {
  const next = deps.store.timers.due().find(({ name }) => WORKS[name] !== undefined);
  if (next === undefined) return false;
  const what = await runTimerWork(deps, next.name, WORKS[next.name] as Work);
  deps.store.timers.done(next.name, next.dueAt, what);
  return true;
}

async function runTimerWork(deps: Deps, name: WorkName, work: Work): Promise<WorkOutcome> {
  try {
    const what = await work(deps);
    deps.logger.info('timer done', { timer: name, outcome: what.outcome });
    return what;
  } catch (error) {
    rethrowEngineLost(error);
    deps.logger.error('a timer failed', { timer: name, code: codeOf(error), reason: messageOf(error) });
    return { outcome: `Failed: ${messageOf(error)}`, trouble: 'it failed the last time: see the log of diun-pilot' };
  }
}

/** Each queued update says why it does not start while diun-pilot observes, and no longer says it afterwards. */
function noteMode({ store, mode }: Pick<Deps, 'store' | 'mode'>): void {
  for (const { id, reason } of store.updates.withStatus('queued')) {
    const noted = reasonUnder(mode, reason);
    if (noted !== reason) store.updates.change(id, { reason: noted });
  }
}

/** Requests of the command line reach a running service through the database, so it is looked at this often. */
const REST_MS = 1_000;
/** Diun sends the requests of one check within milliseconds of one another. */
const GATHER_MS = 100;
const WITHOUT_ENGINE_MS = 3_000;

export interface Worker {
  /** There is something new to do. */
  wake(): void;
  /** Begins nothing further; resolves when what is under way has ended. */
  stop(): Promise<void>;
  /** Whether all loops work, and if not, why. */
  state(): { status: 'ok' | 'degraded'; reason?: string };
}

/**
 * Decides on what comes in, watches certificates, and works the queue: one thing at a time, which is the lock that
 * updates, backups and renewals share. Who has lost the network of another is joined to it again before anything else.
 */
export function startWorker(deps: Deps): Worker {
  const troubles: Troubles = new Map();
  const loop = (name: string, turn: () => Promise<boolean>): Loop => reportingLoop(deps, troubles, name, turn);
  const decisions = loop('deciding', async () => {
    // A rehearsal under way keeps the worker from it.
    releaseHeldMails(deps);
    return (await handleInbox(deps)) > 0;
  });
  let adopted = false;
  const networks = watchNetworks(deps, () => work.wake());
  const work = loop('working', async () => {
    if (!adopted) {
      await removeLeftRehearsals(deps);
      if (deps.mode === 'act') await adoptAside(deps);
      await forgetRemovedData(deps);
    }
    adopted = true;
    if (deps.mode === 'act') await networks.repair();
    return workOnce(deps);
  });
  const watching = loop('watching certificates', createWatch(deps));
  const ending = new AbortController();
  const tidying = loop('freeing space in the backup storage', async () => {
    await deps.storage.tidy?.(ending.signal);
    return false;
  });
  return {
    wake: () => {
      decisions.wake();
      work.wake();
    },
    stop: async () => {
      ending.abort();
      await Promise.all([networks.stop(), decisions.stop(), work.stop(), watching.stop(), tidying.stop()]);
    },
    state: () =>
      troubles.size === 0
        ? { status: 'ok' }
        : { status: 'degraded', reason: [...new Set(troubles.values())].map((code) => ERROR_CODES[code]).join('; ') },
  };
}

/** By the name of the loop: why it must wait. */
type Troubles = Map<string, ErrorCode>;

/** A failing loop is logged once for as long as the failure lasts, and shown in the worker's state. */
function reportingLoop(
  { clock, logger }: Pick<Deps, 'clock' | 'logger'>,
  troubles: Troubles,
  name: string,
  turn: () => Promise<boolean>,
): Loop {
  return startLoop({
    clock,
    restMs: REST_MS,
    gatherMs: GATHER_MS,
    turn: async () => {
      const more = await turn();
      troubles.delete(name);
      return more;
    },
    failed: (error) => {
      if (troubles.get(name) !== codeOf(error)) logger.error(`${name} must wait`, { reason: messageOf(error) });
      troubles.set(name, codeOf(error));
      return WITHOUT_ENGINE_MS;
    },
  });
}

/** What was interrupted comes first, then automatic before manual. False: there is none. Rejects as `updateContainer`. */
async function runNextUpdate(deps: Deps): Promise<boolean> {
  const update = deps.store.updates.withStatus('running')[0] ?? deps.store.updates.nextQueued();
  if (update !== null) await runToItsEnd(deps, update);
  return update !== null;
}

/** A defect must not stop the queue, nor leave an update without a verdict. */
async function runToItsEnd(deps: Deps, update: Update): Promise<void> {
  try {
    await (update.kind === 'service' ? updateService(deps, update) : updateContainer(deps, update));
  } catch (error) {
    rethrowUndecided(error);
    deps.logger.error('an update failed unexpectedly', {
      update: update.id,
      reason: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    const journal = deps.store.updates.journal(update.id);
    const rollout = deps.store.updates.rollout(update.id);
    if (rollout !== null) await endAbortedService(deps, update, rollout, toPilotError(error));
    else if (journal === null)
      finishUnstarted(deps, update, { status: 'failed', code: codeOf(error), reason: messageOf(error) });
    else await endAborted(deps, update, journal, error);
  }
}

/** Looked at before each turn: what time alone brings about, and what an earlier process left. */
const BY_TIME: readonly ((deps: Deps) => void)[] = [
  requeueUnstarted,
  expireApprovals,
  remindOfApprovals,
  remindOfSoaks,
  releaseHeldMails,
  noteMode,
];

/** An approval is refused then, so no one is reminded of it. */
const BY_TIME_OBSERVING: typeof BY_TIME = [
  requeueUnstarted,
  expireApprovals,
  releaseHeldMails,
  noteMode,
  requeueInterrupted,
];

/** In the order in which they get the lock. Each does the next thing of its kind; false: there is none. */
const JOBS: readonly ((deps: Deps) => Promise<boolean>)[] = [
  lookAtStopped,
  runNextRestore,
  watchSoaks,
  runNextUpdate,
  removeDueContainers,
  removeDueData,
  runNextBackup,
  runNextRenewal,
  doDueWork,
  runNextRehearsal,
  runNextDrill,
];

/**
 * While diun-pilot observes, nothing is started that changes a container. What was interrupted before the switch is finished
 * or undone: it may have stopped a container.
 */
function jobsOf({ mode, store }: Pick<Deps, 'mode' | 'store'>): typeof JOBS {
  if (mode === 'act') return JOBS;
  return [
    ...(store.restores.next()?.status === 'running' ? [runNextRestore] : []),
    ...(store.updates.withStatus('running').length > 0 ? [runNextUpdate] : []),
    ...[runNextBackup, doDueWork, runNextRehearsal, runNextDrill],
  ];
}

/** Does the next thing to do. False: there is none. Rejects with `engine_unreachable` when it must be taken up again. */
export async function workOnce(deps: Deps): Promise<boolean> {
  for (const look of deps.mode === 'act' ? BY_TIME : BY_TIME_OBSERVING) look(deps);
  for (const job of jobsOf(deps)) if (await job(deps)) return true;
  return false;
}
