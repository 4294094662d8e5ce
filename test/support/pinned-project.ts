import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HashVariant } from '../../src/ports/compose';
import type { ContainerSpec } from './fake-engine-types';
import { nginx, type Scene } from './scene';

export const PINNED = `# kept by the operator
services:
  web:
    image: "nginx:1.27.3" # pinned
    restart: unless-stopped
`;

export interface PinnedProject {
  folder: string;
  /** Id of the container before. */
  id: string;
  read: (file?: string) => string;
}

export interface PinnedOptions {
  /** Beside or instead of `compose.yaml`. */
  files?: Record<string, string>;
  way?: Partial<HashVariant>;
  spec?: Partial<ContainerSpec>;
  labels?: Record<string, string>;
}

/** A project in a real folder, and the container that this scene's Compose would have made of it: web-web-1 on nginx:1.27.3. */
export async function pinnedProject(
  scene: Scene,
  { files = {}, way = {}, spec = {}, labels = {} }: PinnedOptions = {},
): Promise<PinnedProject> {
  const folder = join(scene.folder, 'web');
  mkdirSync(folder);
  const all: Record<string, string> = { 'compose.yaml': PINNED, ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  const read = (file = 'compose.yaml'): string => readFileSync(join(folder, file), 'utf8');
  const hash = await scene.compose.configHash({
    ...{ project: 'web', service: 'web', folder },
    composeFiles: [read()],
    envFiles: '.env' in all ? [read('.env')] : [],
    way: { allProfiles: false, readsEnvFile: false, joins: null, ...way },
  });
  scene.engine.addImage({ reference: 'nginx:1.27.3' });
  const made: Record<string, string> = {
    'com.docker.compose.service': 'web',
    'com.docker.compose.project.config_files': join(folder, 'compose.yaml'),
    'com.docker.compose.project.working_dir': folder,
    'com.docker.compose.config-hash': hash,
    ...labels,
  };
  const id = scene.engine.runContainer(nginx({ name: 'web-web-1', image: 'nginx:1.27.3', ...spec, labels: made }));
  return { folder, id, read };
}
