import { composeProjectOf } from '../../domain/compose/compose-project';
import { decideTagEdit, withEdit } from '../../domain/compose/tag-edit';
import { changeText, placeByHand } from '../../domain/compose/tag-words';
import { messageOf, rethrowEngineLost } from '../../domain/errors';
import type { Run } from '../run';
import { readProject } from './read-project';

/**
 * Takes back what `keepTag` wrote, before an update that had succeeded is rolled back: else the next `docker compose up -d`
 * would start the version that failed. May be called twice. What cannot be written becomes the follow-up for the operator.
 * Rejects only with `engine_unreachable`.
 */
export async function putTagBack(run: Run): Promise<void> {
  const { soak, tagNote, oldReference, newReference } = run.journal;
  if (soak?.failed === undefined || tagNote === undefined) return;
  const project = composeProjectOf(run.old, await run.engine.inspectImage(run.old.Image));
  if (project === null) return;
  const change = { service: project.service, oldReference: newReference, newReference: oldReference };
  try {
    const texts = await readProject(run.projectFiles, project);
    const decision = decideTagEdit({ ...change, ...texts });
    if (decision.kind === 'written') return;
    if (decision.kind === 'unsure')
      return leave(run, placeByHand(change, decision.place, project.composeFiles, `${decision.reason}.`));
    const { edit } = decision;
    const textIn = ({ composeFiles, envFiles }: typeof texts): string =>
      [...composeFiles, ...envFiles].find(({ path }) => path === edit.path)?.text ?? '';
    await run.projectFiles.replace(
      { folder: project.folder, path: edit.path },
      textIn(texts),
      textIn(withEdit(texts, edit)),
    );
    run.logger.info('the tag from before the update is written again', {
      update: run.update.id,
      change: changeText(edit),
    });
  } catch (error) {
    rethrowEngineLost(error);
    leave(run, placeByHand(change, null, project.composeFiles, messageOf(error)));
  }
}

function leave(run: Run, followUp: string): void {
  run.logger.warn('the compose file still names the version that failed', { update: run.update.id, followUp });
  run.update = run.store.updates.change(run.update.id, { followUp });
}
