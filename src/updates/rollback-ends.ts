import { asideName } from '../containers/aside-names';
import { discard, removeByName } from '../containers/remove-aside';
import { codeOf, messageOf, PilotError } from '../domain/errors';
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

export function rollbackFailed(reason: PilotError, failure: unknown): PilotError {
  const code = codeOf(failure) === 'changed_meanwhile' ? 'changed_meanwhile' : 'rollback_failed';
  return new PilotError(code, `${messageOf(failure)}\nIt was rolled back because: ${reason.message}`, {
    cause: failure,
  });
}

/** What was rolled back for, when the process that knew it is gone. */
export function interruptedCause({ update }: Run): PilotError {
  return update.error === null
    ? new PilotError('interrupted', 'diun-pilot was stopped while it rolled back.')
    : new PilotError(update.error.code as PilotError['code'], update.error.message);
}
