import { asideName } from '../containers/artifact-names';
import { discard, removeByName } from '../containers/remove-aside';
import { syncLocalTag } from './local-tag';
import type { ActiveUpdate } from './run';

/** Removes what was prepared next to the old container, which was never touched, and restores the tag. */
export async function undoPreparation(run: ActiveUpdate): Promise<void> {
  const { update, journal } = run;
  if (journal.newContainerId !== null) await discard(run.engine, journal.newContainerId);
  await removeByName(run, asideName(journal.containerName, 'new', update.id));
  await removeByName(run, asideName(journal.containerName, 'check', update.id));
  await syncLocalTag(run);
}
