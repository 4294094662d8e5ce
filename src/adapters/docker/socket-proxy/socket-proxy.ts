import {
  createServer,
  request,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { BOUNDS } from '../../../domain/bounds';
import type { Logger } from '../../../lib/logger';
import { BeyondBound, readWithin } from '../../../lib/streams';
import type { DockerAddress } from '../wire';
import { callMatcher, type Asked, type MatchedCall } from './call-filter';
import type { Guard } from './guard/guard';
import { judgeRequest, sightOf, type Rewritten } from './judge-request';

/** JSON is short; what is longer is a stream, such as files to unpack. */
const MOST_BODY = BOUNDS.proxiedCall.bytes;
/** Between two parties, not between their ends (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

interface Parts {
  engine: DockerAddress;
  /** Such as `GET /containers/{id}/json`: what is passed on; all else is answered 403 and logged. */
  listed: readonly string[];
  logger: Logger;
  /** Decides what a listed call may ask for; left out: anything. */
  guard?: Guard;
  /** Called by each call: whether the engine could be reached. */
  reached?: (isReached: boolean) => void;
}

/**
 * Passes the listed calls on to the engine. Every request is parsed and rebuilt, so that none can hide behind another.
 * A raw connection (`POST /exec/{id}/start`) may be closed by one side while the other still speaks.
 */
export function createSocketProxy(parts: Parts): Server {
  const match = callMatcher(parts.listed);
  const door: Door = { parts, alone: Promise.resolve() };
  // A wait or a log takes as long as it takes.
  const server = createServer({ requestTimeout: 0, headersTimeout: 10_000 });
  server.on('request', (asked, answer) => {
    const matched = match(askedBy(asked));
    if (matched !== null) return void enter(door, matched, asked, answer);
    asked.resume();
    answerWith(answer, 403, refusal(parts, asked, NOT_LISTED));
  });
  server.on('upgrade', (asked: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy());
    const matched = match(askedBy(asked));
    if (matched === null) return hangUp(client, '403 Forbidden', refusal(parts, asked, NOT_LISTED));
    if (matched.call !== RAW_CALL) return hangUp(client, '403 Forbidden', refusal(parts, asked, NOT_RAW));
    readBody(asked, client, head).then(
      (read) => enterRaw(parts, matched, asked, { client, ...read }),
      () =>
        hangUp(client, '400 Bad Request', message('The body of this call is missing, too long or of unknown length.')),
    );
  });
  return server;
}

const NOT_LISTED = 'it is not in docs/engine-calls.md';
/** The one call whose connection the engine turns raw. Any other would pass here without its turn (`mustBeAlone`). */
const RAW_CALL = 'POST /exec/{id}/start';
const NOT_RAW = 'its connection never turns raw';

/** `alone`: settles when the last call that decides about names was answered. */
interface Door {
  parts: Parts;
  alone: Promise<unknown>;
}

/** Judges a call and passes it on; those that decide about names one after the other. */
async function enter(door: Door, matched: MatchedCall, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const { parts } = door;
  const { guard } = parts;
  if (guard?.judges(matched.call) !== true) return passOn(parts, asked, answer, null);
  const act = async (): Promise<void> => {
    // Files pass as they are; what is unpacked stays in the container.
    const body = asked.method === 'PUT' ? null : await readWithin(asked, BOUNDS.proxiedCall);
    const judged = await judgeRequest(guard, sightOf(dial(parts.engine)), {
      matched,
      isHead: asked.method === 'HEAD',
      body,
    });
    if ('reason' in judged) {
      asked.resume();
      const isMissing = judged.status === 404;
      return answerWith(
        answer,
        judged.status,
        isMissing ? message(judged.reason) : refusal(parts, asked, judged.reason),
      );
    }
    passOn(parts, asked, answer, judged);
    if (guard.mustBeAlone(matched.call) && !answer.closed) await once(answer, 'close');
  };
  const turn = guard.mustBeAlone(matched.call) ? door.alone.then(act) : act();
  const settled = turn.catch((error: NodeJS.ErrnoException) => answerFailure(parts, answer, error));
  if (guard.mustBeAlone(matched.call)) door.alone = settled;
  return settled;
}

function answerFailure(parts: Parts, answer: ServerResponse, error: NodeJS.ErrnoException): void {
  if (error instanceof BeyondBound) return answerWith(answer, 413, message('The body of this call is too long.'));
  if (isUnreached(error)) parts.reached?.(false);
  parts.logger.error('the engine does not answer', { error: error.message });
  answerWith(answer, 502, message('the engine does not answer'));
}

function answerWith(answer: ServerResponse, status: number, body: string): void {
  if (answer.headersSent) return void answer.destroy();
  answer.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
}

async function enterRaw(parts: Parts, matched: MatchedCall, asked: IncomingMessage, raw: Raw): Promise<void> {
  const { guard } = parts;
  if (guard?.judges(matched.call) !== true) return passRaw(parts, asked, raw, asked.url);
  try {
    const judged = await judgeRequest(guard, sightOf(dial(parts.engine)), { matched, isHead: false, body: raw.body });
    if ('reason' in judged) return hangUp(raw.client, '403 Forbidden', refusal(parts, asked, judged.reason));
    passRaw(parts, asked, { ...raw, body: judged.body ?? raw.body }, judged.path);
  } catch (error) {
    parts.logger.error('the engine does not answer', { error: (error as Error).message });
    hangUp(raw.client, '502 Bad Gateway', message('the engine does not answer'));
  }
}

function askedBy({ method, url, headers }: IncomingMessage): Asked {
  return { method: method ?? '', url: url ?? '', contentType: headers['content-type'] };
}

