import { findDockerCli, DockerCli } from './engine/docker-cli';
import type { LabImages } from './images/build-images';
import { IMAGE_NAMES } from './images/recipes';
import { labParts, type Lab } from './lab';

/** How another process reaches an open lab: the variables that `npm run lab` prints. */
export function labEnvironment(lab: Lab): Record<string, string> {
  const images = Object.entries(lab.images).map(([name, image]) => [`LAB_IMAGE_${name}`, image]);
  return {
    DOCKER_HOST: lab.docker.host,
    LAB_VIEW: lab.viewHost,
    LAB_DIR: lab.dir,
    LAB_REGISTRY: lab.registry.address,
    LAB_DOCKER: lab.docker.path,
    LAB_IMAGES: lab.origin,
    ...(Object.fromEntries(images) as Record<string, string>),
  };
}

/** The lab that another process opened and exported; throws when the environment does not tell of one. */
export async function connectLab(env: NodeJS.ProcessEnv = process.env): Promise<Lab> {
  const images = Object.fromEntries(IMAGE_NAMES.map((name) => [name, needed(env, `LAB_IMAGE_${name}`)])) as LabImages;
  const path = env['LAB_DOCKER'] ?? (await findDockerCli()) ?? 'docker';
  const docker = new DockerCli(path, needed(env, 'DOCKER_HOST'));
  const origin = needed(env, 'LAB_IMAGES') === 'public' ? 'public' : 'distribution';
  return labParts({
    docker,
    origin,
    images,
    dir: needed(env, 'LAB_DIR'),
    viewHost: needed(env, 'LAB_VIEW'),
    registryAddress: needed(env, 'LAB_REGISTRY'),
  });
}

function needed(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set: start the lab with \`npm run lab\` and export the lines it prints`);
  return value;
}
