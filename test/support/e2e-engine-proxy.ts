import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { rmSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';

/** A point in what diun-pilot says to the engine: the last of these calls, which come in this order (others between). */
export interface Moment {
  /** Such as `/^POST .*\/rename\?name=web$/`, matched on method and path without the API version. */
  calls: RegExp[];
  /** Before the call reaches the engine, or when the engine has done it and diun-pilot does not know yet. */
  when: 'before' | 'after';
}

/** Stands between diun-pilot and the engine, and changes nothing but the time at which things pass. */
export interface EngineProxy {
  /** For `DOCKER_HOST`. */
  readonly dockerHost: string;
  /** Resolves when diun-pilot has come to that moment: there the call stays until its connection is gone. */
  hold(moment: Moment): Promise<void>;
  /** No engine answers any more, and every connection breaks. */
  cut(): Promise<void>;
  /** The engine answers (again). */
  mend(): Promise<void>;
  /** The calls so far, without versions. */
  readonly calls: readonly string[];
}

interface Trap extends Moment {
  passed: number;
  sprung(): void;
}

/**
 * `mend` it to begin. Paths of sockets are limited to 107 characters. With `project`, diun-pilot sees the containers of that
 * compose project only: for tests of what looks at the whole engine, beside others.
 */
export function engineProxy(socket: string, engineHost: string, project?: string): EngineProxy {
  const engine = engineHost.replace(/^unix:\/\//, '');
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  let trap: Trap | null = null;
  let server: Server | null = null;

  /** The trap, if this call is the one that it waits for. */
  const note = (incoming: IncomingMessage): Trap | null => {
    const call = `${incoming.method} ${(incoming.url ?? '').replace(/^\/v1\.\d+/, '')}`;
    calls.push(call);
    if (trap === null || !trap.calls[trap.passed]?.test(call)) return null;
    trap.passed += 1;
    if (trap.passed < trap.calls.length) return null;
    const sprung = trap;
    trap = null;
    return sprung;
  };

  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const held = note(incoming);
    if (held?.when === 'before') return held.sprung();
    const { method, headers } = incoming;
    const path = project === undefined ? incoming.url : narrowed(incoming.url ?? '', project);
    const asked = request({ socketPath: engine, method, path, headers, agent: false });
    asked.on('error', () => answer.destroy());
    answer.on('close', () => asked.destroy());
    asked.on('response', (told) => (held ? swallow(told, held) : hand(told, answer)));
    // In one write: the engine may have answered and hung up before a second one, even an empty one.
    void buffer(incoming).then(
      (body) => asked.end(body),
      () => asked.destroy(),
    );
  };

  /** A call that becomes a raw connection; held `after`, the engine has begun to answer. */
  const passRaw = (incoming: IncomingMessage, client: Socket, head: Buffer): void => {
    const held = note(incoming);
    client.on('error', () => undefined); // whoever dies in the middle is what these tests are about
    if (held?.when === 'before') return held.sprung();
    const upstream = connect(engine);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.write(headOf(incoming));
    upstream.write(head);
    client.pipe(upstream);
    if (held) upstream.once('data', () => held.sprung());
    else upstream.pipe(client);
  };

  const mend = async (): Promise<void> => {
    rmSync(socket, { force: true });
    server = createServer(pass).on('upgrade', passRaw);
    server.on('connection', (client: Socket) => {
      sockets.add(client);
      client.on('close', () => sockets.delete(client));
    });
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(socket, resolve));
  };

  const cut = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing === null) return;
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
    for (const client of sockets) client.destroy();
    await closed;
  };

  return {
    dockerHost: `unix://${socket}`,
    hold: (moment) => new Promise((resolve) => (trap = { ...moment, passed: 0, sprung: resolve })),
    cut,
    mend,
    calls,
  };
}

function narrowed(url: string, project: string): string {
  if (!/\/containers\/json(\?|$)/.test(url)) return url;
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] });
  return `${url}${url.includes('?') ? '&' : '?'}filters=${encodeURIComponent(filters)}`;
}

function hand(told: IncomingMessage, answer: ServerResponse): void {
  for (const [name, value] of Object.entries(told.headers)) {
    if (value !== undefined && !['connection', 'transfer-encoding'].includes(name)) answer.setHeader(name, value);
  }
  answer.writeHead(told.statusCode ?? 502);
  answer.flushHeaders();
  told.on('aborted', () => answer.destroy());
  told.pipe(answer);
}

/** The engine has done it when its answer has ended. */
function swallow(told: IncomingMessage, held: Trap): void {
  told.resume();
  told.on('end', () => held.sprung());
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  return `${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}
