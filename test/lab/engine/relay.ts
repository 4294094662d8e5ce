import { request, type ClientRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/** JSON is short; what is longer is a stream, such as files to unpack. */
const MOST_AT_ONCE = 1024 * 1024;
/** Between two parties, not between their ends (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** What becomes of the engine's answer. */
export type Take = (told: IncomingMessage, answer: ServerResponse) => void;

/**
 * Asks the engine the same, and hands its answer on unless `take` does something else with it. Whoever is slower sets the
 * pace, in both directions; where one side breaks off, the other's connection breaks.
 */
export function relay(
  engine: RequestOptions,
  asked: IncomingMessage,
  answer: ServerResponse,
  take: Take = handOn,
): void {
  const told = again(engine, asked, endToEnd(asked.headers));
  let answered = false;
  told.on('response', (response) => {
    answered = true;
    take(response, answer);
  });
  // Once it has answered, what it still was to be sent is not what counts; a cut answer tells of itself.
  told.on('error', () => answered || answer.destroy());
  answer.on('close', () => told.destroy());
  asked.on('error', () => told.destroy());
  // The engine may answer before it has read all: the rest is then nobody's.
  told.on('close', () => asked.unpipe(told).resume());
  if (bodyLength(asked) > MOST_AT_ONCE) return void asked.pipe(told);
  // In one write: the engine may have answered and hung up before a second one, even an empty one.
  buffer(asked).then(
    (body) => told.end(body),
    () => told.destroy(),
  );
}

export function handOn(told: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(told.statusCode ?? 502, endToEnd(told.headers));
  answer.flushHeaders();
  pipeline(told, answer, () => undefined);
}

/**
 * The same for a call that becomes a raw connection: one side may end while the other still speaks. With `heard` nothing
 * of the answer is handed on; it is called when the engine has begun to answer.
 */
export function relayRaw(
  engine: RequestOptions,
  asked: IncomingMessage,
  { client, head }: { client: Socket; head: Buffer },
  heard?: () => void,
): void {
  client.on('error', () => client.destroy());
  readBody(asked, client, head).then(
    ({ body, rest }) => {
      const told = again(engine, asked, { ...endToEnd(asked.headers), connection: 'Upgrade', upgrade: 'tcp' });
      told.on('error', () => client.destroy());
      client.once('close', () => told.destroy());
      told.on('response', (refusal) => (heard ? heard() : refuse(refusal, client)));
      told.on('upgrade', (response: IncomingMessage, raw: Socket, first: Buffer) => {
        join(client, raw);
        if (heard) return void heard();
        client.write(headOf(response));
        client.write(first);
        raw.write(rest);
        client.pipe(raw);
        raw.pipe(client);
      });
      told.end(body);
    },
    () => client.destroy(),
  );
}

function join(client: Socket, raw: Socket): void {
  raw.on('error', () => client.destroy());
  client.on('close', () => raw.destroy());
}

/** A connection that did not turn raw is closed: what would follow on it was never looked at. */
function refuse(refusal: IncomingMessage, client: Socket): void {
  buffer(refusal).then(
    (words) => hangUp(client, `${refusal.statusCode} ${refusal.statusMessage}`, words),
    () => client.destroy(),
  );
}

/** Answers a call that would have become a raw connection. */
export function hangUp(client: Socket, status: string, body: Buffer | string): void {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  client.write(`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n`);
  client.end(body);
}

type Headers = Record<string, string | string[]>;

function again(engine: RequestOptions, { method, url }: IncomingMessage, headers: Headers): ClientRequest {
  return request({ ...engine, agent: false, method, path: url, headers });
}

function bodyLength({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? ('transfer-encoding' in headers ? Infinity : 0));
}

/** Of such a request Node reads the head only: what follows is its body, and then the connection's content. */
async function readBody(asked: IncomingMessage, client: Socket, head: Buffer): Promise<{ body: Buffer; rest: Buffer }> {
  const length = bodyLength(asked);
  if (!(length <= MOST_AT_ONCE)) throw new RangeError('too long, or of unknown length');
  let got = head;
  while (got.length < length) got = Buffer.concat([got, await nextPart(client)]);
  return { body: got.subarray(0, length), rest: got.subarray(length) };
}

function nextPart(client: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('it ended early'));
    if (client.destroyed || client.readableEnded) return ended();
    client.once('end', ended).once('close', ended);
    client.once('data', (part: Buffer) => {
      client.pause();
      client.off('end', ended).off('close', ended);
      resolve(part);
    });
  });
}

function endToEnd(headers: IncomingMessage['headers']): Headers {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !HOP_BY_HOP.includes(name));
  return Object.fromEntries(kept) as Headers;
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`;
}
