import { EngineError } from '../../../domain/errors';
import { askJson, isLoopback, refused } from './ask-json';
import type { Credentials } from './credentials';

/**
 * The `Authorization` that a registry's challenge asks for (`WWW-Authenticate` of a 401): Basic with the credentials, or a
 * bearer token of the service that it names (distribution, docs/spec/auth). Null: it asks for what there is none of.
 */
export async function authorizationFor(
  challenge: string,
  registry: URL,
  credentials: Credentials | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (/^basic\b/i.test(challenge)) return basic(credentials);
  const { realm, ...query } = parametersOf(challenge);
  if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return null;
  const service = new URL(realm);
  // A stranger's registry must not make credentials travel in the clear.
  if (service.protocol !== 'https:' && !(isLoopback(service) && isLoopback(registry))) {
    throw refused(registry, `it sends its clients to ${service.host} without TLS`);
  }
  return `Bearer ${await tokenOf(service, query, credentials, signal)}`;
}

async function tokenOf(
  service: URL,
  query: Record<string, string>,
  credentials: Credentials | null,
  signal: AbortSignal,
): Promise<string> {
  const answer =
    credentials !== null && 'identitytoken' in credentials
      ? await askJson(service, signal, { method: 'POST', body: refresh(query, credentials.identitytoken) })
      : await askJson(withQuery(service, query), signal, { headers: headersOf(basic(credentials)) });
  if (answer.status === 401 || answer.status === 403) throw refused(service, 'it does not accept the login');
  const { token, access_token: accessToken } = (answer.body ?? {}) as { token?: unknown; access_token?: unknown };
  const given = token ?? accessToken;
  if (answer.status === 200 && typeof given === 'string') return given;
  throw new EngineError('registry_unreachable', `${service.host} gives no token (status ${answer.status}).`);
}

function withQuery(service: URL, query: Record<string, string>): URL {
  const url = new URL(service);
  for (const name of ['service', 'scope']) if (query[name] !== undefined) url.searchParams.set(name, query[name]);
  return url;
}

function refresh(query: Record<string, string>, identityToken: string): URLSearchParams {
  return new URLSearchParams({
    ...{ grant_type: 'refresh_token', client_id: 'diun-pilot', refresh_token: identityToken },
    ...query,
  });
}

function basic(credentials: Credentials | null): string | null {
  if (credentials === null || !('username' in credentials)) return null;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

export function headersOf(authorization: string | null): Record<string, string> {
  return authorization === null ? {} : { Authorization: authorization };
}

/** `realm="https://…",service="…"` of a challenge; a scope may hold commas inside its quotes. */
function parametersOf(challenge: string): Record<string, string> {
  const pairs = [...challenge.matchAll(/([a-z_]+)="([^"]*)"/gi)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value]));
}
