import type { ContainerInspect, ImageInspect } from '../engine-inspect';
import { ownLabels } from '../labels/own-labels';
import { withoutTrailingSlashes } from '../text/trailing-slashes';

/** The compose project that a container was made from, by Compose's own labels. Paths are absolute, on the host. */
export interface ComposeProject {
  name: string;
  service: string;
  /** Its working directory: what relative paths in the files begin from. */
  folder: string;
  /** In Compose's order: a later one wins. */
  composeFiles: string[];
  /** As given by `--env-file`; null: none was given, and Compose reads `.env` in the folder, if it is there. */
  envFiles: string[] | null;
  /** `com.docker.compose.config-hash`: by which `docker compose up` knows whether the container is current. */
  configHash: string | null;
  /** Of the Compose that made the container; null: unknown. */
  version: string | null;
  /** Id of the container whose network namespace it shares; null: none. */
  joins: string | null;
}

/** The labels that Compose gives its containers, as far as they are read here. */
export const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  dependsOn: 'com.docker.compose.depends_on',
  oneOff: 'com.docker.compose.oneoff',
  /** The image that a container was made from: Compose recreates a container where it is wrong. */
  image: 'com.docker.compose.image',
  configHash: 'com.docker.compose.config-hash',
  configFiles: 'com.docker.compose.project.config_files',
  envFile: 'com.docker.compose.project.environment_file',
  folder: 'com.docker.compose.project.working_dir',
  version: 'com.docker.compose.version',
} as const;

/**
 * Null: not made by Compose, or its files are not named. Only own labels say where the files are: an image must
 * not be able to name a file that is then written.
 */
export function composeProjectOf(container: ContainerInspect, image: ImageInspect): ComposeProject | null {
  const all = container.Config.Labels ?? {};
  const own = ownLabels(all, image.Config?.Labels);
  const [name, service, folder] = [all[COMPOSE.project], all[COMPOSE.service], own[COMPOSE.folder]];
  if (!name || !service || !folder?.startsWith('/')) return null;
  const composeFiles = paths(own[COMPOSE.configFiles], folder);
  if (composeFiles.length === 0) return null;
  const envFiles = paths(own[COMPOSE.envFile], folder);
  const [, joins = null] = /^container:(.+)$/.exec(container.HostConfig.NetworkMode) ?? [];
  return {
    ...{ name, service, folder, composeFiles, joins },
    envFiles: envFiles.length === 0 ? null : envFiles,
    configHash: own[COMPOSE.configHash] ?? null,
    version: own[COMPOSE.version] ?? null,
  };
}

/** What Compose reads variables from. */
export function envFilesOf({ envFiles, folder }: ComposeProject): string[] {
  return envFiles ?? [`${withoutTrailingSlashes(folder)}/.env`];
}

/** Compose 2 writes absolute paths; `--env-file` and older ones may be relative. */
function paths(label: string | undefined, folder: string): string[] {
  return (label ?? '')
    .split(',')
    .filter((path) => path !== '')
    .map((path) => (path.startsWith('/') ? path : `${withoutTrailingSlashes(folder)}/${path}`));
}

/** A file of a compose project: its path on the host, and what is in it. */
export interface ProjectText {
  path: string;
  text: string;
}

/** All files of a compose project that its services are made from, each in Compose's order: a later one wins. */
export interface ProjectTexts {
  composeFiles: readonly ProjectText[];
  envFiles: readonly ProjectText[];
}
