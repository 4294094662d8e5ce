import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';

/**
 * Runs the plugin directly, without a shell and with an empty environment: settings of diun-pilot must not get into another project.
 * Resolves with standard output. Neither output nor the files' text is ever part of an error.
 */
export function runCompose(plugin: string, args: string[], timeoutMs: number): Promise<string> {
  const options = {
    ...{ timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: BOUNDS.composeOutput.bytes, cwd: '/' },
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  };
  return new Promise((resolve, reject) => {
    execFile(plugin, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new PilotError('compose_failed', `Docker Compose did not read the files of the project (${whyOf(error)}).`),
        );
    });
  });
}

function whyOf({ killed, code, signal }: { killed?: boolean; code?: unknown; signal?: unknown }): string {
  if (killed) return 'it did not answer in time';
  if (typeof code === 'number') return `exit code ${code}: docker compose config --quiet shows why`;
  return typeof code === 'string' ? code : `it was ended by ${String(signal)}`;
}

/** Where the packages of Docker and of the distributions put it (docs.docker.com, "CLI plugins"), and where it stands alone. */
export const PLACES: readonly string[] = [
  '/usr/local/lib/docker/cli-plugins/docker-compose',
  '/usr/local/libexec/docker/cli-plugins/docker-compose',
  '/usr/lib/docker/cli-plugins/docker-compose',
  '/usr/libexec/docker/cli-plugins/docker-compose',
  '/usr/local/bin/docker-compose',
  '/usr/bin/docker-compose',
];

/** Rejects with `compose_failed` where none is. */
export async function findPlugin(places: readonly string[]): Promise<string> {
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  throw new PilotError(
    'compose_failed',
    'Docker Compose is not installed next to diun-pilot: use its image, or install the plugin docker-compose.',
  );
}
