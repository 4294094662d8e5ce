import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readWithin, type Bound } from './read-within';

export interface HttpQuestion {
  method: 'GET' | 'POST';
  /** http or https. */
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** Of the whole exchange, and of the answer. */
  bound: Bound & { ms: number };
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** One request and its whole answer, each over a connection of its own. Redirects are not followed. Rejects when no whole answer comes in time. */
export async function exchange(question: HttpQuestion): Promise<HttpAnswer> {
  const late = AbortSignal.timeout(question.bound.ms);
  try {
    const answer = await headOf(question, late);
    const body = await readWithin(answer, question.bound);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  } catch (error) {
    if (late.aborted) throw new Error(`it did not answer within ${question.bound.ms / 1000} s`, { cause: error });
    throw error;
  }
}

function headOf({ method, url, headers, body, bound }: HttpQuestion, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const length: Record<string, string> = body === undefined ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` };
  const all = { 'User-Agent': 'diun-pilot', ...headers, ...length };
  return new Promise((resolve, reject) => {
    request(url, { method, headers: all, signal, agent: false, timeout: bound.ms }, resolve)
      .once('error', reject)
      .end(body);
  });
}
