import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { engineAddress } from '../lab/engine/ask-engine';
import { handOn, relay, relayRaw } from '../lab/engine/relay';
import type { Lab } from '../lab/lab';

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
  /** Somebody else acts when diun-pilot has come to that call: it reaches the engine once that is done. Rejects with what the act does. */
  meanwhile(calls: RegExp[], act: () => Promise<unknown>): Promise<void>;
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
  /** Before the call is passed on; without it, it never is. */
  act?(): Promise<void>;
}

/** In front of what diun-pilot sees of the lab's engine; `mend` it to begin. */
export function engineProxy(lab: Lab): EngineProxy {
  const engine = engineAddress(lab.viewHost);
  if (engine === null) throw new Error(`the engine at ${lab.viewHost} is not on this machine`);
  const socket = join(lab.scratch('p'), 'engine.sock');
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
    if (held?.act) return void held.act().then(() => relay(engine, incoming, answer));
    if (held?.when === 'before') return held.sprung();
    relay(engine, incoming, answer, held ? (told) => swallow(told, held) : handOn);
  };

  /** A call that becomes a raw connection; held `after`, the engine has begun to answer. */
  const passRaw = (incoming: IncomingMessage, client: Socket, head: Buffer): void => {
    const held = note(incoming);
    client.on('error', () => undefined); // whoever dies in the middle is what these tests are about
    if (held?.when === 'before') return held.sprung();
    relayRaw(engine, incoming, { client, head }, held ? () => held.sprung() : undefined);
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
    meanwhile: (calls, act) =>
      new Promise((resolve, reject) => {
        const acted = (): Promise<void> => act().then(() => resolve(), reject);
        trap = { calls, when: 'before', passed: 0, sprung: () => undefined, act: acted };
      }),
    cut,
    mend,
    calls,
  };
}

/** The engine has done it when its answer has ended. */
function swallow(told: IncomingMessage, held: Trap): void {
  told.resume();
  told.on('end', () => held.sprung());
}
