import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { askHelper, type Credentials } from './docker-credential';

const DOCKER_HUB = 'https://index.docker.io/v1/';
/** Hosts by which Docker Hub is named (docker/cli, cli/config/configfile). */
const HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry | null> | null;
  /** Name of the helper for all registries. */
  credsStore?: string;
  /** Name of the helper by registry. */
  credHelpers?: Record<string, string> | null;
}

/** `X-Registry-Auth` for the registry of a reference; empty when there are no credentials. */
export async function registryAuth(dockerConfigDir: string | null, reference: string): Promise<Record<string, string>> {
  const found = await credentialsFor(dockerConfigDir, reference);
  if (found === null) return {};
  const config = { ...found, serveraddress: serverOf(reference) };
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify(config)).toString('base64url') };
}

/**
 * As the Docker client finds them (docker/cli, cli/config/configfile): from the registry's own credential helper
 * (`credHelpers`), else from that of all (`credsStore`), else from `auths` of `config.json`, read at each call, since `docker login`
 * rewrites it. Null: none, and the registry is asked without a login.
 */
export async function credentialsFor(
  dockerConfigDir: string | null,
  reference: string,
  /** Of the helpers; left out: that of this process. */
  env?: NodeJS.ProcessEnv,
): Promise<Credentials | null> {
  if (dockerConfigDir === null) return null;
  const { auths, credHelpers, credsStore } = await readConfig(join(dockerConfigDir, 'config.json'));
  const server = serverOf(reference);
  const own = entryFor(credHelpers ?? {}, server);
  if (own !== undefined) return askHelper(own, server, { required: true, env });
  const common = credsStore ? await askHelper(credsStore, server, { required: false, env }) : null;
  return common ?? fromEntry(entryFor(auths ?? {}, server));
}

function serverOf(reference: string): string {
  const { domain } = parseImageReference(reference);
  return domain === 'docker.io' ? DOCKER_HUB : domain;
}

/** By the exact name, else by any spelling of the host: with a scheme, with a path such as `/v1/`. */
function entryFor<T>(entries: Record<string, T>, server: string): T | undefined {
  if (Object.hasOwn(entries, server)) return entries[server];
  const names = hostsOf(server);
  return Object.entries(entries).find(([name]) => names.includes(hostOf(name)))?.[1];
}

function hostsOf(server: string): string[] {
  return server === DOCKER_HUB ? HUB_HOSTS : [hostOf(server)];
}

function hostOf(name: string): string {
  return (name.replace(/^https?:\/\//i, '').split('/', 1)[0] ?? '').toLowerCase();
}

/** An entry may be empty: `docker login` leaves one where a helper keeps the credentials. */
function fromEntry(entry: AuthEntry | null | undefined): Credentials | null {
  if (!entry) return null;
  if (entry.identitytoken) return { identitytoken: entry.identitytoken };
  if (entry.username) return { username: entry.username, password: entry.password ?? '' };
  const [username = '', ...password] = Buffer.from(entry.auth ?? '', 'base64')
    .toString()
    .split(':');
  return username === '' ? null : { username, password: password.join(':').replace(/\0+$/, '') };
}

async function readConfig(path: string): Promise<DockerConfig> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) ?? {}) as DockerConfig;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new EngineError('registry_refused', "Docker's config.json cannot be read: correct it, or its permissions.", {
      cause: error,
    });
  }
}
