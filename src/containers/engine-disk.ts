import type { Deps } from '../deps';
import { DF, diskProblem, parseDf } from '../domain/disk/df';
import { messageOf, rethrowEngineLost } from '../domain/errors';

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
