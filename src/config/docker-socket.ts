import { statSync } from 'node:fs';

const USUAL = '/var/run/docker.sock';

export interface DockerSocket {
  /** As `DOCKER_HOST` says, else the usual path. */
  path: string;
  /** Number of the group that owns it; null: no socket is there. */
  group: number | null;
}

/** The Docker socket as this process sees it. Reads nothing else of the environment, and creates nothing. */
export function dockerSocket(env: NodeJS.ProcessEnv): DockerSocket {
  const unix = /^unix:\/\/(\/[^\s']+)$/.exec(env.DOCKER_HOST?.trim() ?? '')?.[1];
  const path = unix ?? USUAL;
  const stat = statSync(path, { throwIfNoEntry: false });
  return { path, group: stat?.isSocket() === true ? stat.gid : null };
}
