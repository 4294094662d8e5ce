import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { exchange, type HttpQuestion } from '../../../lib/net/http-exchange';
import { checkedLookup, isPublicAddress, type Resolve } from '../../../lib/net/public-address';
import { BeyondBound, type Bound } from '../../../lib/streams';
import { type Credentials, credentialsFor } from './credentials';
import { jsonOrUndefined } from '../../../lib/json';

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
      if (authorization === null) throw registryRefused(registry, 'it requires a login, and none is configured');
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
  if (answer.status === 401 || answer.status === 403) throw registryRefused(service, 'it does not accept the login');
  const { token, access_token: accessToken } = (answer.body ?? {}) as { token?: unknown; access_token?: unknown };
  const given = token ?? accessToken;
  if (answer.status === 200 && typeof given === 'string' && /^[\x21-\x7e]+$/.test(given)) return given;
  throw new EngineError('registry_unreachable', `${service.host} returned no token (status ${answer.status}).`);
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

const MOST_REDIRECTS = 5;

export interface JsonAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined: no JSON. */
  body: unknown;
  /** As it was sent. */
  content: Buffer;
}

export interface Question {
  bound: Bound;
  signal: AbortSignal;
  authorization?: string | null;
  /** Left out: `application/json`. */
  accept?: string;
  /** Sent by POST. */
  form?: URLSearchParams;
  /** Only the head of the answer is wanted: registries count that less than a pull. */
  isHead?: boolean;
  /** Never of a question for a token or with a body. */
  follow: boolean;
}

/**
 * One question of a registry, its answer read to its end within bounds, redirects followed by the rules of `destinations`. Rejects
 * with `registry_unreachable` when no answer comes, `registry_refused` for an answer that leads where it may not or is too large.
 */
export async function askJson(destinations: Destinations, first: URL, question: Question): Promise<JsonAnswer> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await askRegistryOnce(
      destinations,
      url,
      url.host === first.host ? question : withoutLogin(question),
    );
    const location = answer.status >= 300 && answer.status < 400 ? answer.headers.location : undefined;
    if (location === undefined) return answer;
    if (!question.follow)
      throw registryRefused(first, `it answers with a redirect (${answer.status}), which is not followed here`);
    if (redirects === MOST_REDIRECTS || !URL.canParse(location, url))
      throw registryRefused(first, 'its redirects do not end, or lead to an invalid address');
    url = new URL(location, url);
  }
}

async function askRegistryOnce(destinations: Destinations, url: URL, question: Question): Promise<JsonAnswer> {
  destinations.check(url);
  try {
    const { bound, signal } = question;
    const lookup = destinations.lookupFor(url);
    const { status, headers, body } = await exchange({ url, bound, signal, lookup, ...requestOf(question) });
    return { status, headers, body: jsonOrUndefined(body.toString('utf8')), content: body };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if (error instanceof BeyondBound && error.exceeded === 'bytes')
      throw registryRefused(url, `of its answer: ${error.message}`);
    const why = whyOf(question.signal.aborted ? question.signal.reason : error);
    throw new EngineError('registry_unreachable', `The registry ${url.host} does not answer: ${why}.`, {
      cause: error,
    });
  }
}

function requestOf({
  authorization,
  accept = 'application/json',
  form,
  isHead = false,
}: Question): Pick<HttpQuestion, 'method' | 'headers' | 'body'> {
  const headers = { Accept: accept, ...(authorization ? { Authorization: authorization } : {}) };
  if (form === undefined) return isHead ? { method: 'HEAD', headers } : { headers };
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', headers: { ...headers, ...type }, body: form.toString() };
}

function withoutLogin(question: Question): Question {
  return { ...question, authorization: null };
}

function whyOf(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError' || error instanceof BeyondBound) return 'it took too long';
  return code ?? message ?? String(error);
}

/**
 * Where the questions about one registry may go. The operator has chosen the registry, hence its address may be any; the registry
 * chooses where its token service, redirects and pages are, hence those must be https (the first address's own rule: plain HTTP
 * only from loopback to loopback), and on the public internet or at an address of the registry itself. The addresses that a
 * name resolves to are checked when the connection is made, not the name.
 */
export class Destinations {
  readonly #own = new Set<string>();

  constructor(
    private readonly registry: URL,
    private readonly resolve?: Resolve,
  ) {}

  /** Throws `registry_refused`. */
  check(url: URL): void {
    const plain = url.protocol === 'http:' && isLoopback(url) && isLoopback(this.registry);
    if (url.protocol !== 'https:' && !plain)
      throw registryRefused(this.registry, `it leads to ${url.host} without TLS`);
    // A literal address is dialled without a lookup.
    const address = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0) this.#checkAddress(url, address);
  }

  lookupFor(url: URL): LookupFunction {
    return checkedLookup((address) => this.#checkAddress(url, address), this.resolve);
  }

  #checkAddress(url: URL, address: string): void {
    if (url.hostname === this.registry.hostname) this.#own.add(address);
    if (this.#own.has(address) || isPublicAddress(address)) return;
    throw registryRefused(
      this.registry,
      `it leads to ${url.hostname} (${address}), which is neither on the public internet nor the address of the registry`,
    );
  }
}

export function registryRefused(registry: URL, why: string): EngineError {
  return new EngineError(
    'registry_refused',
    `The registry ${registry.host} cannot be read: ${why}. Check the name, and the login (DOCKER_CONFIG).`,
  );
}

/** The engine's own rule for registries that may speak plain HTTP: 127.0.0.0/8, ::1 and localhost. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/** Throws for an answer that is the registry's refusal, or its request to wait; returns for any other. */
export function refusedByStatus(url: URL, { status, headers }: { status: number; headers: IncomingHttpHeaders }): void {
  if ([401, 403, 404].includes(status)) throw registryRefused(url, `it answers ${status}`);
  if (status !== 429) return;
  const after = headers['retry-after'] ?? '';
  const when = /^\d{1,9}$/.test(after) ? `after ${after} s` : 'later';
  throw new EngineError('registry_unreachable', `The registry ${url.host} limits requests now. Retry ${when}.`);
}

/** The bytes first: content with another digest is not the requested one. */
export function refuseOtherContent(url: URL, { status, headers, content }: JsonAnswer, digest: string): void {
  refusedByStatus(url, { status, headers });
  if (status !== 200)
    throw new EngineError('registry_unreachable', `The registry ${url.host} returned no manifest (status ${status}).`);
  const [algorithm = ''] = digest.split(':', 1);
  if (`${algorithm}:${createHash(algorithm).update(content).digest('hex')}` !== digest)
    throw registryRefused(url, `its answer does not have the digest ${digest}`);
}
