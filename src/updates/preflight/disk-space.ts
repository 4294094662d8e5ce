import { DF, judgeDisk, parseDf } from '../../domain/disk/df';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Run } from '../run';

const ANSWER_WITHIN_MS = 10_000;

/**
 * A disk of the engine that is nearly full, as words for the step, before anything is stopped or pulled; null: there is room, or
 * it is not known, since the image has no `df`. Asked in the running container, since the engine may be on another host. Rejects
 * with `preflight_blocked` if there is certainly too little.
 */
export async function lookAtDisk(run: Run): Promise<string | null> {
  const free = await freeBytes(run);
  if (free === null) return null;
  const { refused, words } = judgeDisk(free);
  if (words === null) return null;
  run.logger.warn('the disk of the engine is nearly full', { update: run.update.id, free });
  if (!refused) return words;
  const message = `${words.charAt(0).toUpperCase()}${words.slice(1)}. No update can work with so little. Nothing was stopped. Make room (docker image prune), then run: diun-pilot update ${run.journal.containerName}`;
  throw new PilotError('preflight_blocked', message);
}

async function freeBytes({ engine, old, logger, update }: Run): Promise<number | null> {
  if (!old.State.Running || old.State.Status === 'paused') return null;
  try {
    const { exitCode, stdout } = await engine.exec(old.Id, DF, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return exitCode === 0 ? parseDf(stdout.split('\n')) : null;
  } catch (error) {
    rethrowEngineLost(error);
    logger.info('the free disk space is not known', { update: update.id, reason: messageOf(error) });
    return null;
  }
}
