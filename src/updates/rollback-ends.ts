import { asideName } from '../containers/aside-names';
import { illnessOf } from '../containers/check-health';
import { discard, removeByName } from '../containers/remove-aside';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Illness } from '../domain/illness';
import type { Run } from './run';

/** Whoever serves by now, that the new one could not be removed does not change the verdict. */
export async function removeNew(run: Run): Promise<void> {
  try {
    if (run.journal.newContainerId !== null) await discard(run.engine, run.journal.newContainerId);
    await removeByName(run, asideName(run.journal.containerName, 'check', run.update.id));
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    run.logger.warn('the new container could not be removed', { update: run.update.id, reason: messageOf(error) });
  }
}

/** `asBefore`: how the old container was ill before the update, if it is so now. */
export function rollbackFailed(reason: PilotError, failure: unknown, asBefore: Illness | null = null): PilotError {
  const because = `${messageOf(failure)}\nIt was rolled back because: ${reason.message}`;
  const cause = { cause: failure };
  if (codeOf(failure) === 'changed_meanwhile') return new PilotError('changed_meanwhile', because, cause);
  if (asBefore === null) return new PilotError('rollback_failed', because, cause);
  const suspect = asBefore.of === 'probe' ? ': its label update.probe may be wrong' : '';
  const before = `It did not pass its health check before the update either (${asBefore.detail})${suspect}.`;
  return new PilotError('unhealthy_as_before', `${before} ${because}`, cause);
}

/**
 * How the old container was ill before the update, if it is ill in the same way now, so that nothing tells whether it serves
 * as it did; null: it was well, is otherwise ill, or well. Rejects only with `engine_unreachable`.
 */
export async function illAsBefore(run: Run): Promise<Illness | null> {
  const { illBefore, oldContainerId: id } = run.journal;
  if (illBefore === undefined) return null;
  const now = await illnessOf(run, { ...run.container, id });
  return now?.of === illBefore.of ? illBefore : null;
}

/** What was rolled back for, when the process that knew it is gone. */
export function interruptedCause({ update }: Run): PilotError {
  return update.error === null
    ? new PilotError('interrupted', 'diun-pilot was stopped while it rolled back.')
    : new PilotError(update.error.code, update.error.message);
}
