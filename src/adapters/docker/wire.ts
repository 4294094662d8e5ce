import Docker from 'dockerode';
import { Agent as HttpAgent, type Agent, type AgentOptions, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { inspect } from 'node:util';
import { BOUNDS } from '../../domain/bounds';
import { EngineError, isEngineLost, PilotError } from '../../domain/errors';
import { printableLine } from '../../lib/printable';
import { passWatched, readWithin } from '../../lib/streams';
import type { EngineCall } from './calls';
import { NotCompleted, timedOut, toEngineError } from './engine-errors';

/**
 * Minor versions of API 1: Engine 20.10, and the newest whose fields domain/recreate/known-fields lists. An engine hides
 * newer fields from an older version, so an older limit would drop them silently.
 */
const OLDEST_API = 41;
const NEWEST_API = 56;
const SHORT_MS = BOUNDS.engineAnswer.ms;
/** `/_ping` waits for nothing in an engine. */
const PING_MS = 10_000;
/** The same as that of a backup's sources. */
const SEND_SILENCE_MS = 10 * 60_000;
/** Calls that concern no one container or image: an engine that does not answer them is of no use. Of a Swarm, its leader. */
const OF_THE_WHOLE = /^\/(?:version|info|events|nodes|services|tasks|services\/.+|(?:containers|images)\/json)$/;
const OK = { 200: true, 201: true, 204: true } as const;

/** One of the listed calls (calls.ts): method and path, without the version. */
export type Call = EngineCall & CallDetails;

interface Negotiated {
  docker: Docker;
  api: string;
  isPodman: boolean;
}

interface CallDetails {
  body?: object;
  headers?: Record<string, string>;
  /** Null: no limit, for calls that take as long as they take. Left out: one minute. */
  timeoutMs?: number | null;
  signal?: AbortSignal;
}

/**
 * Calls of the Engine API through dockerode's modem. The API version is negotiated at the first call, and again after
 * the engine was away. Bodies are read here, since the modem waits for ever for one that is cut.
 */
export class Wire {
  #versioned: Promise<Negotiated> | null = null;

  constructor(private readonly address: DockerAddress) {}

  async apiVersion(): Promise<string> {
    return (await this.#negotiated()).api;
  }

  /** Whether Podman answers (docs/podman.md): it speaks the same API, without some calls, and says so in each answer. */
  async isPodman(): Promise<boolean> {
    return (await this.#negotiated()).isPodman;
  }

  /** A call whose answer is JSON. */
  call<T>(call: Call): Promise<T> {
    return this.#limited(call, async (signal) => JSON.parse(await this.#answer(call, signal)) as T);
  }

  /** A call whose answer says nothing. */
  async command(call: Call): Promise<void> {
    await this.#limited(call, (signal) => this.#answer(call, signal));
  }

  /** A call whose answer is a stream: only the wait for its head is limited. */
  stream(call: Call): Promise<IncomingMessage> {
    return this.#head(call, (signal) => this.#dial<IncomingMessage>(call, signal));
  }

  /** A call that turns into a raw connection both ways. */
  hijack(call: Call): Promise<Socket> {
    return this.#head(call, (signal) => this.#dial<Socket>(call, signal, { hijack: true, openStdin: true }));
  }

  /**
   * Sends a stream; the answer says nothing. A stream that fails fails the call, with its own error. So does an engine that
   * takes no byte for ten minutes, or a stream that has none: what is unpacked may lie on a server of files that is gone.
   */
  async send(call: Call, content: Readable): Promise<void> {
    const failed = new AbortController();
    content.on('error', (error) => failed.abort(error));
    if (content.errored) failed.abort(content.errored);
    const signal = call.signal ? AbortSignal.any([failed.signal, call.signal]) : failed.signal;
    const silent = (): void => failed.abort(new NotCompleted(call, SEND_SILENCE_MS / 1000));
    const watched = passWatched(content, SEND_SILENCE_MS, silent);
    try {
      await this.#guarded({ ...call, signal }, () => this.#answer(call, signal, { file: watched.passed }));
    } finally {
      watched.stop();
      content.destroy();
    }
  }

  async #head<T>(call: Call, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const limitMs = call.timeoutMs ?? SHORT_MS;
    const timer = setTimeout(() => limit.abort(), limitMs);
    const either = call.signal ? AbortSignal.any([limit.signal, call.signal]) : limit.signal;
    try {
      return await this.#guarded(call, () => act(either));
    } catch (error) {
      throw limit.signal.aborted ? await this.#ranOut(call, limitMs) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #limited<T>(call: Call, act: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const limitMs = call.timeoutMs === undefined ? SHORT_MS : call.timeoutMs;
    if (limitMs === null) return this.#guarded(call, () => act(call.signal));
    const limit = AbortSignal.timeout(limitMs);
    const either = call.signal ? AbortSignal.any([limit, call.signal]) : limit;
    return this.#guarded(call, async () => {
      try {
        return await act(either);
      } catch (error) {
        throw limit.aborted ? await this.#ranOut(call, limitMs) : error;
      }
    });
  }

  /** An engine that answers while a call does not end is not lost: one volume that hangs would stop all work for ever. */
  async #ranOut(call: Call, limitMs: number): Promise<EngineError> {
    const isLost = OF_THE_WHOLE.test(call.path) || !(await this.#isThere());
    return isLost ? timedOut(limitMs / 1000) : new NotCompleted(call, limitMs / 1000);
  }

  async #isThere(): Promise<boolean> {
    try {
      await ping(this.address, PING_MS);
      return true;
    } catch {
      return false;
    }
  }

  /** Gives errors our words, an abort its reason, and forgets the version of an engine that is gone. */
  async #guarded<T>(call: Call, act: () => Promise<T>): Promise<T> {
    try {
      call.signal?.throwIfAborted();
      return await act();
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      const mapped = toEngineError(error);
      if (isEngineLost(mapped) || /client version \S+ is too (old|new)/.test(mapped.message)) {
        this.#versioned = null;
      }
      throw mapped;
    }
  }

  async #answer(call: Call, signal: AbortSignal | undefined, extra: object = {}): Promise<string> {
    const answer = await this.#dial<IncomingMessage>(call, signal, extra);
    return (await readWithin(answer, { ...BOUNDS.engineAnswer, ms: null }, answerTooLarge)).toString();
  }

  async #dial<T>(call: Call, signal: AbortSignal | undefined, extra: object = {}): Promise<T> {
    const { docker } = await this.#negotiated();
    return dial<T>(docker, this.address, call, signal, extra);
  }

  #negotiated(): Promise<Negotiated> {
    const asked = (this.#versioned ??= this.#negotiate());
    asked.catch(() => {
      if (this.#versioned === asked) this.#versioned = null;
    });
    return asked;
  }

  async #negotiate(): Promise<Negotiated> {
    const answer = await ping(this.address, SHORT_MS);
    const highest = minorOf(answer.headers['api-version']);
    if (highest < OLDEST_API) {
      const message = `The Docker Engine speaks API 1.${highest}, 1.${OLDEST_API} is needed: upgrade the engine.`;
      throw new EngineError('engine_refused', message);
    }
    const api = `1.${Math.min(highest, NEWEST_API)}`;
    const isPodman = answer.headers['libpod-api-version'] !== undefined;
    return { docker: new Docker({ ...this.address, version: `v${api}` }), api, isPodman };
  }
}

