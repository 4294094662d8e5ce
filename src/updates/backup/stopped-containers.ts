import { composeRunsOf, stoppedForBackup } from '../../backups/writers';
import { healthOfContainer } from '../../containers/check-health';
import { isOurs } from '../../containers/artifact-names';
import { keptThatRun } from '../../containers/kept-stay-stopped';
import { insist } from '../../containers/insist';
import { inspectIfThere, readContainers } from '../../containers/read-containers';
import { startJoining } from '../../containers/start-stop-remove';
import { backupPlaceOf } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Stopped, Writer } from '../../domain/health/health-failure';
import type { Progress } from '../../lib/logger';
import type { ListedContainer } from '../../ports/engine';
import type { KeptContainer } from '../../ports/stopped-containers';
import type { ActiveUpdate, Run } from '../run';

/** Those that were stopped for the backup, without the container that is updated. */
export function othersStopped({ journal }: Pick<ActiveUpdate, 'journal'>): Stopped[] {
  return journal.stopped.filter(({ id }) => id !== journal.oldContainerId);
}

/**
 * Which of the known writers of the set have run since those that ran were stopped for the backup, before this run has started
 * them: by name. Also one that ended again, and one that did not exist then. `without`: id of one that is not asked.
 */
export async function startedByOthers(run: Run, without: string | null = null): Promise<string[]> {
  const { stopped, writers } = run.journal;
  const known: readonly (Stopped | Writer)[] = writers ?? stopped;
  const asked = known.filter(({ id }) => id !== without);
  const look = async (): Promise<{ name: string }[]> => {
    const found = await Promise.all(asked.map(({ id }) => inspectIfThere(run.engine, id)));
    const ran = asked.filter((writer, index) => hasRunSince(writer, found[index] ?? null));
    const others = writers === undefined ? [] : await newWriters(run, writers);
    return [...ran, ...others, ...(await keptWriters(run, known))];
  };
  return (await insist(run, 'the look at the writers of the set', look)).map(({ name }) => name);
}

/** Whether it has run since it was noted, also if it has ended again. */
export function hasRunSince(writer: Stopped | Writer, found: ContainerInspect | null): boolean {
  if (found === null) return false;
  return found.State.Running || ('startedAt' in writer && writer.startedAt !== found.State.StartedAt);
}

/** The old version of a writer, kept for its soak, has the same volumes. */
async function keptWriters(run: Run, known: readonly (Stopped | Writer)[]): Promise<KeptContainer[]> {
  const names = [run.journal.containerName, ...known.map(({ name }) => name)];
  return (await keptThatRun(run)).filter(({ container }) => names.includes(container));
}

/** One that was created since, as by `docker compose run`, and started. */
async function newWriters(run: Run, writers: readonly Writer[]): Promise<Container[]> {
  const { oldContainerId, newContainerId } = run.journal;
  // A writer is one from its creation on, so most looks need no more than the list.
  const { knownAtStop: seen } = run;
  const isNew = ({ id, name }: ListedContainer): boolean => seen?.has(id) !== true && !(name !== null && isOurs(name));
  if (seen !== undefined && !(await run.engine.containers()).some(isNew)) return [];
  const known = [...writers.map(({ id }) => id), oldContainerId, newContainerId];
  const all = await readContainers(run.engine, run.selfId);
  const writing = [...stoppedForBackup(run.container, all), ...composeRunsOf(backupPlaceOf(run.container), all)];
  return writing.filter(({ id, status }) => !known.includes(id) && status !== 'created');
}

/**
 * Starts those that were stopped for the backup, in order; running ones are skipped. Failures are returned
 * as text, so that they do not prevent the start of the others. Rejects only with `engine_unreachable`.
 */
export async function startStopped(
  run: ActiveUpdate,
  which: readonly Stopped[] = run.journal.stopped,
): Promise<string[]> {
  const troubles: string[] = [];
  for (const { id, name } of which) {
    try {
      await insist(run, `the start of ${name}`, () => startJoining(run, id));
    } catch (error) {
      rethrowEngineLost(error);
      run.logger.error('a container that was stopped for the backup does not start', {
        update: run.update.id,
        container: name,
        reason: messageOf(error),
      });
      troubles.push(`${name} does not start: ${messageOf(error)}`);
    }
  }
  return troubles;
}

/**
 * Starts them, and waits until each that was well before is so again. Resolves with what was seen of each; rejects with
 * `unhealthy` and the words of the first that does not come back, when all have been started.
 */
export async function restartAndVerify(
  run: ActiveUpdate,
  which: readonly Stopped[],
  progress: Progress = () => undefined,
): Promise<string[]> {
  const troubles = await startStopped(run, which);
  if (troubles.length > 0) throw new PilotError('unhealthy', `${troubles.join('; ')}.`);
  const seen: string[] = [];
  for (const { id, name, well } of which) {
    const label = `${name}, which ${run.journal.dependents.includes(name) ? 'depends on it' : 'was stopped for the backup'}`;
    const failed = run.journal.failing?.[id];
    if (failed !== undefined) seen.push(`${label}, was not judged, because it was unhealthy before: ${failed.detail}`);
    if (!well) continue;
    progress(label);
    seen.push(`${label}: ${await healthOfContainer(run, id, name, progress)}`);
  }
  return seen;
}
