import { composeProjectOf } from '../../domain/compose/compose-project';
import { decideTagEdit, withEdit } from '../../domain/compose/tag-edit';
import type { ImageInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf } from '../../domain/errors';
import type { Run } from '../run';
import { hashOf, findMatchingVariant } from './compose-hash';
import { readProject } from './read-project';

const CONFIG_HASH = 'com.docker.compose.config-hash';

/**
 * For a new tag: the label by which Compose will know the new container once the tag is in the files. Empty if it is not
 * certain; then the next `docker compose up -d` recreates the container once, and `keepTag` says so. Rejects only for the
 * engine's sake.
 */
export async function newTagLabels(run: Run, oldImage: ImageInspect): Promise<Record<string, string>> {
  const { oldReference, newReference } = run.journal;
  const project = composeProjectOf(run.old, oldImage);
  if (oldReference === newReference || project === null || project.configHash === null) return {};
  const unknown = (reason: string): Record<string, string> => {
    run.logger.info('the config hash of the new tag is not known', { update: run.update.id, reason });
    return {};
  };
  try {
    const texts = await readProject(run.projectFiles, project);
    const decision = decideTagEdit({ service: project.service, oldReference, newReference, ...texts });
    if (decision.kind !== 'edit')
      return unknown(decision.kind === 'unsure' ? decision.reason : 'the files name it already');
    const way = await findMatchingVariant(run, project, texts);
    if (typeof way === 'string') return unknown(way);
    return { [CONFIG_HASH]: await hashOf(run, project, withEdit(texts, decision.edit), way) };
  } catch (error) {
    if (codeOf(error) !== 'project_file_refused' && codeOf(error) !== 'compose_failed') throw error;
    return unknown(messageOf(error));
  }
}
