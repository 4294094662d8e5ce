import { type ComposeProject, composeProjectOf, type ProjectTexts } from '../../domain/compose/compose-project';
import {
  changeText,
  decideTagEdit,
  editByHand,
  placeByHand,
  recreatedOnce,
  type TagChange,
  type TagEdit,
  withEdit,
} from '../../domain/compose/tag-edit';
import type { Container } from '../../domain/container';
import { passGuards } from '../../domain/decision/guards';
import { codeOf, messageOf, rethrowEngineLost } from '../../domain/errors';
import { tryParseImageReference } from '../../domain/images/image-reference';
import { parseTag } from '../../domain/images/tags';
import { versionJump } from '../../domain/images/version-jump';
import type { ProjectFiles } from '../../ports/compose';
import type { Engine } from '../../ports/engine';
import { type ActiveUpdate, checkpoint, newContainerOf, type Run } from '../run';
import { findMatchingVariant, readProject } from './compose-hash';

/** What will become of a newer tag of a container: written into the file of this path, or why a person must do it. */
export type TagForesight = { container: string } & ({ path: string } | { why: string });

/**
 * Checks in advance what `keepTag` would find. Only of containers that newer tags are looked for: null for the others. Reads
 * only; rejects with `engine_unreachable`.
 */
export async function foreseeTag(
  { engine, projectFiles }: { engine: Engine; projectFiles: ProjectFiles },
  container: Container,
): Promise<TagForesight | null> {
  const { id, name, reference, labels } = container;
  const newReference = laterThan(reference);
  if (passGuards(container).guard !== null || labels.watchRepo !== true || newReference === null) return null;
  try {
    const inspect = await engine.inspectContainer(id);
    const project = composeProjectOf(inspect, await engine.inspectImage(inspect.Image));
    if (project === null) return { container: name, why: 'it was not created by Docker Compose.' };
    const { service, folder } = project;
    const texts = await readProject(projectFiles, project);
    const decision = decideTagEdit({ service, oldReference: reference, newReference, ...texts });
    if (decision.kind === 'unsure') return { container: name, why: `${decision.reason}.` };
    const path = decision.kind === 'edit' ? decision.edit.path : decision.place.path;
    await projectFiles.mayReplace({ folder, path });
    return { container: name, path };
  } catch (error) {
    rethrowEngineLost(error);
    return { container: name, why: messageOf(error) };
  }
}

/** One that could come: where a tag stands does not depend on which it is. Null: no newer tag can be derived from this one. */
export function laterThan(reference: string): string | null {
  const tag = tryParseImageReference(reference)?.tag ?? null;
  if (tag === null || parseTag(tag) === null || !reference.endsWith(`:${tag}`)) return null;
  const later = tag.replace(/^(\D*(?:\d+\.)*)(\d+)/, (_, head: string, last: string) => `${head}${BigInt(last) + 1n}`);
  return `${reference.slice(0, -tag.length)}${later}`;
}

/** A new tag that is to be kept in the files of a compose project. */
interface Keeping {
  run: ActiveUpdate;
  project: ComposeProject;
  change: TagChange;
}

/** `detail`: what was changed, or null; `followUp`: what is left to the operator, or null. */
interface Kept {
  detail: string | null;
  followUp: string | null;
}

/**
 * After an update to a new tag, past its health check: writes the tag where the operator keeps it, so that the compose project
 * does not fall back. To be called before the old container is removed; may be called again after a crash. Resolves with
 * the change as text, or null. A tag that cannot be written becomes the update's follow-up for the operator: that is not a
 * failure of the update, so this rejects only if the engine does not answer.
 */
