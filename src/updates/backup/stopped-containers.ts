import { healthOfContainer } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { inspectIfThere } from '../../containers/read-containers';
import { startJoining } from '../../containers/start-rename-remove';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Stopped } from '../../domain/health/health-failure';
import type { Progress } from '../../lib/logger';
import type { ActiveUpdate } from '../run';

/** Those that were stopped for the backup, without the container that is updated. */
export function othersStopped({ journal }: Pick<ActiveUpdate, 'journal'>): Stopped[] {
  return journal.stopped.filter(({ id }) => id !== journal.oldContainerId);
}

/** Which of those that were stopped for the backup run all the same, before this run has started them: by name. */
export async function startedByOthers(
  run: ActiveUpdate,
  which: readonly Stopped[] = run.journal.stopped,
): Promise<string[]> {
  const look = (): Promise<(ContainerInspect | null)[]> =>
    Promise.all(which.map(({ id }) => inspectIfThere(run.engine, id)));
  const found = await insist(run, 'the look at those that were stopped for the backup', look);
  return which.filter((_, index) => found[index]?.State.Running === true).map(({ name }) => name);
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
export async function serveAgain(
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
