import { codeOf, type ErrorCode, messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';

/** An engine that is busy, or a disk that is full for a moment, refuses a call and takes it afterwards. */
const PAUSES_MS = [0, 1_000, 2_000, 4_000, 8_000, 15_000];
/** With the time that the tries themselves take: a start waits for its port on its own. */
const WITHIN_MS = 30_000;

/**
 * Does what brings a service back, and repeats it while the engine refuses a call of it: one refusal, or several in a row,
 * must not leave the service down. `act` may be done twice. `repeats`: the errors after which it is repeated; another process may
 * remove what `act` has just found. Rejects as `act` does, with one of `repeats` after the last try.
 */
export async function insist<T>(
  { clock, logger }: { clock: Clock; logger: Logger },
  what: string,
  act: () => Promise<T>,
  repeats: readonly ErrorCode[] = ['engine_refused'],
): Promise<T> {
  const startedAt = clock.now().getTime();
  for (const pause of PAUSES_MS) {
    try {
      return await act();
    } catch (error) {
      if (!repeats.some((code) => code === codeOf(error)) || clock.now().getTime() - startedAt >= WITHIN_MS)
        throw error;
      logger.warn(`a call of ${what} failed, and is repeated`, { reason: messageOf(error) });
      await clock.sleep(pause);
    }
  }
  return act();
}

/**
 * The same for what a verdict cannot wait for: after the last refusal that is logged, and `otherwise` is the result. Rejects
 * with any other error of `act`, such as `engine_unreachable`.
 */
export async function insistOr<T, Otherwise>(
  parts: { clock: Clock; logger: Logger },
  what: string,
  act: () => Promise<T>,
  otherwise: Otherwise,
): Promise<T | Otherwise> {
  try {
    return await insist(parts, what, act);
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    parts.logger.error(`${what} is left out, because the engine refuses it`, { reason: messageOf(error) });
    return otherwise;
  }
}
