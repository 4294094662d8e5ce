import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';

const DOCKER_HUB = 'https://index.docker.io/v1/';

interface AuthEntry {
  auth?: string;
  identitytoken?: string;
}

export type Credentials = { username: string; password: string } | { identitytoken: string };

/** `X-Registry-Auth` for the registry of a reference; empty when there are no credentials. */
export async function registryAuth(dockerConfigDir: string | null, reference: string): Promise<Record<string, string>> {
  const found = await credentialsFor(dockerConfigDir, reference);
  if (found === null) return {};
  const config = { ...found, serveraddress: serverOf(reference) };
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify(config)).toString('base64url') };
}

/**
 * From `auths` of Docker's `config.json`, read at each call, since `docker login` rewrites it; null: none. Credential
 * helpers are not supported.
 */
export async function credentialsFor(dockerConfigDir: string | null, reference: string): Promise<Credentials | null> {
  const auths = dockerConfigDir === null ? {} : await readAuths(join(dockerConfigDir, 'config.json'));
  const server = serverOf(reference);
  const entry = auths[server] ?? auths[`https://${server}`] ?? auths[`http://${server}`];
  if (!entry) return null;
  if (entry.identitytoken) return { identitytoken: entry.identitytoken };
  const [username = '', ...password] = Buffer.from(entry.auth ?? '', 'base64')
    .toString()
    .split(':');
  return { username, password: password.join(':') };
}

function serverOf(reference: string): string {
  const { domain } = parseImageReference(reference);
  return domain === 'docker.io' ? DOCKER_HUB : domain;
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
