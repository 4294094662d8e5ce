import { healthOf, healthOfContainer } from '../containers/check-health';
import { readContainers } from '../containers/read-containers';
import { changeAsDetail } from '../domain/data-change-words';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Progress } from '../lib/progress';
import { lookForChange } from './fingerprint/data-change';
import type { Run } from './run';
import { newContainerOf, reach } from './run';
import { othersStopped, serveAgain } from './stopped-containers';

/**
 * Asks the new container's health, and what it changed in the data; then starts those that were stopped for the backup and asks theirs, and that of all
 * that depend on it and were well before.
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
  if (stopped.length > 0) reach(run, 'checking', { released: true });
  const seen = await serveAgain(run, stopped, progress);
  for (const { id, name } of await otherDependents(run)) {
    progress(`${name}, which depends on it`);
    seen.push(`${name}, which depends on it: ${await healthOfContainer(run, id, name, progress)}`);
  }
  return seen;
}

async function otherDependents(run: Run): Promise<{ id: string; name: string }[]> {
  const asked = new Set(othersStopped(run).map(({ name }) => name));
  const names = new Set(run.journal.dependents.filter((name) => !asked.has(name)));
  if (names.size === 0) return [];
  return (await readContainers(run.engine, run.selfId)).filter(({ name }) => names.has(name));
}
