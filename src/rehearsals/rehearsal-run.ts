import { containerOfOneOff, rehearsalMark } from '../containers/artifact-names';
import { type OneOffDeps, removeOneOff, repeatRefused } from '../containers/kept-containers';
import { inspectIfReadable, inspectIfThere } from '../containers/read-containers';
import type { Deps } from '../deps';
import { codeAsText } from '../domain/format';
import type { Rehearsal } from '../domain/rehearsal/rehearsal';
import { REHEARSAL_LABEL } from '../domain/rehearsal/trial-request';
import type { Update } from '../domain/update';
import { judgeSoak } from '../domain/soak/soak';
import { isDue, type Clock } from '../lib/clock';
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
    throw new NoLongerNeeded(
      `The update is ${codeAsText(status ?? 'gone').toLowerCase()}, so it was not rehearsed to the end.`,
    );
  if (store.backups.nextQueued() !== null) throw new Interrupted('a backup');
  if (mode === 'observe') return;
  if (store.restores.next() !== null) throw new Interrupted('a restore');
  if (store.updates.nextQueued() !== null) throw new Interrupted('an update');
  if (store.soaks.open().some(({ status }) => status === 'chosen')) throw new Interrupted('the rollback of a soak');
  const renewal = store.renewals.queued();
  if (renewal !== null && renewal.dueAt <= clock.now().toISOString()) throw new Interrupted('a renewal');
}

/** A clock whose waits end when something urgent comes: at the latest after a second, for a container in its soak after ten. */
export function interruptible(deps: Deps, updateId: string): Clock {
  let soaksLookedAt = deps.clock.now().getTime();
  const look = async (): Promise<void> => {
    mayGoOn(deps, updateId);
    const now = deps.clock.now().getTime();
    if (!isDue(soaksLookedAt + SOAKS_EVERY_MS, now, SOAKS_EVERY_MS)) return;
    soaksLookedAt = now;
    await lookAtSoaks(deps);
  };
  return {
    now: () => deps.clock.now(),
    sleep: async (ms, signal) => {
      for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
        await look();
        await deps.clock.sleep(Math.min(left, LOOK_EVERY_MS), signal);
      }
      await look();
    },
  };
}

const LOOK_EVERY_MS = 1_000;
const SOAKS_EVERY_MS = 10_000;

/** Nothing else looks at them meanwhile (updates/soak/watch-soaks), which then judges the one that fails at once. */
async function lookAtSoaks({ store, engine, clock, mode }: Deps): Promise<void> {
  if (mode === 'observe') return;
  for (const { updateId, status, container, containerId, restarts } of store.soaks.open()) {
    if (status !== 'watching') continue;
    const found = await inspectIfReadable(engine, containerId);
    if (found === null || judgeSoak(found, restarts).state !== 'failed') continue;
    store.soaks.change(updateId, { lookAt: clock.now().toISOString() });
    throw new Interrupted(`${container}, which fails in its soak`);
  }
}

/** Another diun-pilot of the same engine may rehearse at this moment; none does so for this long. */
const FOREIGN_AFTER_MS = 6 * 3_600_000;

/**
 * Everything that one rehearsal has created: its containers by name and label, their data with them. Nothing is fine. Rejects
 * as `removeOneOff` does.
 */
export function removeRehearsal(deps: OneOffDeps, rehearsalId: string): Promise<void> {
  return repeatRefused(deps, () => removeWhere(deps, ({ label }) => label === rehearsalId));
}

/** What a process that died has left over, at the start of the next one; also where its database is lost. */
export async function removeLeftRehearsals(deps: Pick<Deps, 'engine' | 'store' | 'clock'>): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now().getTime();
  await removeWhere(
    deps,
    ({ label, createdAt }) => store.rehearsals.get(label) !== null || now - createdAt > FOREIGN_AFTER_MS,
  );
}

interface Found {
  label: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

async function removeWhere(deps: OneOffDeps, isMeant: (found: Found) => boolean): Promise<void> {
  const { engine } = deps;
  for (const { id, name } of await engine.containers()) {
    if (name === null || rehearsalMark(name) === null) continue;
    const found = await inspectIfThere(engine, id);
    const label = found?.Config.Labels?.[REHEARSAL_LABEL];
    if (!found || label === undefined || !isMeant({ label, createdAt: Date.parse(found.Created) })) continue;
    const container = containerOfOneOff(name);
    await removeOneOff(deps, { id, container, role: 'rehearsal', workId: label });
  }
}
