import { inspectByName, inspectIfThere } from '../../containers/read-containers';
import { discard, keepStopped, startJoining, stopIfThere } from '../../containers/start-stop-remove';
import { environmentOf } from '../../domain/recreate/own-config';
import type { Clock } from '../../lib/clock';
import { artifactFolder } from '../../domain/backups/restore-artifact-names';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import { type MajorJournal, stagedFolder } from '../../domain/journal';
import { topFolder } from '../../domain/recreate/carry-over';
import { CLEAR, REMOVE_BEFORE, SWAP_BACK, TIDY } from '../../restores/files/move-scripts';
import { runOneOff, type OneOff } from '../../restores/files/one-off';
import type { Logger } from '../../lib/logger';
import type { Engine } from '../../ports/engine';
import type { KeptDataDirectory } from '../../ports/stopped-containers';
import type { Store } from '../../ports/store';
import { checkpoint, type ActiveUpdate } from '../run';

/** How long the data directory of the previous major is kept. */
const KEPT_FOR_MS = 30 * 86_400_000;
const TRY_AGAIN_MS = 600_000;
const NUMBER = 1;

/** What the update is to become, as the operator approved it; null: none of it is a new major of PostgreSQL. */
export function approvedMajor({
  store,
  update,
}: Pick<ActiveUpdate, 'store' | 'update'>): { from: string; to: string } | null {
  return store.updates.plan(update.id)?.newMajor ?? null;
}

/** One of the scripts on the data directory, with the mounts of `of`. Rejects with `major_failed`. */
export async function onDataDirectory(
  run: Pick<ActiveUpdate, 'engine' | 'clock' | 'logger' | 'journal'>,
  major: MajorJournal,
  act: Pick<OneOff, 'script' | 'args' | 'capabilities'> & { image?: string; of?: string },
): Promise<string[]> {
  const { directory, mark, shell } = major;
  const staged = `${directory}/${stagedFolder(major)}`;
  const args = [directory, staged, previousFolder(major), ...(act.args ?? [directory])];
  const of = { id: act.of ?? run.journal.oldContainerId, name: run.journal.containerName };
  const { script, image = shell, capabilities } = act;
  try {
    return await runOneOff(run, { of, image, mark, script, args, path: directory, capabilities });
  } catch (error) {
    if (codeOf(error) !== 'restore_failed') throw error;
    throw new PilotError('major_failed', messageOf(error), { cause: error });
  }
}

function previousFolder({ mark }: MajorJournal): string {
  return artifactFolder('before', mark, NUMBER);
}

/**
 * The old data directory takes its place again. The new one is removed, unless clients may have written to it; nothing was moved is fine. No server may run on
 * either. `of`: whose mounts lead to it; left out, those of the old container. Rejects with `major_failed`.
 */
export async function putDataBack(run: ActiveUpdate, of = run.journal.oldContainerId): Promise<void> {
  const { major, stage } = run.journal;
  if (major === undefined) return;
  if (major.moved) {
    await keepStopped(run, of);
    await onDataDirectory(run, major, { script: SWAP_BACK, of });
    checkpoint(run, stage, { major: { ...major, moved: false } });
  }
  if (major.loaded === true) return keepNewData(run, major);
  await clearStaged(run, of);
}

/**
 * Another process has replaced or removed a container of this update: one of the old major that has the name now gets its data
 * back, and so does the old container, which is created again where it is gone. What runs another major is left alone. Rejects as
 * `putDataBack`.
 */
export async function dataFollows(run: ActiveUpdate): Promise<void> {
  const { engine, journal } = run;
  const { major, oldContainerId, newContainerId } = journal;
  if (major?.moved !== true) return;
  const bearer = await inspectByName(engine, journal.containerName);
  const isOurs = bearer === null || bearer.Id === oldContainerId || bearer.Id === newContainerId;
  if (!isOurs && environmentOf(bearer.Config.Env).get('PG_MAJOR') !== String(major.from)) return;
  for (const id of [bearer?.Id, newContainerId]) if (id) await stopIfThere(run, id);
  const old = await inspectIfThere(engine, oldContainerId);
  const of = old?.Id ?? (isOurs ? newContainerId : bearer.Id);
  if (of !== null) await putDataBack(run, of);
  if (old === null && newContainerId !== null) await discard(engine, newContainerId);
  if (!isOurs) await startJoining(run, bearer.Id);
}

