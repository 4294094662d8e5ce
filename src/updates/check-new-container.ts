import { healthOf } from '../containers/check-health';
import { changeAsDetail } from '../domain/data/compare-fingerprints';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Progress } from '../lib/logger';
import { lookForChange } from './fingerprint/data-change';
import { seeToNeighbours } from './neighbours/see-to-neighbours';
import type { Run } from './run';
import { newContainerOf, checkpoint } from './run';
import { othersStopped, serveAgain } from './backup/stopped-containers';

/**
 * Asks the new container's health, and what it changed in the data; then starts those that were stopped for the backup and
 * asks theirs, and sees to all that is next to it.
 */
export async function checkNewContainer(run: Run, progress: Progress): Promise<string> {
  const seen = [await healthOf(run, newContainerOf(run), run.container, progress)];
  const change = await lookForChange(run, progress);
  if (change !== null) seen.push(changeAsDetail(change));
  return [...seen, ...(await othersServe(run, progress))].join('; ');
}

/** Rejects with `other_unhealthy`: it is not known whether the new image is the cause. */
async function othersServe(run: Run, progress: Progress): Promise<string[]> {
  try {
    return await askOthers(run, progress);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new PilotError('other_unhealthy', messageOf(error), { cause: error });
  }
}

async function askOthers(run: Run, progress: Progress): Promise<string[]> {
  const stopped = othersStopped(run);
  if (stopped.length > 0) checkpoint(run, 'checking', { released: true });
  const seen = await serveAgain(run, stopped, progress);
  return [...seen, ...(await seeToNeighbours(run, progress, true))];
}
