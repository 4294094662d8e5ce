import { asideName } from '../containers/aside-names';
import { discard, removeByName } from '../containers/remove-aside';
import type { Run } from './run';
import { reach } from './run';

/** Takes away what was prepared beside the old container, which was never touched, and puts the tag back. */
export async function undoPreparation(run: Run): Promise<void> {
  const { update, journal } = run;
  if (journal.newContainerId !== null) await discard(run.engine, journal.newContainerId);
  await removeByName(run, asideName(journal.containerName, 'new', update.id));
  await removeByName(run, asideName(journal.containerName, 'check', update.id));
  await putTagBack(run);
}

/** The local tag must name the image that serves, else Diun loses the container (facts, Diun). */
export async function putTagBack(run: Run): Promise<void> {
  const { tagMoved, newReference, oldReference, oldImageId, newReferenceWas } = run.journal;
  if (!tagMoved) return;
  if (newReference === oldReference) await run.engine.tag(oldImageId, oldReference);
  else if (newReferenceWas !== null) await run.engine.tag(newReferenceWas, newReference);
  else await run.engine.untag(newReference);
  reach(run, run.journal.stage, { tagMoved: false });
}