/** Where it is: what applications wrote after the load is nowhere else. */
function keepNewData({ store, clock, update, journal }: ActiveUpdate, major: MajorJournal): void {
  const keepUntil = new Date(clock.now().getTime() + KEPT_FOR_MS).toISOString();
  const what = `the data directory of PostgreSQL ${major.to}`;
  const { directory } = major;
  const kept = { container: journal.containerName, what, directory, folder: stagedFolder(major), keepUntil };
  const known = store.keptData.all().some(({ updateId }) => updateId === update.id);
  if (!known) store.keptData.add({ ...kept, updateId: update.id });
}

/** What was made next to the data directory and is not needed. Rejects only with `engine_unreachable`. */
export async function clearStaged(run: ActiveUpdate, of = run.journal.oldContainerId): Promise<void> {
  const { major } = run.journal;
  if (major === undefined || major.moved) return;
  try {
    await onDataDirectory(run, major, { script: CLEAR, of });
  } catch (error) {
    rethrowEngineLost(error);
    const left = `${major.directory}/${stagedFolder(major)}`;
    run.logger.warn('the new data directory could not be removed', { left, reason: messageOf(error) });
  }
}

/** After success: what only the move needed is removed, and the previous data directory is listed until it is removed. */
export async function keepPreviousData(run: ActiveUpdate): Promise<string | null> {
  const { journal, store, clock, update } = run;
  const { major, newContainerId, containerName: container } = journal;
  if (major === undefined || newContainerId === null) return null;
  const keepUntil = new Date(clock.now().getTime() + KEPT_FOR_MS).toISOString();
  const folder = previousFolder(major);
  const what = `the data directory of PostgreSQL ${major.from}`;
  const kept = { updateId: update.id, container, what, directory: major.directory, folder, keepUntil };
  const known = store.keptData.all().find((one) => one.updateId === update.id);
  if (known === undefined) store.keptData.add(kept);
  await onDataDirectory(run, major, { script: TIDY, of: newContainerId });
  return `${what} is kept in ${major.directory}/${folder}`;
}

interface KeptDeps {
  engine: Engine;
  store: Pick<Store, 'keptData'>;
  clock: Clock;
  logger: Logger;
}

/** Removes those whose time has come. False: nothing more to do. Rejects only with `engine_unreachable`. */
export async function removeDueData(deps: KeptDeps): Promise<boolean> {
  const { store, clock, logger } = deps;
  for (const kept of store.keptData.due(clock.now().toISOString())) {
    try {
      await removeKept(deps, kept);
      store.keptData.remove(kept.updateId);
      logger.info('a kept data directory is removed', { container: kept.container, folder: kept.folder });
    } catch (error) {
      rethrowEngineLost(error);
      const keepUntil = new Date(clock.now().getTime() + TRY_AGAIN_MS).toISOString();
      store.keptData.add({ ...kept, keepUntil });
      logger.warn('a kept data directory could not be removed', { folder: kept.folder, reason: messageOf(error) });
    }
  }
  return false;
}

async function removeKept(
  deps: KeptDeps,
  { container, directory, folder, updateId }: KeptDataDirectory,
): Promise<void> {
  const { Id, Image } = await deps.engine.inspectContainer(container);
  const args = [directory, `${directory}/.diun-pilot-none/none`, topFolder(folder), directory];
  const of = { id: Id, name: container };
  const mark = updateId.slice(-10).toLowerCase();
  await runOneOff(deps, { of, image: Image, mark, script: REMOVE_BEFORE, args, path: directory });
}

/** Forgets those that the operator has removed. Rejects only with `engine_unreachable`. */
export async function forgetRemovedData({ engine, store }: Pick<KeptDeps, 'engine' | 'store'>): Promise<void> {
  for (const { container, directory, folder, updateId } of store.keptData.all()) {
    try {
      if ((await engine.stat(container, `${directory}/${folder}`)) === null) store.keptData.remove(updateId);
    } catch (error) {
      rethrowEngineLost(error);
    }
  }
}
