import { healthFailureOf, healthOfContainer } from '../../containers/check-health';
import { containerOf } from '../../containers/read-containers';
import type { ContainerInspect } from '../../domain/engine-inspect';
import type { Neighbour } from '../../domain/health/neighbour';
import type { Progress } from '../../lib/logger';
import type { ActiveUpdate } from '../run';

/** Exit codes of a program that ended as it was meant to, or because it was asked to. */
const ENDED_ON_PURPOSE = [0, 143];

/**
 * Waits until a container that responded before the update does so again, for the time of its probe; one that did not then is
 * not asked. One that neither depends on the updated container nor was restarted (`isThorough`) is asked once, and waited for
 * only if it fails. Resolves with what was seen; rejects with `unhealthy`.
 */
export async function responds(
  run: ActiveUpdate,
  neighbour: Neighbour,
  { now, isThorough, progress }: { now: ContainerInspect; isThorough: boolean; progress: Progress },
): Promise<string[]> {
  const { name, depends, ordered, well } = neighbour;
  if (!well) return [];
  if (!isThorough && !depends && !ordered && !(await isUnhealthy(run, now))) return [];
  return [`${name}${relationOf(neighbour)}: ${await healthOfContainer(run, now.Id, name, progress)}`];
}

/** At this moment. One that ended on its own, such as a job, or was stopped or paused by another process, is not. */
async function isUnhealthy(run: ActiveUpdate, { Id, State }: ContainerInspect): Promise<boolean> {
  if (State.Status === 'paused') return false;
  if (!State.Running && ENDED_ON_PURPOSE.includes(State.ExitCode)) return false;
  return (await healthFailureOf(run, await containerOf(run, await run.engine.inspectContainer(Id)))) !== null;
}

export function relationOf({ depends, ordered }: Neighbour): string {
  if (depends || ordered) return ', which depends on it';
  return ', which responded before the update';
}
