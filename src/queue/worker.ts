import { expireApprovals, remindOfApprovals } from '../decisions/expire-and-remind';
import { runNextBackup } from '../backups/run-next-backup';
import { runNextRenewal } from '../certificates/renewal-queue';
import { createWatch } from '../certificates/watch-certificates';
import { adoptAside } from '../containers/adopt-aside';
import { rearmRunning } from '../containers/rearm-running';
import { removeDueContainers } from '../containers/remove-due';
import { releaseHeldMails } from '../decisions/held-mails';
import { handleInbox } from '../decisions/handle-inbox';
import type { Deps } from '../deps';
import { codeOf, ERROR_CODES, type ErrorCode, messageOf } from '../domain/errors';
import type { Loop } from '../lib/loop';
import { startLoop } from '../lib/loop';
import { watchNetworks } from '../networks/watch-networks';
import { removeLeftRehearsals } from '../rehearsals/remove-rehearsals';
import { runNextRehearsal } from '../rehearsals/run-next-rehearsal';
import { runNextDrill } from '../restores/drills/run-next-drill';
import { runNextRestore } from '../restores/run-next-restore';
import { runNextUpdate } from '../updates/run-next-update';
import { watchSoaks } from '../updates/soak/watch-soaks';
import { doDueWork } from './do-due-work';
import { noteMode } from './note-mode';

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
function reportingLoop({ clock, logger }: Deps, troubles: Troubles, name: string, turn: () => Promise<boolean>): Loop {
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

/** Looked at before each turn: what time alone brings about. */
const BY_TIME: readonly ((deps: Deps) => void)[] = [expireApprovals, remindOfApprovals, releaseHeldMails, noteMode];

/** An approval is refused then, so no one is reminded of it. */
const BY_TIME_OBSERVING: typeof BY_TIME = [expireApprovals, releaseHeldMails, noteMode];

/** In the order in which they get the lock. Each does the next thing of its kind; false: there is none. */
const JOBS: readonly ((deps: Deps) => Promise<boolean>)[] = [
  runNextRestore,
  watchSoaks,
  runNextUpdate,
  rearmRunning,
  removeDueContainers,
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
function jobsOf({ mode, store }: Deps): typeof JOBS {
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
