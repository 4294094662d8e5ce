import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { BOUNDS } from '../../domain/bounds';
import { isListed, type NotesHost, whyNotAllowed } from '../../domain/notes/source';
import { checkedLookup, isPublicAddress, type Resolve } from '../../lib/net/public-address';
import { exchange } from '../../lib/net/http-exchange';
import { BeyondBound } from '../../lib/streams';

const MOST_REDIRECTS = 4;

/** Where questions may go, and the tokens. */
export interface Reach {
  hosts: readonly NotesHost[];
  /** `Authorization` for a host; null: none. It goes to that host only. */
  authorization(url: URL): string | null;
  /** For one question. */
  withinMs: number;
  /** Left out: the resolver of the system. */
  resolve?: Resolve;
}

export interface Answer {
  /** Where it came from, after redirects. */
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  content: Buffer;
}

export interface Question {
  accept: string;
  /** Of an answer that is kept. */
  etag: string | null;
  signal: AbortSignal;
}

/**
 * One question of a forge, its answer read to its end within `BOUNDS.releaseNotes`. Every redirect is held against the list of hosts
 * again, and every address is checked when it is dialled: a listed host may have any, another must be on the public internet.
 */
export async function askForge(reach: Reach, first: URL, question: Question): Promise<Answer> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await askOnce(reach, url, question);
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || answer.status === 304 || location === undefined) return answer;
    if (redirects === MOST_REDIRECTS || !URL.canParse(location, url))
      throw new NotesError(`The redirects of ${first.host} do not end. Check the address.`, 'refused');
    url = new URL(location, url);
  }
}

async function askOnce(reach: Reach, url: URL, question: Question): Promise<Answer> {
  const refusal = whyNotAllowed(url, reach.hosts);
  if (refusal !== null) throw new NotesError(refusal, 'refused');
  const lookup = addressCheck(reach, url);
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(reach.withinMs)]);
  try {
    const sent = headersOf(question, reach.authorization(url));
    const { status, headers, body } = await exchange({
      ...{ url, headers: sent, signal, lookup },
      bound: BOUNDS.releaseNotes,
    });
    return { url, status, headers, content: body };
  } catch (error) {
    throw failureOf(url, error, signal);
  }
}

function addressCheck(reach: Reach, url: URL): LookupFunction {
  const check = (address: string): void => {
    if (isListed(url, reach.hosts) || isPublicAddress(address)) return;
    const entry = `List ${url.hostname} in PILOT_NOTES_HOSTS if it is yours.`;
    throw new NotesError(
      `${url.hostname} leads to ${address}, which is not on the public internet. ${entry}`,
      'refused',
    );
  };
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) check(literal);
  return checkedLookup(check, reach.resolve);
}

function headersOf({ accept, etag }: Question, authorization: string | null): Record<string, string> {
  return {
    Accept: accept,
    ...(etag === null ? {} : { 'If-None-Match': etag }),
    ...(authorization === null ? {} : { Authorization: authorization }),
  };
}

function failureOf(url: URL, error: unknown, signal: AbortSignal): NotesError {
  if (error instanceof NotesError) return error;
  if (error instanceof BeyondBound && error.exceeded === 'bytes')
    return new NotesError(`The answer of ${url.host} is not read: ${error.message}.`, 'large');
  const { code, message } = error as NodeJS.ErrnoException;
  const why = signal.aborted || error instanceof BeyondBound ? 'no answer in time' : (code ?? message);
  return new NotesError(`${url.host} does not answer (${why}).`, 'silent', { cause: error });
}

/** Why release notes could not be read: a sentence for a person, without a token. */
export class NotesError extends Error {
  override readonly name = 'NotesError';
  constructor(
    message: string,
    /** `unknown`: this is not the forge, or it does not know the project. `large`: the answer. */
    readonly kind: 'unknown' | 'large' | 'silent' | 'patience' | 'refused',
    options?: { cause?: unknown; retryAfterMs?: number },
  ) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs ?? 0;
  }

  /** The host is not asked again before; 0: it may be. */
  readonly retryAfterMs: number;
}
