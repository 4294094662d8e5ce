import type { Deps } from '../deps';
import type { Rehearsal } from '../domain/rehearsal/rehearsal';
import type { Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Progress } from '../lib/logger';

/** One rehearsal while it runs. */
export interface RehearsalRun extends Deps {
  rehearsal: Rehearsal;
  /** As it was when the rehearsal began. */
  update: Update;
  onProgress: Progress;
}

/** Something urgent has the lock first: the rehearsal is repeated afterwards. */
export class Interrupted extends Error {}

/** The update is no longer open, so a verdict on it helps no one. */
export class NoLongerNeeded extends Error {}

/** Throws `Interrupted` or `NoLongerNeeded`: to be called between the steps, and while something is waited for. */
export function mayGoOn({ store, mode, clock }: Deps, updateId: string): void {
  const status = store.updates.get(updateId)?.status;
  if (status !== 'awaiting_approval' && status !== 'queued')
    throw new NoLongerNeeded(`The update is ${status ?? 'gone'}, so it was not rehearsed to the end.`);
  if (store.backups.nextQueued() !== null) throw new Interrupted('a backup');
  if (mode === 'observe') return;
  if (store.restores.next() !== null) throw new Interrupted('a restore');
  if (store.updates.nextQueued() !== null) throw new Interrupted('an update');
  const renewal = store.renewals.queued();
  if (renewal !== null && renewal.dueAt <= clock.now().toISOString()) throw new Interrupted('a renewal');
}

/** A clock whose waits end, at the latest after a second, when something urgent comes. */
export function interruptible(deps: Deps, updateId: string): Clock {
  return {
    now: () => deps.clock.now(),
    sleep: async (ms, signal) => {
      for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
        mayGoOn(deps, updateId);
        await deps.clock.sleep(Math.min(left, LOOK_EVERY_MS), signal);
      }
      mayGoOn(deps, updateId);
    },
  };
}

const LOOK_EVERY_MS = 1_000;
