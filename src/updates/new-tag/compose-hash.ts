import type { Deps } from '../../deps';
import type { ComposeProject } from '../../domain/compose/compose-project';
import type { ProjectText, ProjectTexts } from '../../domain/compose/project-text';
import { codeOf, messageOf } from '../../domain/errors';
import type { HashVariant } from '../../ports/compose';

type Asked = Pick<Deps, 'compose' | 'engine'>;

/**
 * Finds the variant in which these files give the hash of the container: how `up` was called is not recorded. The
 * hash of other files is computed in the same variant. A sentence: there is none, and why; nothing may be guessed then. Rejects
 * only for the engine's sake.
 */
export async function findMatchingVariant(
  deps: Asked,
  project: ComposeProject,
  texts: ProjectTexts,
): Promise<HashVariant | string> {
  let reason: string | null = null;
  for (const way of await waysOf(deps, project)) {
    try {
      if ((await hashOf(deps, project, texts, way)) === project.configHash) return way;
      reason = unlike(project);
    } catch (error) {
      if (codeOf(error) !== 'compose_failed') throw error;
      reason ??= messageOf(error);
    }
  }
  return reason ?? unlike(project);
}

/** The hash of the project's service in these files. Rejects with `compose_failed`. */
export function hashOf(
  { compose }: Pick<Asked, 'compose'>,
  project: ComposeProject,
  { composeFiles, envFiles }: ProjectTexts,
  way: HashVariant,
): Promise<string> {
  const textsOf = (files: readonly ProjectText[]): string[] => files.map(({ text }) => text);
  return compose.configHash({
    ...{ project: project.name, service: project.service, folder: project.folder, way },
    composeFiles: textsOf(composeFiles),
    envFiles: textsOf(envFiles),
  });
}

/** The likely ones first. */
async function waysOf(deps: Asked, project: ComposeProject): Promise<HashVariant[]> {
  const joined = await joinedService(deps, project);
  const joins = joined === null ? [null] : [{ ...joined, implied: true }, { ...joined, implied: false }, null];
  return [false, true].flatMap((allProfiles) =>
    joins.flatMap((way) => [false, true].map((readsEnvFile) => ({ allProfiles, readsEnvFile, joins: way }))),
  );
}

/** `network_mode: service:NAME` became `container:ID` when the container was made; the labels of that container have NAME. */
async function joinedService(
  { engine }: Asked,
  { joins, name }: ComposeProject,
): Promise<{ service: string; containerId: string } | null> {
  if (joins === null) return null;
  try {
    const { Id, Config } = await engine.inspectContainer(joins);
    const service = Config.Labels?.['com.docker.compose.service'];
    if (!service || Config.Labels?.['com.docker.compose.project'] !== name) return null;
    return { service, containerId: Id };
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return null;
    throw error;
  }
}

function unlike({ version }: ComposeProject): string {
  const other = `another version of Compose than made it${version === null ? '' : ` (${version})`}`;
  return `Compose, asked by diun-pilot, does not know the container by these files: a variable of your shell, ${other}, or a change since then.`;
}
