import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { PilotError } from '../../domain/errors';

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
