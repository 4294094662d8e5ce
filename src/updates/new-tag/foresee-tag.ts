import { composeProjectOf } from '../../domain/compose/compose-project';
import { decideTagEdit } from '../../domain/compose/tag-edit';
import type { Container } from '../../domain/container';
import { passGuards } from '../../domain/decision/guards';
import { messageOf, rethrowEngineLost } from '../../domain/errors';
import { tryParseImageReference } from '../../domain/images/image-reference';
import { parseTag } from '../../domain/images/tags';
import type { Engine } from '../../ports/engine';
import type { ProjectFiles } from '../../ports/compose';
import { readProject } from './compose-hash';

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
