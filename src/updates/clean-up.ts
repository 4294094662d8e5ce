import { stopAndRemove } from '../containers/remove-aside';
import { codeOf, messageOf } from '../domain/errors';
import { keepTag } from './new-tag/keep-tag';
import type { Run } from './run';
import { step } from './run';

/**
 * Writes a new tag where the operator keeps it, and removes the old container, never its volumes. The new one serves and
 * is healthy: a failure here is told on the step and in the log, but does not undo the update.
 */
export async function cleanUp(run: Run): Promise<void> {
  try {
    await step(run, 'cleanup', async () => {
      const kept = await keepTag(run);
      await stopAndRemove(run, run.journal.oldContainerId);
      return `${kept === null ? '' : `${kept}; `}the old container ${run.journal.oldContainerId.slice(0, 12)} is removed; its image ${run.journal.oldImageId.slice(0, 19)} is kept`;
    });
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    run.logger.warn('the old container could not be removed', { update: run.update.id, reason: messageOf(error) });
  }
}
