import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to a request: `error`: S3's own answer of that status and code; `reset`: the connection breaks before
 * anything is answered; `reset-inside`: after a part of the body was taken; `hang`: nothing is ever answered;
 * `hang-inside`, `cut-inside`: the answer stops in its middle, and stays open or breaks; `flip-request`,
 * `flip-answer`: one bit of the body is another; `lose-answer`: the server does it, and the answer never arrives.
 */
export type Fault =
  | { kind: 'error'; status: number; code: string }
  | {
      kind:
        | 'reset'
        | 'reset-inside'
        | 'hang'
        | 'hang-inside'
        | 'cut-inside'
        | 'flip-request'
        | 'flip-answer'
        | 'lose-answer';
    };

export interface FaultProxy {
  endpoint: string;
  /** Methods and paths with their queries, in order, faulty ones included. */
  requests: string[];
  /** Makes the next `times` requests that match fail (all of them unless given). */
  fail(matches: RegExp, fault: Fault, times?: number): void;
  /** From now on nothing fails. */
  mend(): void;
  stop(): Promise<void>;
}

interface Trap {
  matches: RegExp;
  fault: Fault;
  left: number;
}

/** Stands between a client and a server, and breaks what the test says. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const traps: Trap[] = [];
  const requests: string[] = [];
  const server = createServer((incoming, answer) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const trap = traps.find(({ matches, left }) => left > 0 && matches.test(line));
    if (trap !== undefined) trap.left -= 1;
    incoming.on('error', () => undefined);
    if (trap === undefined || !breaks(trap.fault, incoming, answer)) forward(upstream, incoming, answer, trap?.fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: (matches, fault, times = Infinity) => void traps.push({ matches, fault, left: times }),
    mend: () => void traps.splice(0),
    stop: () => stop(server),
  };
}

/** The faults that no upstream is needed for. */
function breaks(fault: Fault, incoming: IncomingMessage, answer: ServerResponse): boolean {
  if (fault.kind === 'error') {
    incoming.resume();
    incoming.on('end', () => {
      answer.writeHead(fault.status, { 'Content-Type': 'application/xml' });
      answer.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>by the test</Message></Error>`);
    });
    return true;
  }
  if (fault.kind === 'reset') incoming.socket.resetAndDestroy();
  else if (fault.kind === 'reset-inside') incoming.once('data', () => incoming.socket.resetAndDestroy());
  else if (fault.kind === 'hang') incoming.resume();
  else return false;
  return true;
}

function forward(upstream: string, incoming: IncomingMessage, answer: ServerResponse, fault?: Fault): void {
  // The signature covers the host that the client knows, so every header goes on as it came.
  const headers = { ...incoming.headers };
  delete headers['expect'];
  const onward = request(`${upstream}${incoming.url}`, { method: incoming.method, headers }, (reply) => {
    if (fault?.kind === 'lose-answer') {
      reply.resume();
      reply.on('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    relay(reply, answer, fault);
  });
  onward.on('error', () => incoming.socket.destroy());
  let first = fault?.kind === 'flip-request';
  incoming.on('data', (chunk: Buffer) => {
    if (!onward.write(first ? flipped(chunk) : chunk)) {
      incoming.pause();
      onward.once('drain', () => incoming.resume());
    }
    first = false;
  });
  incoming.on('end', () => onward.end());
}

function relay(reply: IncomingMessage, answer: ServerResponse, fault?: Fault): void {
  if (fault?.kind === 'flip-answer') reply.once('data', (chunk: Buffer) => flip(chunk));
  if (fault?.kind !== 'cut-inside' && fault?.kind !== 'hang-inside') {
    reply.pipe(answer);
    return;
  }
  reply.once('data', (chunk: Buffer) => {
    reply.pause();
    answer.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => {
      if (fault.kind === 'cut-inside') answer.socket?.destroy();
    });
  });
}

function flipped(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk);
  flip(copy);
  return copy;
}

function flip(chunk: Buffer): void {
  chunk[Math.floor(chunk.length / 2)]! ^= 0x01;
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
