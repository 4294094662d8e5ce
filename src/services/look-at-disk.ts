import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { formatBytes } from '../domain/format';
import { readTargets } from './read-targets';
import { DF, diskProblem, parseDf } from '../domain/disk/df';
import { messageOf, rethrowEngineLost } from '../domain/errors';

/** One after the other: a host whose images have no `df` must not keep the worker. */
const MOST_ASKED = 10;

/**
 * As the first watched container, or task of a watched service on this node, that can answer sees it; null: none can. Rejects as
 * `readTargets`.
 */
export async function freeOnEngine(deps: Pick<Deps, 'engine' | 'swarm' | 'logger' | 'selfId'>): Promise<number | null> {
  const targets = await readTargets(deps);
  const services = targets.filter(({ swarm, labels }) => swarm !== undefined && labels.watched).map(({ name }) => name);
  const asked = targets.filter(
    ({ swarm, labels, running, self, swarmService }) =>
      swarm === undefined && running && !self && (labels.watched || services.includes(swarmService ?? '')),
  );
  for (const { id } of asked.slice(0, MOST_ASKED)) {
    const free = await freeAsSeenBy(deps, id);
    if (free !== null) return free;
  }
  return null;
}

/** Each hour and at each start, so that the operator knows it before an update starts. */
export async function lookAtDisk(deps: Deps): Promise<WorkOutcome> {
  const free = await freeOnEngine(deps);
  noteDisk(deps, free);
  const outcome = free === null ? 'Not known: no watched container could answer.' : `${formatBytes(free)} free.`;
  return { outcome, trouble: null };
}

const ANSWER_WITHIN_MS = 10_000;
/** There is one engine, and so one such notice. */
const SUBJECT = 'engine';

/**
 * The free bytes on the disk of the engine, by `df` in a running container, since the engine may be on another host. Null:
 * not known, since the image has no `df` or the container does not run. Rejects only with `engine_unreachable`.
 */
export async function freeAsSeenBy(
  { engine, logger }: Pick<Deps, 'engine' | 'logger'>,
  id: string,
): Promise<number | null> {
  try {
    const { exitCode, stdout } = await engine.exec(id, DF, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return exitCode === 0 ? parseDf(stdout.split('\n')) : null;
  } catch (error) {
    rethrowEngineLost(error);
    logger.debug('the free disk space is not known', { container: id, reason: messageOf(error) });
    return null;
  }
}

/** For `/health` and the page: the notice is open for as long as the disk is nearly full. Null, which is not known, closes it. */
export function noteDisk({ store, logger }: Pick<Deps, 'store' | 'logger'>, free: number | null): void {
  const problem = free === null ? null : diskProblem(free);
  if (free === null || problem === null) return store.notices.close('disk_nearly_full', SUBJECT);
  if (store.notices.open('disk_nearly_full', SUBJECT, problem, free))
    logger.warn('the disk of the engine is nearly full', { free });
}
