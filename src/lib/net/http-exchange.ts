import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type Bound, readWithin } from '../streams';

export interface HttpQuestion {
  /** Left out: GET. */
  method?: 'GET' | 'HEAD' | 'POST';
  /** http or https. */
  url: string | URL;
  headers: Record<string, string>;
  body?: string;
  /** Of the answer. */
  bound: Bound;
  /** Ends the exchange. */
  signal: AbortSignal;
  /** Resolves the name of the host; left out: the system. */
  lookup?: LookupFunction;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * One request and its whole answer, each over a connection of its own. Redirects are not followed. Rejects with the errors of Node,
 * and with `BeyondBound`.
 */
export async function exchange(question: HttpQuestion): Promise<HttpAnswer> {
  const answer = await headOf(question);
  const body = await readWithin(answer, question.bound);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body };
}

/** As `exchange`, all of it within `bound.ms`. `signal`: ends it earlier; left out: nothing does. */
export async function exchangeInTime({
  signal,
  ...question
}: Omit<HttpQuestion, 'signal' | 'bound'> & {
  bound: Bound & { ms: number };
  signal?: AbortSignal;
}): Promise<HttpAnswer> {
  const late = AbortSignal.timeout(question.bound.ms);
  try {
    return await exchange({ ...question, signal: signal === undefined ? late : AbortSignal.any([late, signal]) });
  } catch (error) {
    if (late.aborted) throw new Error(`it did not answer within ${question.bound.ms / 1000} s`, { cause: error });
    throw error;
  }
}

function headOf({ method = 'GET', url, headers, body, signal, lookup }: HttpQuestion): Promise<IncomingMessage> {
  const address = new URL(url);
  const request = address.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = {
    method,
    headers: { 'User-Agent': 'diun-pilot', ...headers },
    signal,
    agent: false,
    lookup,
  } as const;
  return new Promise((resolve, reject) => {
    request(address, options, resolve).once('error', reject).end(body);
  });
}
