import { type Clock, isDue } from './clock';
import type { Logger, Progress } from './logger';

/** Not more often than a person reads. */
const EVERY_MS = 500;
/** A refused write may have waited 5 s for a lock, and the whole process with it. */
const AFTER_REFUSAL_MS = 30_000;

/** Writes progress for people, who decide nothing by it: what cannot be written is logged, and the work goes on. */
export function writtenProgress(
  { clock, logger }: { clock: Pick<Clock, 'now'>; logger: Logger },
  write: Progress,
): Progress {
  let triedAt = 0;
  let pauseMs = EVERY_MS;
  return (detail) => {
    const now = clock.now().getTime();
    if (!isDue(triedAt + pauseMs, now, pauseMs)) return;
    triedAt = now;
    pauseMs = EVERY_MS;
    try {
      write(detail);
    } catch (error) {
      pauseMs = AFTER_REFUSAL_MS;
      logger.warn('progress cannot be written, and the work goes on', { error });
    }
  };
}
