import { checkStorage } from '../../backups/check-storage';
import { composeRunsOf, stoppedForBackup } from '../../backups/writers';
import { findUnhealthy } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { inspectIfThere, readContainers } from '../../containers/read-containers';
import { keepStopped, withLastStart } from '../../containers/start-stop-remove';
import { backupPlaceOf } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost, toPilotError } from '../../domain/errors';
import { isWell, type Stopped, type Writer } from '../../domain/health/health-failure';
import { networkOwner } from '../../domain/network/shared-network';
import type { Progress } from '../../lib/logger';
import { noteNeighbours } from '../neighbours/note-neighbours';
import { lookAhead } from '../preflight/preflight';
import { newImageOf, pullByDigest } from '../pull-by-digest';
import { checkpoint, type Run } from '../run';
import { handsOver } from '../swap-containers';

/**
 * For a container that holds data: stops all writers of its set, so that rows and files belong together and a restore
 * loses nothing that was written after the backup. They stay stopped until the new container is healthy or the old one is
 * running again. False: no writer is known, or one cannot be stopped, or a command of `docker compose run` may write, or the
 * update or its backup cannot work anyway.
 */
export async function quiesce(run: Run, progress: Progress): Promise<boolean> {
  if (handsOver(run)) return false;
  const all = await readContainers(run.engine, run.selfId);
  const writers = stoppedForBackup(run.container, all);
  if (writers.length === 0 || writers.some((writer) => cannotBeStopped(run, writer))) return false;
  const composeRuns = composeRunsOf(backupPlaceOf(run.container), all);
  if (composeRuns.some(({ running }) => running)) return false;
  if (!(await fetchInAdvance(run, pullByDigest, progress))) return false;
  if (!(await passesPreflight(async () => lookAhead(run, await newImageOf(run)))) || !(await canBeStored(run)))
    return false;
  await noteNeighbours(run, all, writers);
  const { stopped, starts } = await howTheyAre(run, writers, composeRuns);
  checkpoint(run, 'preparing', { stopped, writers: starts, stoppedAt: run.clock.now().toISOString() });
  run.knownAtStop = new Set(all.map(({ id }) => id));
  for (const { id, name } of stopped.toReversed()) {
    progress(`stopping ${name}`);
    await stop(run, id, name);
  }
  const look = () => withLastStart(run, starts);
  checkpoint(run, 'preparing', { writers: await insist(run, 'the look at the stopped containers', look) });
  await mustStillBeStored(run, stopped);
  return true;
}

/**
 * Stopping one that was started with `--rm` deletes it, no container can be started in the network of a stopped one, and a paused
 * one would run afterwards.
 */
function cannotBeStopped({ old }: Run, { id, name, running, status, autoRemove }: Container): boolean {
  const owner = networkOwner(old);
  return running && (autoRemove || status === 'paused' || id === owner || name === owner);
}

type Fetching = Pick<Run, 'logger' | 'update' | 'pullFailure'>;

/** So that nothing is stopped during a download, or for an image that cannot be had (false): the step `pull` reports that. */
export async function fetchInAdvance<R extends Fetching>(
  run: R,
  pull: (run: R, progress: Progress) => Promise<unknown>,
  progress: Progress,
): Promise<boolean> {
  try {
    await pull(run, (detail) => progress(`fetching the image in advance: ${detail}`));
    return true;
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.warn('the image could not be fetched in advance', { update: run.update.id, reason: messageOf(error) });
    run.pullFailure = toPilotError(error);
    return false;
  }
}

const REFUSED_BY_PREFLIGHT: readonly string[] = ['preflight_failed', 'preflight_blocked', 'recreate_refused'];

/** Nothing is stopped for an update that the step `preflight` will refuse. */
export async function passesPreflight(preflight: () => Promise<unknown>): Promise<boolean> {
  try {
    await preflight();
    return true;
  } catch (error) {
    if (!REFUSED_BY_PREFLIGHT.includes(codeOf(error))) throw error;
    return false;
  }
}

/** Nor for a backup that cannot be stored: the step `backup` reports it while all containers are running. */
export async function canBeStored({
  storage,
  logger,
  update,
}: Pick<Run, 'storage' | 'logger' | 'update'>): Promise<boolean> {
  try {
    await checkStorage(storage);
    return true;
  } catch (error) {
    logger.warn('no container is stopped for the backup, because its storage does not work', {
      update: update.id,
      reason: messageOf(error),
    });
    return false;
  }
}

/** A storage of the same host, or its name server, can be one of the containers that were stopped: then no attempt can succeed. */
export async function mustStillBeStored(
  { storage }: Pick<Run, 'storage'>,
  stopped: readonly Pick<Stopped, 'name'>[],
): Promise<void> {
  try {
    await checkStorage(storage);
  } catch (error) {
    const names = stopped.map(({ name }) => name).join(', ');
    const why = `The backup storage worked until ${names} ${stopped.length === 1 ? 'was' : 'were'} stopped for the backup: ${messageOf(error)}`;
    const remedy =
      'Label the container that the storage needs with backup.quiesce=never, or use a storage that needs none of them.';
    throw new PilotError('storage_needs_stopped', `${why} ${remedy}`, { cause: error });
  }
}

/**
 * `stopped`: the running ones and their health, by their own probes: a container that was unhealthy before need not be healthy
 * afterwards. What an earlier attempt saw before it stopped them counts: right after a start a probe says nothing. `starts`: of
 * all of them and of `others`, since what any of them writes from now on is in no backup.
 */
async function howTheyAre(
  run: Run,
  writers: Container[],
  others: Container[],
): Promise<{ stopped: Stopped[]; starts: Writer[] }> {
  const { journal } = run;
  const failing = journal.failing ?? Object.fromEntries(await findUnhealthy(run, writers));
  checkpoint(run, 'preparing', { failing });
  const found = await thoseThere(run, writers);
  const stopped = found
    .filter(({ State }) => State.Running)
    .map((inspect) => {
      const well = failing[inspect.Id] === undefined && isWell(inspect);
      return { id: inspect.Id, name: inspect.Name.slice(1), well };
    });
  const starts = [...found, ...(await thoseThere(run, others))].map(({ Id, Name, State }) => ({
    id: Id,
    name: Name.slice(1),
    startedAt: State.StartedAt,
  }));
  return { stopped, starts };
}

async function thoseThere({ engine }: Run, containers: readonly Container[]): Promise<ContainerInspect[]> {
  const there = await Promise.all(containers.map(({ id }) => inspectIfThere(engine, id)));
  return there.filter((inspect) => inspect !== null);
}

async function stop(run: Run, id: string, name: string): Promise<void> {
  try {
    await keepStopped(run, id);
  } catch (error) {
    rethrowEngineLost(error);
    if (codeOf(error) !== 'container_not_found')
      throw new PilotError('backup_failed', `${name} could not be stopped for the backup: ${messageOf(error)}`, {
        cause: error,
      });
  }
}
