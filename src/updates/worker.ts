import type { Deps } from '../deps';
import { createWatch } from '../certificates/watch-certificates';
import { codeOf, ERROR_CODES, type ErrorCode, messageOf, toPilotError } from '../domain/errors';
import type { Update } from '../domain/update';
import type { Loop } from '../lib/loop';
import { startLoop } from '../lib/loop';
import { doDueWork } from './do-due-work';
import { end, endWithout } from './end';
import { expireApprovals } from './expire-approvals';
import { handleInbox } from './handle-inbox';
import { remindOfApprovals } from './remind-of-approvals';
import { runQueuedBackup } from './run-queued-backup';
import { runQueuedRenewal } from './run-queued-renewal';
import { runNextDrill } from '../restores/run-next-drill';
import { runNextRestore } from '../restores/run-next-restore';
import { othersStopped, startStopped } from './stopped-containers';
import { updateContainer } from './update-container';
import { watchNetworks } from './watch-networks';

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
  const troubles = new Map<string, ErrorCode>();
  const loop = (name: string, turn: () => Promise<boolean>): Loop =>
    startLoop({
      clock: deps.clock,
      restMs: REST_MS,
      gatherMs: GATHER_MS,
      turn: async () => {
        const more = await turn();
        troubles.delete(name);
        return more;
      },
      failed: (error) => {
        if (troubles.get(name) !== codeOf(error)) deps.logger.error(`${name} must wait`, { reason: messageOf(error) });
        troubles.set(name, codeOf(error));
        return WITHOUT_ENGINE_MS;
      },
    });
  const decisions = loop('deciding', async () => (await handleInbox(deps)) > 0);
  const networks = watchNetworks(deps, () => work.wake());
  const work = loop('working', async () => {
    await networks.mend();
    return workOnce(deps);
  });
  const watching = loop('watching certificates', createWatch(deps));
  return {
    wake: () => {
      decisions.wake();
      work.wake();
    },
    stop: async () => {
      await Promise.all([networks.stop(), decisions.stop(), work.stop(), watching.stop()]);
    },
    state: () =>
      troubles.size === 0
        ? { status: 'ok' }
        : { status: 'degraded', reason: [...new Set(troubles.values())].map((code) => ERROR_CODES[code]).join('; ') },
  };
}

/** Looked at before each turn: what time alone brings about. */
const BY_TIME: readonly ((deps: Deps) => void)[] = [expireApprovals, remindOfApprovals];

/** In the order in which they get the lock. Each does the next thing of its kind; false: there is none. */
const JOBS: readonly ((deps: Deps) => Promise<boolean>)[] = [
  runNextRestore,
  runNextUpdate,
  runQueuedBackup,
  runQueuedRenewal,
  doDueWork,
  runNextDrill,
];

/** Does the next thing to do. False: there is none. Rejects with `engine_unreachable` when it must be taken up again. */
export async function workOnce(deps: Deps): Promise<boolean> {
  for (const look of BY_TIME) look(deps);
  for (const job of JOBS) if (await job(deps)) return true;
  return false;
}

/** What was interrupted comes first, then automatic before manual. */
async function runNextUpdate(deps: Deps): Promise<boolean> {
  const update = deps.store.updates.withStatus('running')[0] ?? deps.store.updates.nextQueued();
  if (update !== null) await runToItsEnd(deps, update);
  return update !== null;
}

/** A defect must not stop the queue, nor leave an update without an end that tells of it. */
async function runToItsEnd(deps: Deps, update: Update): Promise<void> {
  try {
    await updateContainer(deps, update);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    deps.logger.error('an update broke off', { update: update.id, reason: messageOf(error), stack: stackOf(error) });
    const journal = deps.store.updates.journal(update.id);
    if (journal === null) endWithout(deps, update, 'failed', messageOf(error));
    else {
      const run = { ...deps, update, journal };
      const untouched = journal.stage === 'preparing';
      const troubles = await startStopped(run, untouched ? journal.stopped : othersStopped(run));
      end(run, untouched && troubles.length === 0 ? 'failed' : 'rollback_failed', toPilotError(error));
    }
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
