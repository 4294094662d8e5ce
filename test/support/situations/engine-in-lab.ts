import { createDockerEngine } from '../../../src/adapters/docker/docker-engine';
import type { Engine } from '../../../src/ports/engine';
import { DockerCli } from '../../lab/engine/docker-cli';
import { labId, projectName } from '../../lab/lab';

/** The lab's engine, by its own command line and by our adapter, and an image with a shell to build on. */
export interface EngineInLab {
  docker: DockerCli;
  engine: Engine;
  dockerHost: string;
  base: string;
  /** For the names of all that a test makes without Compose: by it the lab knows them, and nobody else's are like that. */
  prefix: (test: string) => string;
  registry: string;
}

export function engineInLab(env: NodeJS.ProcessEnv = process.env): EngineInLab {
  const dockerHost = needed(env, 'DOCKER_HOST');
  return {
    docker: new DockerCli(env['LAB_DOCKER'] ?? '/usr/bin/docker', dockerHost),
    engine: createDockerEngine({ dockerHost, dockerConfigDir: null }),
    dockerHost,
    prefix: (test) => projectName(labId(needed(env, 'LAB_DIR')), test),
    base: needed(env, 'LAB_IMAGE_NGINX_GOOD_1'),
    registry: needed(env, 'LAB_REGISTRY'),
  };
}

function needed(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set: run this with npm test, or evaluate what npm run lab prints`);
  return value;
}
