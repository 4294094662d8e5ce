import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

/** One request as the real Diun sent it (`test/fixtures/diun`). */
export interface RecordedRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

export interface RecordedAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const FIXTURES = join(__dirname, '../../fixtures/diun');

/** By file name without `.json`, such as `update-same-tag-first-container`. */
export function recordedRequest(name: string): RecordedRequest {
  return JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) as RecordedRequest;
}

/** The same request about another image, digest or container: only the values change, every other byte stays. */
export function about(recorded: RecordedRequest, values: Record<string, string>): RecordedRequest {
  let body = recorded.body;
  for (const [field, value] of Object.entries(values)) {
    const there = new RegExp(`("${field}":)"(?:[^"\\\\]|\\\\.)*"`);
    if (!there.test(body)) throw new Error(`the recorded request has no text field ${field}`);
    body = body.replace(there, (_, name: string) => name + JSON.stringify(value));
  }
  return { ...recorded, body };
}

/** Sends it over a real connection: recorded headers in their order, with this receiver's host, length and token. */
export function send(
  recorded: RecordedRequest,
  baseUrl: string,
  authorization: string | null,
): Promise<RecordedAnswer> {
  const url = new URL(recorded.url, baseUrl);
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: recorded.method, setHost: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', reject);
    // Node would add this header, Diun does not send it.
    sent.removeHeader('Connection');
    for (const [name, value] of headersFor(recorded, url.host, authorization)) sent.setHeader(name, value);
    sent.end(recorded.body);
  });
}

function headersFor(recorded: RecordedRequest, host: string, authorization: string | null): [string, string][] {
  const own: Record<string, string | null> = {
    Host: host,
    'Content-Length': String(Buffer.byteLength(recorded.body)),
    Authorization: authorization,
  };
  return recorded.headers.flatMap(([name, value]): [string, string][] => {
    if (!(name in own)) return [[name, value]];
    const mine = own[name];
    return mine ? [[name, mine]] : [];
  });
}
