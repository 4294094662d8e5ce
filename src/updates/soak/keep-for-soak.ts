import { canChangeData, holdsData } from '../../backups/writers';
import { asideName } from '../../containers/artifact-names';
import { keepAside } from '../../containers/kept-containers';
import { inspectIfThere, readContainers } from '../../containers/read-containers';
import { formatTime, formatTimeout, shortId } from '../../domain/format';
import { type ActiveUpdate, checkpoint, newContainerOf, type Run } from '../run';

/**
 * Keeps the old container for the soak: stopped, restart policy `no`, listed. Resolves with what was done, or null: another
 * process has removed it, so there is nothing to go back to. May be done twice.
 */
export async function keepForSoak(run: Run, ms: number): Promise<string | null> {
  const { engine, journal, update, container, clock, timeZone } = run;
  const { containerName, oldContainerId } = journal;
  if ((await inspectIfThere(engine, oldContainerId)) === null) return null;
  const { RestartCount: restarts } = await engine.inspectContainer(newContainerOf(run));
  const all = await readContainers(engine, run.selfId);
  const data = holdsData(container, all) || container.database || journal.fingerprint !== undefined;
  checkpoint(run, journal.stage, {
    soak: { ms, holdsData: data, changesSet: canChangeData(container, all), restarts },
  });
  const keepUntil = new Date(clock.now().getTime() + ms).toISOString();
  await keepAside(run, {
    containerId: oldContainerId,
    container: containerName,
    name: asideName(containerName, 'old', update.id),
    updateId: update.id,
    reason: `It is the version from before the update, kept in case ${containerName} fails before then (update.soak=${formatTimeout(ms)}).`,
    leftover: false,
    keepUntil,
  });
  return `the old container ${shortId(oldContainerId)} is kept, stopped, until ${formatTime(keepUntil, timeZone)} (update.soak)`;
}

/** The soak starts with the verdict: to be called in the transaction that stores it. True: the update has one. */
export function beginSoak({ store, clock, journal, update }: ActiveUpdate): boolean {
  const { soak, newContainerId, oldContainerId, containerName } = journal;
  const kept = store.keptContainers.find(oldContainerId);
  if (soak === undefined || newContainerId === null || kept === null || kept.leftover) return false;
  const until = new Date(clock.now().getTime() + soak.ms).toISOString();
  store.keptContainers.add({ ...kept, keepUntil: until });
  store.soaks.begin({
    ...{ updateId: update.id, container: containerName, containerId: newContainerId, oldContainerId, until },
    ...{ restarts: soak.restarts, holdsData: soak.holdsData },
  });
  return true;
}
