import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { waitUntilHealthy } from '../probes/wait-until-healthy';
import { readContainers } from './read-containers';
import type { Progress, Run } from './run';
import { newContainerOf } from './swap-containers';

const LOG_LINES = 20;

/** Asks the new container's health, then that of all that depend on it and were well before. */
export async function checkHealth(run: Run, progress: Progress): Promise<string> {
  const seen = [await healthOf(run, newContainerOf(run), run.container, progress)];
  for (const dependent of await dependentsToCheck(run)) {
    progress(`${dependent.name}, which depends on it`);
    seen.push(`${dependent.name}, which depends on it: ${await dependentHealth(run, dependent, progress)}`);
  }
  return seen.join('; ');
}

/** Rejects with `unhealthy`, and with the last lines of the container's log in the message. */
export async function healthOf(run: Run, id: string, as: Container, progress: Progress): Promise<string> {
  const { engine, clock } = run;
  const { probe, probeTimeoutMs: timeoutMs } = as.labels;
  try {
    return await waitUntilHealthy({ engine, clock, containerId: id, probe, timeoutMs, onProgress: progress });
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new PilotError('unhealthy', `${messageOf(error)}${await lastLines(run, id)}`, { cause: error });
  }
}

async function lastLines({ engine }: Run, id: string): Promise<string> {
  try {
    const lines = await engine.logs(id, LOG_LINES);
    return lines.length === 0 ? '\nIts log is empty.' : `\nThe last lines of its log:\n${lines.join('\n')}`;
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    return `\nIts log could not be read: ${messageOf(error)}`;
  }
}

async function dependentsToCheck(run: Run): Promise<Container[]> {
  const names = new Set(run.journal.dependents);
  if (names.size === 0) return [];
  return (await readContainers(run.engine, run.selfId)).filter(({ name }) => names.has(name));
}

/** Restarts that came of the moments without the container it depends on are not held against it. */
async function dependentHealth(run: Run, dependent: Container, progress: Progress): Promise<string> {
  const { RestartCount } = await run.engine.inspectContainer(dependent.id);
  const { probe, probeTimeoutMs: timeoutMs } = dependent.labels;
  try {
    return await waitUntilHealthy({
      engine: run.engine,
      clock: run.clock,
      containerId: dependent.id,
      probe,
      timeoutMs,
      restartsBefore: RestartCount + 3,
      onProgress: progress,
    });
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    const log = await lastLines(run, dependent.id);
    throw new PilotError(
      'unhealthy',
      `${dependent.name}, which depends on it, is not healthy: ${messageOf(error)}${log}`,
    );
  }
}
