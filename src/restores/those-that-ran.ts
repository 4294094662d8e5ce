import { healthOfContainer } from '../containers/check-health';
import { insist } from '../containers/insist';
import { type PolicyDeps, startArmed, startIfStopped } from '../containers/start-stop-remove';
import type { Deps } from '../deps';
import { notJudged, type RanBefore, type RestoreJournal } from '../domain/backups/restore';
import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import type { Progress } from '../lib/logger';
import { psqlOf } from './databases/psql';
import type { RestorePlan } from './plan-restore';
import type { RestoreRun } from './restore-run';

const ASK_EVERY_MS = 500;

type Parts = Pick<Deps, 'engine' | 'clock' | 'logger'> & Pick<PolicyDeps, 'store'>;

/** The database servers and the writers of a restore that run now: asked before it does anything. */
export function whoRuns({ roles, databases, writers }: RestorePlan): RanBefore[] {
  const servers = new Map([...roles, ...databases].map(({ container }) => [container.id, container]));
  return [...thoseRunning(true, [...servers.values()]), ...thoseRunning(false, writers)];
}

/** `server`: they are database servers, else writers. */
export function thoseRunning(server: boolean, containers: readonly Container[]): RanBefore[] {
  return containers
    .filter(({ running }) => running)
    .map(({ id, name, labels }) => ({ id, name, server, readyWithinMs: labels.probeTimeoutMs }));
}

/**
 * For a restore that is taken up again: its database servers, and while nothing was stopped yet its writers, run as they did
 * before. Rejects only with `engine_unreachable`.
 */
export async function thoseThatRanRunAgain(
  parts: Parts,
  { stage, ran = [] }: Pick<RestoreJournal, 'stage' | 'ran'>,
  onProgress: Progress,
): Promise<void> {
  const writers = ran.filter(({ server }) => !server && stage === 'checking');
  for (const { id } of writers) await startIfStopped(parts, id);
  await serversRunAgain(
    parts,
    ran.filter(({ server }) => server),
    onProgress,
  );
}

/**
 * An engine that restarted leaves containers down by their policy, and a database server that it started answers only after
 * its recovery. So each of these, which ran before, is started, and waited for within its own time. What does not answer even
 * then is for the caller to meet and to report. Rejects only with `engine_unreachable`.
 */
export async function serversRunAgain(
  parts: Parts,
  servers: readonly RanBefore[],
  onProgress: Progress,
): Promise<void> {
  for (const { id } of servers) await startIfStopped(parts, id);
  for (const server of servers) await serverAnswers(parts, server, () => Promise.resolve(server), onProgress);
}

/** The same for one that runs already. `now`: the container in which it runs at this moment; a service has another for each task. */
export async function serverAnswers(
  { engine, clock, logger }: Pick<Deps, 'engine' | 'clock' | 'logger'>,
  { name, readyWithinMs }: Pick<RanBefore, 'name' | 'readyWithinMs'>,
  now: () => Promise<{ id: string; name: string }>,
  onProgress: Progress,
): Promise<void> {
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    try {
      await (await psqlOf(engine, await now())).list('SELECT 1');
      return;
    } catch (error) {
      rethrowEngineLost(error);
      if (waited >= readyWithinMs) {
        const fields = { server: name, code: codeOf(error), reason: messageOf(error) };
        logger.warn('a database server does not answer', fields);
        return;
      }
    }
    onProgress(`waiting for the database server ${name}`);
    await clock.sleep(ASK_EVERY_MS);
  }
}

/**
 * Starts those that were stopped, in order, and asks the health of each that was well before or whose files were
 * restored. Resolves with what was seen; rejects with `unhealthy` and all that is wrong, when all have been started.
 */
export async function startAgain(run: RestoreRun): Promise<string> {
  const troubles: string[] = [];
  const seen: string[] = [];
  for (const { id, name, well } of run.journal.stopped) {
    try {
      run.onProgress(`starting ${name}`);
      await insist(run, `the start of ${name}`, () => startArmed(run, id));
      if (well) seen.push(`${name}: ${await healthOfContainer(run, id, name, run.onProgress)}`);
    } catch (error) {
      rethrowEngineLost(error);
      troubles.push(codeOf(error) === 'unhealthy' ? messageOf(error) : `${name} does not start: ${messageOf(error)}`);
    }
  }
  if (troubles.length > 0) throw new PilotError('unhealthy', troubles.join('\n'));
  const healthy = seen.length === 0 ? [] : [`Started again and healthy: ${seen.join('; ')}.`];
  const sentences = [...healthy, ...notJudged(run.journal)];
  return sentences.length === 0 ? 'No container had to be started.' : sentences.join(' ');
}