function refusal({ logger }: Parts, { method, url }: IncomingMessage, reason: string): string {
  const [path, query] = (url ?? '').split('?', 2);
  const parameters = [...new URLSearchParams(query).keys()].join(', ');
  logger.warn('refused a call to the engine', { method, path, ...(parameters === '' ? {} : { parameters }), reason });
  const what = parameters === '' ? `${method} ${path}` : `${method} ${path} with ${parameters}`;
  return message(`the socket proxy does not pass on ${what}: ${reason}`);
}

/** `judged`: what is sent instead; null: the request as it came. */
function passOn(parts: Parts, asked: IncomingMessage, answer: ServerResponse, judged: Rewritten | null): void {
  const path = judged?.path ?? asked.url;
  const headers = framed(asked.headers, judged?.body?.length ?? null);
  const forwarded = request({ ...dial(parts.engine), method: asked.method, path, headers });
  forwarded.on('response', (response) => {
    parts.reached?.(true);
    void answerFrom(response, answer, judged?.noted);
  });
  forwarded.on('error', (error) => {
    if (isUnreached(error)) parts.reached?.(false);
    parts.logger.error('the engine does not answer', { error: error.message });
    answerWith(answer, 502, message('the engine does not answer'));
  });
  answer.on('close', () => forwarded.destroy());
  asked.on('error', () => forwarded.destroy());
  if (judged?.body) return void forwarded.end(judged.body);
  if (Number(headers['content-length'] ?? MOST_BODY + 1) > MOST_BODY) return void asked.pipe(forwarded);
  // In one write: the engine may have answered and hung up before a second one, even an empty one.
  readWithin(asked, BOUNDS.proxiedCall).then(
    (body) => forwarded.end(body),
    () => forwarded.destroy(),
  );
}

/** What was created is known before the client can use it. */
async function answerFrom(response: IncomingMessage, answer: ServerResponse, noted: Rewritten['noted']): Promise<void> {
  const head = (): void => {
    answer.writeHead(response.statusCode ?? 502, endToEnd(response.headers));
    answer.flushHeaders();
  };
  if (noted === undefined || response.statusCode !== 201) {
    head();
    return void pipeline(response, answer, () => undefined); // a cut answer is cut for who asked, too
  }
  try {
    const body = await readWithin(response, BOUNDS.proxiedCall);
    noted(String((JSON.parse(body.toString()) as { Id: unknown }).Id));
    head();
    answer.end(body);
  } catch {
    answer.destroy();
  }
}

interface Raw {
  client: Socket;
  body: Buffer;
  /** Already a part of what flows afterwards. */
  rest: Buffer;
}

function passRaw(parts: Parts, asked: IncomingMessage, { client, body, rest }: Raw, path: string | undefined): void {
  const length = { 'content-length': String(body.length) };
  const headers = { ...endToEnd(asked.headers), ...length, connection: 'Upgrade', upgrade: 'tcp' };
  const forwarded = request({ ...dial(parts.engine), method: asked.method, path, headers });
  client.once('close', () => forwarded.destroy());
  forwarded.on('error', (error) => {
    parts.logger.error('the engine does not answer', { error: error.message });
    hangUp(client, '502 Bad Gateway', message('the engine does not answer'));
  });
  forwarded.on('response', (response) => {
    const status = `${response.statusCode} ${response.statusMessage}`;
    readWithin(response, BOUNDS.proxiedCall).then(
      (words) => hangUp(client, status, words.toString()),
      () => client.destroy(),
    );
  });
  forwarded.on('upgrade', (response: IncomingMessage, engine: Socket, first: Buffer) => {
    engine.on('error', () => client.destroy());
    client.on('close', () => engine.destroy());
    client.write(headOf(response));
    client.write(first);
    engine.write(rest);
    client.pipe(engine);
    engine.pipe(client);
  });
  forwarded.end(body);
}

/** Of a request that turns raw Node reads the head only: what follows is its body, and then the connection's content. */
async function readBody(asked: IncomingMessage, client: Socket, head: Buffer): Promise<{ body: Buffer; rest: Buffer }> {
  const length = Number(asked.headers['content-length'] ?? 'none');
  if (!Number.isInteger(length) || length > MOST_BODY) throw new RangeError('no length that could be');
  let got = head;
  while (got.length < length) got = Buffer.concat([got, await nextPart(client)]);
  return { body: got.subarray(0, length), rest: got.subarray(length) };
}

function nextPart(client: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      client.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      act();
    };
    const onReadable = (): void => {
      const part = client.read() as Buffer | null;
      if (part !== null) settle(() => resolve(part))();
    };
    const onEnd = settle(() => reject(new Error('it ended early')));
    client.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
    onReadable();
  });
}

/** Not a connection that the client or the engine has closed. */
function isUnreached(error: NodeJS.ErrnoException): boolean {
  return error.syscall === 'connect';
}

/**
 * The body has its length, or is sent in chunks: Node frames that of a GET in neither way, and the engine would read it as the next
 * request. No body has the length 0: the engine takes a start with a body of unknown length for one of long ago.
 */
function framed(asked: IncomingMessage['headers'], judgedLength: number | null): Record<string, string | string[]> {
  const headers = endToEnd(asked);
  if (judgedLength !== null) return { ...headers, 'content-length': String(judgedLength) };
  if ('transfer-encoding' in asked) return { ...headers, 'transfer-encoding': 'chunked' };
  return { 'content-length': '0', ...headers };
}

function endToEnd(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !HOP_BY_HOP.includes(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

function dial({ socketPath, host, port }: DockerAddress): RequestOptions {
  return { agent: false, ...(socketPath === undefined ? { host, port } : { socketPath }) };
}

const message = (words: string): string => JSON.stringify({ message: words });

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function hangUp(client: Socket, status: string, body: string): void {
  const head = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  client.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
}
