import { dirname } from 'node:path/posix';
import { changeText, decideTagEdit, withEdit, type TagChange } from '../domain/compose/tag-edit';
import { messageOf } from '../domain/errors';
import { isDowngrade } from '../updates/new-tag/keep-tag';
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

async function keepIn(run: ServiceRun, path: string, change: TagChange): Promise<string> {
  const file = { folder: dirname(path), path };
  const text = await run.projectFiles.read(file);
  if (text === null)
    return leave(run, change, { path, line: null }, 'it is not mounted at the same path into diun-pilot.');
  // `docker stack deploy` reads no .env file: a variable has its value from elsewhere.
  const texts = { composeFiles: [{ path, text }], envFiles: [] };
  const decision = decideTagEdit({ ...change, ...texts });
  if (decision.kind === 'written') return `${path} names ${change.newReference}`;
  if (decision.kind === 'unsure')
    return leave(run, change, decision.place ?? { path, line: null }, `${decision.reason}.`);
  if (isDowngrade(change))
    return leave(run, change, decision.edit, 'an older version is never written into your files.');
  await run.projectFiles.replace(file, text, withEdit(texts, decision.edit).composeFiles[0]?.text ?? text);
  const note = changeText(decision.edit);
  run.logger.info('the new tag is written', { update: run.update.id, change: note });
  return note;
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