export async function keepTag(run: ActiveUpdate): Promise<string | null> {
  const { oldReference, newReference } = run.journal;
  if (oldReference === newReference) return null;
  const container = await run.engine.inspectContainer(newContainerOf(run));
  const project = composeProjectOf(container, await run.engine.inspectImage(container.Image));
  // For a container that Compose did not create, the plan has already named the change.
  if (project === null) return null;
  const change = { service: project.service, oldReference, newReference };
  const { detail, followUp } = await keepIn({ run, project, change });
  if (followUp !== null) run.logger.warn('something is left to the operator', { update: run.update.id, followUp });
  run.update = run.store.updates.change(run.update.id, { followUp });
  return detail;
}

async function keepIn(keeping: Keeping): Promise<Kept> {
  const { run, project, change } = keeping;
  try {
    const texts = await readProject(run.projectFiles, project);
    const decision = decideTagEdit({ ...change, ...texts });
    if (decision.kind === 'edit') return await write(keeping, texts, decision.edit);
    if (decision.kind === 'unsure')
      return left(placeByHand(change, decision.place, project.composeFiles, `${decision.reason}.`));
    const note = run.journal.tagNote ?? `${decision.place.path} names ${change.newReference}`;
    return await known(keeping, texts, note);
  } catch (error) {
    rethrowEngineLost(error);
    return left(placeByHand(change, null, project.composeFiles, messageOf(error)));
  }
}

async function write(keeping: Keeping, texts: ProjectTexts, edit: TagEdit): Promise<Kept> {
  const { run, project, change } = keeping;
  if (isDowngrade(change)) return left(editByHand(change, edit, NEVER_DOWNGRADED));
  const note = changeText(edit);
  checkpoint(run, run.journal.stage, { tagNote: note });
  let after: ProjectTexts;
  try {
    after = await writeEdit(run, project.folder, { texts, edit }, 'the new tag is written');
  } catch (error) {
    if (codeOf(error) !== 'project_file_refused') throw error;
    return left(editByHand(change, edit, messageOf(error)));
  }
  return known(keeping, after, note);
}

/** Resolves with the texts as they are then. Rejects with `project_file_refused`. `news`: for the log. */
export async function writeEdit<T extends ProjectTexts>(
  { projectFiles, logger, update }: Pick<ActiveUpdate, 'projectFiles' | 'logger' | 'update'>,
  folder: string,
  { texts, edit }: { texts: T; edit: TagEdit },
  news: string,
): Promise<T> {
  const after = withEdit(texts, edit);
  const { path } = edit;
  await projectFiles.replace({ folder, path }, textOfFile(path, texts), textOfFile(path, after));
  logger.info(news, { update: update.id, change: changeText(edit) });
  return after;
}

/** The files are right; whether Compose knows the container by them is asked, as they lie there now. */
async function known({ run, project, change }: Keeping, texts: ProjectTexts, detail: string): Promise<Kept> {
  const way = await findMatchingVariant(run, project, texts);
  return { detail, followUp: typeof way === 'string' ? recreatedOnce(run.journal.containerName, change, way) : null };
}

function left(followUp: string): Kept {
  return { detail: null, followUp };
}

function textOfFile(path: string, { composeFiles, envFiles }: ProjectTexts): string {
  return [...composeFiles, ...envFiles].find((file) => file.path === path)?.text ?? '';
}

export const NEVER_DOWNGRADED = 'an older version is never written into your files.';

export function isDowngrade({ oldReference, newReference }: TagChange): boolean {
  const tag = (reference: string): string => tryParseImageReference(reference)?.tag ?? '';
  return versionJump(tag(oldReference), tag(newReference)).jump === 'downgrade';
}

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
    await writeEdit(run, project.folder, { texts, edit }, 'the tag from before the update is written again');
  } catch (error) {
    rethrowEngineLost(error);
    leave(run, placeByHand(change, null, project.composeFiles, messageOf(error)));
  }
}

function leave(run: Run, followUp: string): void {
  run.logger.warn('the compose file still names the version that failed', { update: run.update.id, followUp });
  run.update = run.store.updates.change(run.update.id, { followUp });
}
