import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../domain/errors';
import { parseImageReference } from '../../domain/image-reference';

const DOCKER_HUB = 'https://index.docker.io/v1/';

interface AuthEntry {
  auth?: string;
  identitytoken?: string;
}

/**
 * `X-Registry-Auth` for the registry of a reference, from `auths` of Docker's `config.json`; empty when there is none.
 * Read at each call, since `docker login` rewrites it. Credential helpers are not supported.
 */
export async function registryAuth(dockerConfigDir: string | null, reference: string): Promise<Record<string, string>> {
  const auths = dockerConfigDir === null ? {} : await readAuths(join(dockerConfigDir, 'config.json'));
  const { domain } = parseImageReference(reference);
  const server = domain === 'docker.io' ? DOCKER_HUB : domain;
  const entry = auths[server] ?? auths[`https://${server}`] ?? auths[`http://${server}`];
  if (!entry) return {};
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify(authConfig(entry, server))).toString('base64url') };
}

function authConfig({ auth = '', identitytoken }: AuthEntry, serveraddress: string): object {
  if (identitytoken) return { identitytoken, serveraddress };
  const [username = '', ...password] = Buffer.from(auth, 'base64').toString().split(':');
  return { username, password: password.join(':'), serveraddress };
}

async function readAuths(path: string): Promise<Record<string, AuthEntry>> {
  try {
    const { auths } = JSON.parse(await readFile(path, 'utf8')) as { auths?: Record<string, AuthEntry> };
    return auths ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new EngineError('registry_refused', "Docker's config.json cannot be read: mend it, or its permissions.", {
      cause: error,
    });
  }
}
