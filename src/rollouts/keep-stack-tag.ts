import { dirname } from 'node:path/posix';
import type { ProjectTexts } from '../domain/compose/compose-project';
import { changeText, decideTagEdit, type TagChange, type TagDecision } from '../domain/compose/tag-edit';
import type { Container } from '../domain/container';
import { messageOf } from '../domain/errors';
import { splitReference } from '../domain/images/image-reference';
import type { ProjectFile, ProjectFiles } from '../ports/compose';
import { isDowngrade, laterThan, NEVER_DOWNGRADED, type TagForesight, writeEdit } from '../updates/new-tag/keep-tag';
import { Skipped } from '../updates/run';
import type { ServiceRun } from './rollout-run';

/**
 * After an update to a new tag, past its health check: writes the tag into the file of the stack, where a label of the service
 * names it, so that `docker stack deploy` does not go back. May be called again after a crash. What cannot be written becomes
 * the follow-up of the update: that is not a failure of it, so this never rejects.
 */
export async function keepStackTag(run: ServiceRun): Promise<string | Skipped> {
  const { target, rollout } = run;
  const { oldReference, newReference } = rollout;
  const path = target?.swarm?.stackFile;
  if (path === undefined || oldReference === newReference) return new Skipped('Swarm removes the old tasks on its own');
  const change = { service: target?.service ?? rollout.name, oldReference, newReference };
  try {
    return await keepIn(run, path, change);
  } catch (error) {
    return leave(run, change, { path, line: null }, messageOf(error));
  }
}

/** Checks in advance what `keepStackTag` would find. Null: no file is named. Reads only, and never rejects. */
export async function foreseeStackTag(
  { projectFiles }: { projectFiles: ProjectFiles },
  { name, service, reference, labels, swarm }: Container,
): Promise<TagForesight | null> {
  const path = swarm?.stackFile;
  if (path === undefined || !labels.watched || labels.policy === 'ignore') return null;
  const newReference = laterThan(reference) ?? `${splitReference(reference).name}:next`;
  try {
    const found = await findIn(projectFiles, path, {
      service: service ?? name,
      oldReference: reference,
      newReference,
    });
    if (found === null) return { container: name, why: `${path} (update.stack-file) is not there, or ${NOT_MOUNTED}` };
    if (found.decision.kind === 'unsure') return { container: name, why: `${path}: ${found.decision.reason}.` };
    await projectFiles.mayReplace(found.file);
    return { container: name, path };
  } catch (error) {
    return { container: name, why: messageOf(error) };
  }
}

const NOT_MOUNTED = 'it is not mounted at the same path into diun-pilot.';

interface Found {
  file: ProjectFile;
  texts: ProjectTexts;
  decision: TagDecision;
}

/** Null: there is no such file. */
async function findIn(projectFiles: ProjectFiles, path: string, change: TagChange): Promise<Found | null> {
  const file = { folder: dirname(path), path };
  const text = await projectFiles.read(file);
  if (text === null) return null;
  // `docker stack deploy` reads no .env file: a variable has its value from elsewhere.
  const texts = { composeFiles: [{ path, text }], envFiles: [] };
  return { file, texts, decision: decideTagEdit({ ...change, ...texts }) };
}

async function keepIn(run: ServiceRun, path: string, change: TagChange): Promise<string> {
  const found = await findIn(run.projectFiles, path, change);
  if (found === null) return leave(run, change, { path, line: null }, NOT_MOUNTED);
  const { file, texts, decision } = found;
  if (decision.kind === 'written') return `${path} names ${change.newReference}`;
  if (decision.kind === 'unsure')
    return leave(run, change, decision.place ?? { path, line: null }, `${decision.reason}.`);
  if (isDowngrade(change)) return leave(run, change, decision.edit, NEVER_DOWNGRADED);
  const { edit } = decision;
  await writeEdit(run, file.folder, { texts, edit }, 'the new tag is written');
  return changeText(edit);
}

function leave(
  run: ServiceRun,
  { service, oldReference, newReference }: TagChange,
  { path, line }: { path: string; line: number | null },
  reason: string,
): string {
  const stack = run.target?.project ?? '';
  const where = line === null ? path : `${path}, line ${line}`;
  const followUp = `Still to do: in ${where}, write "image: ${newReference}" in place of "image: ${oldReference}" for the service ${service} of the stack ${stack}. Until then, "docker stack deploy" of that file goes back to ${oldReference}. diun-pilot did not change it automatically: ${reason}`;
  run.logger.warn('something is left to the operator', { update: run.update.id, followUp });
  run.update = run.store.updates.change(run.update.id, { followUp });
  return `${path} is not changed: ${reason}`;
}
