import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { EngineError } from '../../../domain/errors';
import { BeyondBound, readWithin, type Bound } from '../../../lib/read-within';
import type { Destinations } from './destinations';
import { refused } from './refusal';

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
    const answer = await ask(destinations, url, url.host === first.host ? question : withoutLogin(question));
    const location = answer.status >= 300 && answer.status < 400 ? answer.headers.location : undefined;
    if (location === undefined) return answer;
    if (!question.follow)
      throw refused(first, `it answers with a redirect (${answer.status}), which is not followed here`);
    if (redirects === MOST_REDIRECTS || !URL.canParse(location, url))
      throw refused(first, 'its redirects lead nowhere');
    url = new URL(location, url);
  }
}

async function ask(destinations: Destinations, url: URL, question: Question): Promise<JsonAnswer> {
  destinations.check(url);
  try {
    const answer = await headOf(destinations, url, question);
    const content = await readWithin(answer, question.bound);
    const body = parse(content.toString('utf8'));
    return { status: answer.statusCode ?? 0, headers: answer.headers, body, content };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if (error instanceof BeyondBound && error.exceeded === 'bytes')
      throw refused(url, `of its answer: ${error.message}`);
    const why = whyOf(question.signal.aborted ? question.signal.reason : error);
    throw new EngineError('registry_unreachable', `The registry ${url.host} does not answer: ${why}.`, {
      cause: error,
    });
  }
}

function headOf(destinations: Destinations, url: URL, question: Question): Promise<IncomingMessage> {
  const { signal, authorization, accept = 'application/json', form } = question;
  const body = form?.toString();
  const headers = {
    Accept: accept,
    'User-Agent': 'diun-pilot',
    ...(authorization ? { Authorization: authorization } : {}),
    ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
  };
  const method = body === undefined ? 'GET' : 'POST';
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = { method, headers, signal, agent: false, lookup: destinations.lookupFor(url) } as const;
  return new Promise((resolve, reject) => {
    request(url, options, resolve).once('error', reject).end(body);
  });
}

function withoutLogin(question: Question): Question {
  return { ...question, authorization: null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function whyOf(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError' || error instanceof BeyondBound) return 'it took too long';
  return code ?? message ?? String(error);
}
