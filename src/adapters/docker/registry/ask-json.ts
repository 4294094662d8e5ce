import type { IncomingHttpHeaders } from 'node:http';
import { EngineError } from '../../../domain/errors';
import { exchange, type HttpQuestion } from '../../../lib/net/http-exchange';
import { BeyondBound, type Bound } from '../../../lib/streams/read-within';
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
    const { bound, signal } = question;
    const lookup = destinations.lookupFor(url);
    const { status, headers, body } = await exchange({ url, bound, signal, lookup, ...requestOf(question) });
    return { status, headers, body: parse(body.toString('utf8')), content: body };
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

function requestOf({
  authorization,
  accept = 'application/json',
  form,
}: Question): Pick<HttpQuestion, 'method' | 'headers' | 'body'> {
  const headers = { Accept: accept, ...(authorization ? { Authorization: authorization } : {}) };
  if (form === undefined) return { headers };
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', headers: { ...headers, ...type }, body: form.toString() };
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