async function ping(address: DockerAddress, ms: number): Promise<IncomingMessage> {
  const call = { method: 'GET', path: '/_ping' } as const;
  const answer = await dial<IncomingMessage>(new Docker({ ...address }), address, call, AbortSignal.timeout(ms));
  return answer.resume();
}

type Modem = { agent?: Agent; dial(options: object, done: (error: Error | null, result: never) => void): void };

/** Of the engine's own grammars of names: `..` it resolves, and what follows `?` or `#` it takes for something else. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.:@-]+)+$/;

/** A name that is none leads to nothing, and never to another call: the answer of an engine that does not know it. */
function mustBePlain(path: string): void {
  if (PLAIN.test(path)) return;
  const [, kind = '', name = ''] = /^\/([a-z]+)\/(.*)/s.exec(path) ?? [];
  const what = kind === 'containers' ? 'container' : 'image';
  throw Object.assign(new Error(`No such ${what}: ${printableLine(name).slice(0, 200)}`), { statusCode: 404 });
}

/** The modem is handed plain data only; the signal acts through the connection. */
async function dial<T>(
  docker: Docker,
  { protocol }: DockerAddress,
  call: Call,
  signal: AbortSignal | undefined,
  extra: object = {},
): Promise<T> {
  mustBePlain(call.path);
  // The modem takes an agent for all of its calls: each call gets a modem that differs in nothing else.
  const modem = Object.create(docker.modem, { agent: { value: callAgent(protocol, signal) } }) as Modem;
  const query = new URLSearchParams(
    Object.entries(call.query ?? {}).filter((field): field is [string, string] => !!field[1]),
  );
  const options = {
    method: call.method,
    // The modem cuts the last character of a path with `?`.
    path: query.size === 0 ? call.path : `${call.path}?${query.toString()}&`,
    headers: call.headers ?? {},
    isStream: true,
    statusCodes: OK,
    ...(call.body === undefined ? {} : { file: Buffer.from(JSON.stringify(call.body)), headers: jsonHeaders(call) }),
    ...extra,
  };
  return new Promise((resolve, reject) => {
    modem.dial(options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function answerTooLarge({ message }: Error): EngineError {
  return new EngineError('engine_refused', `The answer of the Docker Engine is not read: ${message}.`);
}

function minorOf(version: string | string[] | undefined): number {
  const minor = /^1\.(\d+)$/.exec(String(version))?.[1];
  return minor === undefined ? OLDEST_API : Number(minor);
}

function jsonHeaders(call: Call): Record<string, string> {
  return { ...call.headers, 'Content-Type': 'application/json' };
}

// A kept connection may be dead by the time of the next call, which may be one that must not be made twice.
const OPTIONS: AgentOptions = { keepAlive: false };

/**
 * Connects for one call, and cuts the connection when `signal` is aborted. docker-modem is handed no signal, and the agent
 * shows nothing of itself: the modem inspects all that it is handed to any depth (docs/adr/0001-dockerode.md).
 */
function callAgent(protocol: 'http' | 'https', signal: AbortSignal | undefined): HttpAgent {
  const agent = protocol === 'https' ? new HttpsAgent(OPTIONS) : new HttpAgent(OPTIONS);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) => {
    // A connection that is destroyed before its request listens to it would throw into the air.
    signal?.throwIfAborted();
    const connection = connect(options, done);
    if (signal !== undefined && connection) addAbortSignal(signal, connection);
    return connection;
  };
  return Object.defineProperty(agent, inspect.custom, { value: () => 'CallAgent' });
}

/** The options for dockerode: every field is set, because it fills missing ones from the environment by its own rules. */
export interface DockerAddress {
  socketPath: string | undefined;
  host: string | undefined;
  port: string | undefined;
  protocol: 'http' | 'https';
}

/**
 * Reads `DOCKER_HOST`: `unix://PATH`, `tcp://HOST[:PORT]`, `http(s)://HOST[:PORT]`; null is the usual socket. With
 * `https://`, the modem reads the client certificate from `DOCKER_CERT_PATH`. `ssh://` is not supported. Throws `invalid_settings`.
 */
export function dockerAddress(dockerHost: string | null): DockerAddress {
  const text = dockerHost?.trim() || 'unix:///var/run/docker.sock';
  if (text.startsWith('unix://')) {
    return { socketPath: text.slice('unix://'.length), host: undefined, port: undefined, protocol: 'http' };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new PilotError(
      'invalid_settings',
      'DOCKER_HOST: must be unix://PATH, tcp://HOST:PORT or http(s)://HOST:PORT',
    );
  }
  const secure = url.protocol === 'https:';
  const port = url.port || (url.protocol === 'tcp:' ? '2375' : secure ? '443' : '80');
  return { socketPath: undefined, host: url.hostname, port, protocol: secure ? 'https' : 'http' };
}
