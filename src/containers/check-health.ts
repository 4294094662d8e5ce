import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import type { HealthFailure } from '../domain/health/health-failure';
import { fewAtATime } from '../lib/promises';
import type { Progress } from '../lib/logger';
import { checkHealthOnce, waitUntilHealthy } from '../probes/wait-until-healthy';
import { insist } from './insist';
import { containerOf } from './read-containers';

const LOG_LINES = 20;

/** Rejects with `unhealthy`, and with the last lines of the container's log in the message. */
export async function healthOf(
  deps: Pick<Deps, 'engine' | 'clock' | 'selfId'>,
  id: string,
  as: Pick<Container, 'labels'>,
  progress: Progress,
  restartsBefore = 0,
): Promise<string> {
  const { engine, clock, selfId } = deps;
  const { probe, probeTimeoutMs: timeoutMs, probeTimeoutIsSet: timeoutIsSet } = as.labels;
  const asked = { probe, timeoutMs, timeoutIsSet, restartsBefore, onProgress: progress };
  const question = { engine, clock, selfId, containerId: id, ...asked };
  try {
    return await waitUntilHealthy(question);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new PilotError('unhealthy', `${messageOf(error)}${await lastLines(deps, id)}`, { cause: error });
  }
}

/** Of another container or service than the updated one: rejects with `other_unhealthy` in place of `unhealthy`. */
export async function asOther<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new PilotError('other_unhealthy', messageOf(error), { cause: error });
  }
}

/**
 * The health of another container than the updated one, by its own labels. Restarts that came of the moments without
 * what it depends on are not held against it.
 */
export async function healthOfContainer(
  deps: Pick<Deps, 'engine' | 'clock' | 'logger' | 'selfId'>,
  id: string,
  name: string,
  progress: Progress,
): Promise<string> {
  try {
    const { inspect, container } = await insist(deps, `the health check of ${name}`, async () => {
      const found = await deps.engine.inspectContainer(id);
      return { inspect: found, container: await containerOf(deps, found) };
    });
    return await healthOf(deps, id, container, progress, inspect.RestartCount + 3);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy' && codeOf(error) !== 'container_not_found') throw error;
    throw new PilotError('unhealthy', `${name} is not healthy: ${messageOf(error)}`, { cause: error });
  }
}

/** What is wrong with it now, by its own labels; null: nothing that could be seen. Rejects only with `engine_unreachable`. */
export function healthFailureOf(
  { engine, clock, selfId }: Pick<Deps, 'engine' | 'clock' | 'selfId'>,
  { id, labels: { probe } }: Pick<Container, 'id' | 'labels'>,
): Promise<HealthFailure | null> {
  return checkHealthOnce({ engine, clock, selfId, containerId: id, probe });
}

/** Of its log, to be put after a message. */
export async function lastLines({ engine }: Pick<Deps, 'engine'>, id: string): Promise<string> {
  try {
    const lines = await engine.logs(id, LOG_LINES);
    return lines.length === 0 ? '\nIts log is empty.' : `\nThe last lines of its log:\n${lines.join('\n')}`;
  } catch (error) {
    rethrowEngineLost(error);
    return `\nIts log could not be read: ${messageOf(error)}`;
  }
}

/** A probe may be a program inside the container: not all of a host's at once. */
const AT_ONCE = 4;

/** Which of those that run fail their own health check at this moment, by id. Rejects only with `engine_unreachable`. */
export async function findUnhealthy(
  deps: Pick<Deps, 'engine' | 'clock' | 'selfId'>,
  containers: readonly Container[],
): Promise<ReadonlyMap<string, HealthFailure>> {
  const running = containers.filter((container) => container.running);
  const found = await fewAtATime(running, AT_ONCE, (container) => healthFailureOf(deps, container));
  return new Map(running.flatMap(({ id }, index) => (found[index] ? [[id, found[index]] as const] : [])));
}
