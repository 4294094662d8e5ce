import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { jsonOrUndefined } from '../../../lib/json';

const DOCKER_HUB = 'https://index.docker.io/v1/';
/** Hosts by which Docker Hub is named (docker/cli, cli/config/configfile). */
const HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

const text = z.string().nullish();
const authEntry = z.object({ auth: text, username: text, password: text, identitytoken: text });
type AuthEntry = z.infer<typeof authEntry>;

/** As the Docker client reads it, which refuses the whole file for one value of another type. */
const dockerConfig = z
  .object({
    auths: z.record(z.string(), authEntry.nullable()).nullish(),
    /** Name of the helper for all registries. */
    credsStore: text,
    /** Name of the helper by registry. */
    credHelpers: z.record(z.string(), z.string()).nullish(),
  })
  .nullable();
type DockerConfig = NonNullable<z.infer<typeof dockerConfig>>;

/** `X-Registry-Auth` for the registry of a reference; empty when there are no credentials. */
export async function registryAuth(dockerConfigDir: string | null, reference: string): Promise<Record<string, string>> {
  const found = await credentialsFor(dockerConfigDir, reference);
  if (found === null) return {};
  const config = { ...found, serveraddress: serverOf(reference) };
  // The engine takes the URL's alphabet, and ignores what is not padded: it would ask the registry without a login.
  const text = Buffer.from(JSON.stringify(config)).toString('base64');
  return { 'X-Registry-Auth': text.replaceAll('+', '-').replaceAll('/', '_') };
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
    return dockerConfig.parse(JSON.parse(await readFile(path, 'utf8'))) ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new EngineError('registry_refused', "Docker's config.json cannot be read: correct it, or its permissions.", {
      cause: error,
    });
  }
}

export type Credentials = { username: string; password: string } | { identitytoken: string };

/** Part of a program's name, never a path. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A helper's own words for "none" (docker-credential-helpers, credentials/error.go). */
const NONE = /credentials not found in native keychain/i;
/** A helper's user name for an identity token. */
const TOKEN_USER = '<token>';

const answer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Asks `docker-credential-NAME get` on the PATH. Null: it has none, or there is no such program and it is not `required`. Rejects with
 * `registry_refused`; no word of its output is in the message, which could be a secret.
 */
async function askHelper(
  name: string,
  server: string,
  { required, env }: { required: boolean; env?: NodeJS.ProcessEnv | undefined },
): Promise<Credentials | null> {
  const program = `docker-credential-${name}`;
  if (!NAME.test(name)) throw unusable('The name of a credential helper', 'is not the name of a program');
  const { stdout, failure } = await run(program, server, env);
  if (failure?.code === 'ENOENT') {
    if (required) throw unusable(program, 'is not on the PATH of diun-pilot: install it there, or use `docker login`');
    return null;
  }
  if (failure !== null) {
    if (NONE.test(stdout)) return null;
    throw unusable(
      program,
      `fails for ${server} (${failure.killed ? 'no answer in time' : `exit code ${failure.code}`})`,
    );
  }
  const parsed = answer.safeParse(jsonOrUndefined(stdout));
  if (!parsed.success) throw unusable(program, `returned no credentials for ${server}`);
  const { Username: username, Secret: password } = parsed.data;
  if (username === TOKEN_USER) return { identitytoken: password };
  return username === '' ? null : { username, password };
}

interface Failed {
  code?: number | string | null;
  killed?: boolean;
}

function run(
  program: string,
  server: string,
  env: NodeJS.ProcessEnv | undefined,
): Promise<{ stdout: string; failure: Failed | null }> {
  const { bytes, ms } = BOUNDS.credentialHelper;
  return new Promise((resolve) => {
    const options = { timeout: ms, maxBuffer: bytes, killSignal: 'SIGKILL' as const, ...(env && { env }) };
    const child = execFile(program, ['get'], options, (failure, stdout) => resolve({ stdout, failure }));
    // A helper that does not read its input, or is missing, breaks the pipe: its exit reports why.
    child.stdin?.on('error', () => undefined).end(server);
  });
}

function unusable(what: string, why: string): EngineError {
  return new EngineError('registry_refused', `${what}, which Docker's config.json names, ${why}.`);
}
