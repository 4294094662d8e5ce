import { keepLostFiles } from '../containers/kept-containers';
import { stopAndRemove } from '../containers/rename-and-remove';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { keepPreviousData } from './major/data-directory';
import { keepForSoak } from './soak/keep-for-soak';
import { keepTag } from './new-tag/keep-tag';
import type { Run } from './run';
import { newContainerOf, checkpoint, step } from './run';

/**
 * Writes a new tag where the operator keeps it, keeps the files that are in no volume, and removes the old container, never
 * its volumes; during its soak (`update.soak`) the old container itself is kept. The new one is running and healthy: a failure here is reported on the step, in the verdict and in the log, but does
 * not undo the update.
 */
export async function cleanUp(run: Run): Promise<void> {
  try {
    await step(run, 'cleanup', async () => {
      const tag = await keepTag(run);
      const data = await keepPreviousData(run);
      const soaks = await soak(run);
      if (soaks !== null) return [tag, soaks].filter((part) => part !== null).join('; ');
      const kept = await keepFiles(run);
      await stopAndRemove(run, run.journal.oldContainerId);
      const removed = `the old container ${run.journal.oldContainerId.slice(0, 12)} is removed; its image ${run.journal.oldImageId.slice(0, 19)} is kept`;
      return [tag, data, kept, removed].filter((part) => part !== null).join('; ');
    });
  } catch (error) {
    rethrowEngineLost(error);
    const reason = messageOf(error);
    checkpoint(run, run.journal.stage, { cleanUpFailure: reason });
    run.logger.warn('the old container could not be removed', { update: run.update.id, reason });
  }
}

/** The old container of a new PostgreSQL major cannot run on the data as it is now. */
async function soak(run: Run): Promise<string | null> {
  const { soakMs } = run.container.labels;
  return soakMs === undefined || run.journal.major !== undefined ? null : keepForSoak(run, soakMs);
}

async function keepFiles(run: Run): Promise<string | null> {
  const { containerName: container } = run.journal;
  const replaced = { old: run.old, replacementId: newContainerOf(run), container, updateId: run.update.id };
  const kept = await keepLostFiles(run, replaced);
  return kept === null ? null : `files outside of its volumes are kept in ${kept.name}`;
}
