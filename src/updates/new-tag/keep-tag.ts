import { type ComposeProject, composeProjectOf } from '../../domain/compose/compose-project';
import { decideTagEdit, type TagEdit, withEdit } from '../../domain/compose/tag-edit';
import { changedInWords, editByHand, placeByHand, recreatedOnce, type TagChange } from '../../domain/compose/tag-words';
import { codeOf, messageOf } from '../../domain/errors';
import { tryParseImageReference } from '../../domain/images/image-reference';
import { versionJump } from '../../domain/images/version-jump';
import { type Begun, newContainerOf, reach } from '../run';
import { provenWay } from './compose-hash';
import { type ProjectTexts, readProject } from './read-project';

/** `detail`: what was changed, or null; `followUp`: what is left to the operator, or null. */
interface Kept {
  detail: string | null;
  followUp: string | null;
}

/**
 * After an update to a new tag, past its health check: writes the tag where the operator keeps it, so that the compose project does not fall back. To be called
 * once the new container is settled and before the old one is removed; may be called again after a crash. Resolves with what was
 * changed, in words, or null. What cannot be written is left to the operator as the update's follow-up: that is no
 * failure of the update, so this rejects only for the engine's sake.
 */
export async function keepTag(run: Begun): Promise<string | null> {
  const { oldReference, newReference } = run.journal;
  if (oldReference === newReference) return null;
  const container = await run.engine.inspectContainer(newContainerOf(run));
  const project = composeProjectOf(container, await run.engine.inspectImage(container.Image));
  // Whoever made it otherwise was told by the plan what to change.
  if (project === null) return null;
  const { detail, followUp } = await keepIn(run, project);
  if (followUp !== null) run.logger.warn('something is left to the operator', { update: run.update.id, followUp });
  run.update = run.store.updates.change(run.update.id, { followUp });
  return detail;
}

async function keepIn(run: Begun, project: ComposeProject): Promise<Kept> {
  const { oldReference, newReference } = run.journal;
  const change: TagChange = { service: project.service, oldReference, newReference };
  try {
    const texts = await readProject(run.projectFiles, project);
    const decision = decideTagEdit({ ...change, ...texts });
    switch (decision.kind) {
      case 'unsure':
        return left(placeByHand(change, decision.place, project.composeFiles, `${decision.reason}.`));
      case 'written':
        return await known(
          run,
          project,
          change,
          texts,
          run.journal.tagNote ?? `${decision.place.path} names ${newReference}`,
        );
      case 'edit':
        return await write(run, project, change, texts, decision.edit);
    }
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    return left(placeByHand(change, null, project.composeFiles, messageOf(error)));
  }
}

async function write(
  run: Begun,
  project: ComposeProject,
  change: TagChange,
  texts: ProjectTexts,
  edit: TagEdit,
): Promise<Kept> {
  if (isDowngrade(change)) return left(editByHand(change, edit, 'an older version is never written into your files.'));
  const after = {
    composeFiles: withEdit(texts.composeFiles, edit),
    envFiles: withEdit(texts.envFiles, edit),
  };
  const textIn = ({ composeFiles, envFiles }: ProjectTexts): string =>
    [...composeFiles, ...envFiles].find(({ path }) => path === edit.path)?.text ?? '';
  const note = changedInWords(edit);
  reach(run, run.journal.stage, { tagNote: note });
  try {
    await run.projectFiles.replace({ folder: project.folder, path: edit.path }, textIn(texts), textIn(after));
  } catch (error) {
    if (codeOf(error) !== 'project_file_refused') throw error;
    return left(editByHand(change, edit, messageOf(error)));
  }
  run.logger.info('the new tag is written', { update: run.update.id, change: note });
  return known(run, project, change, after, note);
}

/** The files are right; whether Compose knows the container by them is asked, as they lie there now. */
async function known(
  run: Begun,
  project: ComposeProject,
  change: TagChange,
  texts: ProjectTexts,
  detail: string,
): Promise<Kept> {
  const way = await provenWay(run, project, texts);
  const container = run.journal.containerName;
  return { detail, followUp: typeof way === 'string' ? recreatedOnce(container, change, way) : null };
}

function left(followUp: string): Kept {
  return { detail: null, followUp };
}

function isDowngrade({ oldReference, newReference }: TagChange): boolean {
  const tag = (reference: string): string => tryParseImageReference(reference)?.tag ?? '';
  return versionJump(tag(oldReference), tag(newReference)).jump === 'downgrade';
}
