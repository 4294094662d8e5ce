import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { askJson, type JsonAnswer, type Question } from './ask-json';
import { credentialsFor, type Credentials } from './credentials';
import { Destinations } from './destinations';
import { isLoopback, refused } from './refusal';

const DOCKER_HUB = 'registry-1.docker.io';

/** One repository of a registry, asked by the distribution API from this process. */
export interface Repository {
  registry: URL;
  destinations: Destinations;
  /** `path` is below the repository: `manifests/sha256:…`. */
  url(path: string): URL;
  /**
   * Asks, and where the registry requires a login, asks again with one. Resolves with the answer and the question that was
   * answered, which is the form of all further ones. Rejects as `askJson`, and with `registry_refused` without a login.
   */
  ask(url: URL, question: Question): Promise<{ answer: JsonAnswer; question: Question }>;
}

/** Reads the credentials; asks nothing yet. Rejects with `registry_refused` when they cannot be read. */
export async function openRepository(dockerConfigDir: string | null, reference: string): Promise<Repository> {
  const { domain, path } = parseImageReference(reference);
  const registry = new URL(`https://${domain === 'docker.io' ? DOCKER_HUB : domain}`);
  if (isLoopback(registry)) registry.protocol = 'http:';
  const destinations = new Destinations(registry);
  const credentials = await credentialsFor(dockerConfigDir, reference);
  return {
    registry,
    destinations,
    url: (below) => new URL(`/v2/${path}/${below}`, registry),
    ask: async (url, question) => {
      const answer = await askJson(destinations, url, question);
      const challenge = answer.status === 401 ? answer.headers['www-authenticate'] : undefined;
      if (challenge === undefined) return { answer, question };
      const authorization = await authorizationFor(destinations, challenge, credentials, question.signal);
      if (authorization === null) throw refused(registry, 'it wants a login, and there is none');
      const known = { ...question, authorization };
      return { answer: await askJson(destinations, url, known), question: known };
    },
  };
}

/** Of a challenge, more is not read. */
const LONGEST_CHALLENGE = 4096;

/**
 * The `Authorization` that a registry's challenge requests (`WWW-Authenticate` of a 401): Basic with the credentials, or a
 * bearer token of the service that it names (distribution, docs/spec/auth). Null: it requires credentials, and there are none.
 */
async function authorizationFor(
  destinations: Destinations,
  challenge: string,
  credentials: Credentials | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (/^basic\b/i.test(challenge)) return basic(credentials);
  const { realm, ...query } = parametersOf(challenge.slice(0, LONGEST_CHALLENGE));
  if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return null;
  return `Bearer ${await tokenOf(destinations, new URL(realm), { query, credentials, signal })}`;
}

interface TokenQuestion {
  query: Record<string, string>;
  credentials: Credentials | null;
  signal: AbortSignal;
}

async function tokenOf(
  destinations: Destinations,
  service: URL,
  { query, credentials, signal }: TokenQuestion,
): Promise<string> {
  const question = { bound: BOUNDS.registryToken, signal, follow: false } as const;
  const answer =
    credentials !== null && 'identitytoken' in credentials
      ? await askJson(destinations, service, { ...question, form: refresh(query, credentials.identitytoken) })
      : await askJson(destinations, withQuery(service, query), { ...question, authorization: basic(credentials) });
  if (answer.status === 401 || answer.status === 403) throw refused(service, 'it does not accept the login');
  const { token, access_token: accessToken } = (answer.body ?? {}) as { token?: unknown; access_token?: unknown };
  const given = token ?? accessToken;
  if (answer.status === 200 && typeof given === 'string' && /^[\x21-\x7e]+$/.test(given)) return given;
  throw new EngineError('registry_unreachable', `${service.host} gives no token (status ${answer.status}).`);
}

function withQuery(service: URL, query: Record<string, string>): URL {
  const url = new URL(service);
  for (const name of ['service', 'scope']) if (query[name] !== undefined) url.searchParams.set(name, query[name]);
  return url;
}

function refresh(query: Record<string, string>, identityToken: string): URLSearchParams {
  return new URLSearchParams({
    ...query,
    ...{ grant_type: 'refresh_token', client_id: 'diun-pilot', refresh_token: identityToken },
  });
}

function basic(credentials: Credentials | null): string | null {
  if (credentials === null || !('username' in credentials)) return null;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/** `realm="https://…",service="…"` of a challenge; a scope may hold commas inside its quotes. */
function parametersOf(challenge: string): Record<string, string> {
  const pairs = [...challenge.matchAll(/(?<![a-z_])([a-z_]+)="([^"]*)"/gi)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value]));
}
