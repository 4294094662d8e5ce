import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { BOUNDS } from '../../../domain/bounds';
import { readWithin } from '../../../lib/streams';
import { PATH_STAT, readLink } from '../layer';
import type { MatchedCall } from './call-filter';
import type { Guard, Verdict } from './guard/guard';
import { readObject, refuse, Refused } from './guard/strict';
import { type Sight, sightThrough } from './guard/family';

/** The versions whose fields the guard knows (domain/recreate/known-fields): another may take more from a request. */
const OLDEST_API = 41;
const NEWEST_API = 56;

/** What is sent to the engine instead of the request: the same, in one spelling. */
export interface Rewritten {
  path: string;
  /** Null: the body passes as it is, or there is none. */
  body: Buffer | null;
  noted: ((id: string) => void) | undefined;
}

export interface Refusal {
  reason: string;
  status: 403 | 404;
}

export interface Judged {
  matched: MatchedCall;
  isHead: boolean;
  /** Null: a body that is a stream of files. */
  body: Buffer | null;
}

/** Resolves with the reason why a request does not pass, else with what passes. Rejects when the engine does not answer. */
export async function judgeRequest(
  guard: Guard,
  sightOf: (version: string) => Sight,
  { matched, isHead, body }: Judged,
): Promise<Rewritten | Refusal> {
  try {
    mustKnowVersion(matched.version);
    const query = readQuery(matched.query);
    const read = body === null ? null : readObject(body);
    const asked = { call: matched.call, isHead, place: matched.place, query, body: read };
    const verdict = await guard.judge(sightOf(matched.version), asked);
    if (!verdict.passes) return verdict;
    return {
      path: pathOf(matched, verdict, query),
      body: body === null ? null : Buffer.from(read === null ? '' : JSON.stringify(read)),
      noted: verdict.noted,
    };
  } catch (error) {
    if (error instanceof Refused) return { reason: error.message, status: 403 };
    throw error;
  }
}

function mustKnowVersion(version: string): void {
  const minor = version === '' ? NEWEST_API : Number(version.slice('/v1.'.length));
  if (minor < OLDEST_API || minor > NEWEST_API)
    refuse(`it is of the API version ${version.slice(1)}, not 1.41 to 1.56`);
}

/** One that is given twice is read by the engine in one way, and by others in another. */
function readQuery(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in query) refuse(`${name} is given twice`);
    query[name] = value;
  }
  return query;
}

function pathOf({ call, version }: MatchedCall, { place }: Extract<Verdict, { passes: true }>, query: object): string {
  const [, path = ''] = call.split(' ');
  const search = new URLSearchParams(Object.entries(query) as [string, string][]).toString();
  return `${version}${path.replace(/\{\w+\}/, () => place)}${search === '' ? '' : `?${search}`}`;
}

/** What the guard reads, in the version of the request, so that both have the same fields. */
export const sightOf =
  (dial: RequestOptions) =>
  (version: string): Sight => {
    const answered = (method: 'GET' | 'HEAD', path: string): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const asked = request({ ...dial, method, path: `${version}${path}`, timeout: BOUNDS.engineAnswer.ms });
        asked.on('timeout', () => void asked.destroy(new Error('the engine does not answer')));
        asked.on('response', resolve).on('error', reject).end();
      });
    const ask = async (path: string): Promise<unknown> => {
      const answer = await answered('GET', path);
      const text = (await readWithin(answer, BOUNDS.engineAnswer)).toString();
      // Of an engine that is in no swarm, or no manager, a service is asked in vain (503).
      if (answer.statusCode === 404 || (answer.statusCode === 503 && path.startsWith('/services'))) return null;
      if (answer.statusCode !== 200) throw new Error(`the engine answers ${answer.statusCode} to GET ${path}`);
      return JSON.parse(text) as unknown;
    };
    return sightThrough(ask, async (id, path) => {
      const answer = await answered('HEAD', `/containers/${id}/archive?${new URLSearchParams({ path }).toString()}`);
      answer.resume();
      if (answer.statusCode === 404) return null;
      if (answer.statusCode !== 200) throw new Error(`the engine answers ${answer.statusCode} to HEAD ${path}`);
      return readLink(answer.headers[PATH_STAT], path);
    });
  };
