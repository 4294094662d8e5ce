import type { Deps } from '../../deps';
import {
  type ComposeProject,
  composeProjectOf,
  envFilesOf,
  type ProjectText,
  type ProjectTexts,
} from '../../domain/compose/compose-project';
import { decideTagEdit, withEdit } from '../../domain/compose/tag-edit';
import type { ImageInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../../domain/errors';
import type { HashVariant, ProjectFiles } from '../../ports/compose';
import type { Run } from '../run';

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
function hashOf(
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
  const other = `another version of Compose${version === null ? '' : ` (the container was created by ${version})`}`;
  return `Compose, run by diun-pilot, would re-create the container from these files. Possible causes: a variable of your shell, ${other}, or a change since then.`;
}

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

/** Reads the files of a compose project. Rejects with `project_file_refused` when not all of them can be read here. */
export async function readProject(files: ProjectFiles, project: ComposeProject): Promise<ProjectTexts> {
  const read = async (path: string): Promise<ProjectText[]> => {
    const text = await files.read({ folder: project.folder, path });
    return text === null ? [] : [{ path, text }];
  };
  const required = async (path: string): Promise<ProjectText> => {
    const [file] = await read(path);
    if (file === undefined) throw notMounted(path);
    return file;
  };
  const composeFiles = await Promise.all(project.composeFiles.map(required));
  // Compose reads `.env` where it is; what was given to it by name must be there.
  const envFiles =
    project.envFiles === null
      ? (await Promise.all(envFilesOf(project).map(read))).flat()
      : await Promise.all(project.envFiles.map(required));
  return { composeFiles, envFiles };
}

function notMounted(path: string): PilotError {
  return new PilotError(
    'project_file_refused',
    `${path} is not there: mount the folder of the project, at the same path, into the container of diun-pilot.`,
  );
}
