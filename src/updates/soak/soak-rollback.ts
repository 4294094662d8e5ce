import { healthFailureOf } from '../../containers/check-health';
import { containerOf, inspectIfThere } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import { firstLineOf, rethrowEngineLost } from '../../domain/errors';
import type { Neighbour } from '../../domain/health/neighbour';
import type { Journal } from '../../domain/journal';
import type { Soak, SoakData } from '../../domain/soak/soak';
import type { Update } from '../../domain/update';
import type { ActiveUpdate } from '../run';

/** Why the update is rolled back, with the log. `data`: what the operator chose; null: automatically. */
export interface SoakFailure {
  message: string;
  at: string;
  data: SoakData | null;
}

/**
 * Puts the update back under way at the stage `rolling_back`: from here on it is rolled back, and resumed after a crash, as any
 * other. What was stopped for its backup has run since, so data written since is in no backup.
 */
export async function startSoakRollback(deps: Deps, soak: Soak, failure: SoakFailure): Promise<void> {
  const { store } = deps;
  const journal = store.updates.journal(soak.updateId);
  if (journal?.soak === undefined) throw new Error('the journal of an update in its soak is gone');
  const neighbours = await neighboursNow(deps, journal.neighbourhood?.neighbours ?? []);
  const sentence = firstLineOf(failure.message);
  store.transaction(() => {
    if (store.soaks.of(soak.updateId)?.status === 'ended') return;
    store.soaks.change(soak.updateId, { status: 'rolling_back', failure: failure.message, failedAt: failure.at });
    store.keptContainers.remove(soak.oldContainerId);
    store.updates.saveJournal(soak.updateId, backwards(journal, { ...failure, message: sentence }, neighbours));
    store.updates.change(soak.updateId, {
      status: 'running',
      finishedAt: null,
      followUp: null,
      reason: `${sentence} It is being rolled back.`,
      error: { code: 'unhealthy', message: failure.message },
    });
  });
}

function backwards(journal: Journal, { message, at, data }: SoakFailure, neighbours: Neighbour[]): Journal {
  const { neighbourhood, soak } = journal;
  return {
    ...journal,
    stage: 'rolling_back',
    stopped: [],
    servers: [],
    released: data !== 'backup',
    restore: null,
    ...(data === 'backup' ? {} : { dataGoesBack: false }),
    ...(neighbourhood === undefined ? {} : { neighbourhood: { ...neighbourhood, neighbours } }),
    ...(soak === undefined ? {} : { soak: { ...soak, failed: { why: message, at, data } } }),
  };
}

/** Hours may have passed: one that fails by now, and does not depend on the container, fails for another reason. */
async function neighboursNow(deps: Deps, neighbours: readonly Neighbour[]): Promise<Neighbour[]> {
  return Promise.all(
    neighbours.map(async (neighbour) => {
      if (neighbour.depends || neighbour.ordered || !neighbour.well) return neighbour;
      return { ...neighbour, well: await isWell(deps, neighbour.id) };
    }),
  );
}

async function isWell(deps: Deps, id: string): Promise<boolean> {
  try {
    const found = await inspectIfThere(deps.engine, id);
    return (
      found !== null && found.State.Running && (await healthFailureOf(deps, await containerOf(deps, found))) === null
    );
  } catch (error) {
    rethrowEngineLost(error);
    return false;
  }
}

/** The end of an update that was rolled back in its soak: to be called in the transaction that stores it. */
export function afterSoakRollback(
  { store, clock, journal }: ActiveUpdate,
  { id, status, reason, container }: Update,
): void {
  store.soaks.change(id, { status: 'ended', outcome: reason });
  if (status === 'rolled_back') store.replacedImages.remove(journal.oldImageId);
  const waits = store.updates.openFor(container ?? '').some((update) => update.status === 'awaiting_approval');
  if (waits) store.timers.ring('reoffer', clock.now().toISOString());
}

export const NO_WAY_BACK =
  'Its soak ended: the new version is no longer watched, and diun-pilot can no longer roll this update back.';
export const OLD_IS_GONE = 'The old container was removed externally, so this update can no longer be rolled back.';

/**
 * Nothing is left to watch: the old container is removed by the worker, and older images with it. `keep`: not before its time,
 * since no container has the name.
 */
export function endSoak(
  deps: Pick<Deps, 'store' | 'clock' | 'logger'>,
  soak: Soak,
  outcome: string,
  old: 'remove' | 'keep' = 'remove',
): void {
  const { store, clock, logger } = deps;
  const now = clock.now().toISOString();
  store.transaction(() => {
    store.soaks.change(soak.updateId, { status: 'ended', outcome });
    const kept = store.keptContainers.find(soak.oldContainerId);
    if (kept !== null && !kept.leftover && old === 'remove') store.keptContainers.add({ ...kept, keepUntil: now });
    const update = store.updates.get(soak.updateId);
    if (update !== null) store.updates.change(update.id, { reason: `${update.reason} ${outcome}` });
    const journal = store.updates.journal(soak.updateId);
    if (journal !== null) store.updates.saveJournal(soak.updateId, { ...journal, snapshot: undefined });
    store.timers.ring('old-images', now);
  });
  logger.info('a soak ended', { update: soak.updateId, container: soak.container, outcome });
}
