import { healthFailureOf, healthOfContainer } from '../../containers/check-health';
import { insistOr } from '../../containers/insist';
import { containerOf, inspectByName, inspectIfReadable } from '../../containers/read-containers';
import { startIfStopped } from '../../containers/start-stop-remove';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../../domain/errors';
import type { Neighbour } from '../../domain/health/neighbour';
import type { Progress } from '../../lib/logger';
import { othersStopped } from '../backup/stopped-containers';
import type { ActiveUpdate } from '../run';
import { seeToNginx, refusedIsUnhealthy, touch } from './see-to-nginx';

/**
 * Restarts the containers that must be restarted when this one is replaced, reloads each nginx that has an old address, and
 * waits until each that responded before the update does so again. `replaced`: whether the container was replaced or stopped,
 * so that the operator's `restart: true` applies; else only those are restarted that this update has restarted before.
 * May be done twice. Resolves with what was seen of each; rejects with `other_unhealthy`, when all have been seen to.
 */
export async function seeToNeighbours(run: ActiveUpdate, progress: Progress, replaced: boolean): Promise<string[]> {
  const seen: string[] = [];
  const troubles: string[] = [];
  for (const neighbour of neighboursOf(run)) {
    progress(`${neighbour.name}${relationOf(neighbour)}`);
    try {
      seen.push(...(await seeTo(run, neighbour, { progress, replaced })));
    } catch (error) {
      if (codeOf(error) === 'engine_refused') {
        // What the engine cannot describe was not seen to fail; it is reported as such (containers/read-containers).
        seen.push(`${neighbour.name} could not be checked: ${messageOf(error)}`);
        continue;
      }
      if (!['unhealthy', 'container_not_found'].includes(codeOf(error))) throw error;
      run.logger.error('a container that responded before the update does not respond', {
        update: run.update.id,
        container: neighbour.name,
        reason: messageOf(error),
      });
      troubles.push(`${neighbour.name}${relationOf(neighbour)}: ${messageOf(error)}`);
    }
  }
  if (troubles.length === 0) return seen;
  throw new PilotError('other_unhealthy', troubles.join('\n'));
}

/** One that this update restarted must run again, however the update ends. Rejects only with `engine_unreachable`. */
export async function startTouched(run: ActiveUpdate): Promise<void> {
  for (const { id, name, touched } of neighboursOf(run))
    if (touched) await insistOr(run, `the start of ${name}`, () => startIfStopped(run, id), undefined);
}

export function neighboursOf({ journal }: Pick<ActiveUpdate, 'journal'>): Neighbour[] {
  return journal.neighbourhood?.neighbours ?? [];
}

async function seeTo(
  run: ActiveUpdate,
  neighbour: Neighbour,
  how: { progress: Progress; replaced: boolean },
): Promise<string[]> {
  // Another process may have re-created it: then the one that has its name must respond.
  const now = (await inspectIfReadable(run.engine, neighbour.id)) ?? (await inspectByName(run.engine, neighbour.name));
  if (now === null) return neighbour.depends ? [`${neighbour.name} was removed meanwhile`] : [];
  // It was started after the backup: its addresses and its health are those of now.
  const wasStopped = othersStopped(run).some(({ id }) => id === neighbour.id);
  const isOrdered = neighbour.ordered && !wasStopped && (how.replaced || neighbour.touched === true);
  const { nginx } = neighbour;
  const acted =
    nginx === null
      ? await restartIf(run, neighbour, { id: now.Id, isOrdered })
      : await seeToNginx(run, { ...neighbour, nginx }, { id: now.Id, isOrdered });
  return [...acted, ...(await responds(run, neighbour, { now, isThorough: acted.length > 0, progress: how.progress }))];
}

async function restartIf(
  run: ActiveUpdate,
  neighbour: Neighbour,
  { id, isOrdered }: { id: string; isOrdered: boolean },
): Promise<string[]> {
  if (!isOrdered) return [];
  const { name } = neighbour;
  touch(run, neighbour.id);
  run.logger.info('a container is restarted, as its depends_on orders', { update: run.update.id, container: name });
  await refusedIsUnhealthy(run.engine.restart(id));
  return [`${name} was restarted (depends_on with restart: true)`];
}

/** Exit codes of a program that ended as it was meant to, or because it was asked to. */
const ENDED_ON_PURPOSE = [0, 143];

/**
 * Waits until a container that responded before the update does so again, for the time of its probe; one that did not then is
 * not asked. One that neither depends on the updated container nor was restarted (`isThorough`) is asked once, and waited for
 * only if it fails. Resolves with what was seen; rejects with `unhealthy`.
 */
async function responds(
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

function relationOf({ depends, ordered }: Neighbour): string {
  if (depends || ordered) return ', which depends on it';
  return ', which responded before the update';
}
