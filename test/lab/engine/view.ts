import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestOptions, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { askEngine, engineAddress } from './ask-engine';
import { isMarked, MARKING_LABELS, type Marked, type Marks } from './marks';
import { handOn, hangUp, relay, relayRaw } from './relay';

/** An engine as seen by who must not meet what others run on it: Diun, and every diun-pilot. */
export interface View {
  /** `unix://…`, for `DOCKER_HOST`; only for who may use this process's group. */
  readonly host: string;
  close(): Promise<void>;
}

/**
 * Listens at `socket` for calls to the engine, and passes all on, but for what concerns containers that do not bear the
 * marks: they are in no list, and each call about one is answered 404, as if there were none. `prune` is refused.
 */
export async function openView(engineHost: string, socket: string, marks: Marks): Promise<View> {
  const engine = engineAddress(engineHost);
  if (engine === null) throw new Error(`the engine at ${engineHost} is not on this machine`);
  if (socket.length > 107) throw new Error(`${socket} exceeds the 107 characters of a socket's path: set LAB_DIR`);
  rmSync(socket, { force: true });
  const server = viewServer(engine, lookUp(engineHost, marks), marks);
  const sockets = new Set<Socket>();
  server.on('connection', (client: Socket) => {
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  chmodSync(socket, 0o660);
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const client of sockets) client.destroy();
    await closed;
  };
  return { host: `unix://${socket}`, close };
}

/** `none`: the engine knows no container of that id or name. */
type Whose = 'own' | 'foreign' | 'none';

function viewServer(engine: RequestOptions, whose: (container: string) => Promise<Whose>, marks: Marks): Server {
  // A wait, a log or an upload takes as long as it takes, and a connection may rest in between, as the engine lets it.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 });
  const obstacle = async ({ method, url = '' }: IncomingMessage): Promise<Refusal | null> => {
    if (method === 'POST' && PRUNE.test(url)) return { status: 403, message: 'the lab never prunes' };
    const container = CONTAINER.exec(url)?.[1];
    if (container === undefined || (await whose(decodeURIComponent(container))) !== 'foreign') return null;
    return { status: 404, message: `No such container: ${container}` };
  };
  server.on('request', (asked, answer) => {
    const take = LIST.test(asked.url ?? '') ? ownOnly(marks) : handOn;
    obstacle(asked).then(
      (refusal) => (refusal ? refuse(answer, refusal) : relay(engine, asked, answer, take)),
      () => answer.destroy(),
    );
  });
  server.on('upgrade', (asked: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy());
    obstacle(asked).then(
      (refusal) => (refusal ? refuseRaw(client, refusal) : relayRaw(engine, asked, { client, head })),
      () => client.destroy(),
    );
  });
  return server;
}

const LIST = /^(?:\/v\d+\.\d+)?\/containers\/json(?:\?|$)/;
const PRUNE = /^(?:\/v\d+\.\d+)?\/\w+\/prune(?:\?|$)/;
const CONTAINER = /^(?:\/v\d+\.\d+)?\/containers\/(?!(?:json|create|prune)(?:\?|$))([^/?]+)/;

/** A container that is being started or stopped is told of when that is done. */
const MOST_WAIT_MS = 120_000;

interface Refusal {
  status: 403 | 404;
  message: string;
}

function refuse(answer: ServerResponse, { status, message }: Refusal): void {
  // What is still to come of the request is not read.
  answer.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
  answer.end(JSON.stringify({ message }));
}

function refuseRaw(client: Socket, { status, message }: Refusal): void {
  hangUp(client, `${status} ${status === 404 ? 'Not Found' : 'Forbidden'}`, JSON.stringify({ message }));
}

interface Listed {
  Names: string[];
  Labels: Record<string, string> | null;
}

function ownOnly(marks: Marks) {
  return (told: IncomingMessage, answer: ServerResponse): void => {
    if (told.statusCode !== 200) return handOn(told, answer);
    json(told).then(
      (all) => {
        const own = (all as Listed[]).filter(({ Names, Labels }) => isMarked(marks, marked(nameAmong(Names), Labels)));
        answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(own));
      },
      () => answer.destroy(),
    );
  };
}

/** `/web`, and not `/other/alias`, which is how others that link to it call it. */
function nameAmong(names: string[]): string | undefined {
  return names.find((name) => name.lastIndexOf('/') === 0);
}

/**
 * A container's labels never change, and a new name does not make it another's: an id is asked about once. Rejects when
 * the engine does not tell: then nothing is passed on.
 */
function lookUp(engineHost: string, marks: Marks): (container: string) => Promise<Whose> {
  const known = new Map<string, Whose>();
  return async (container) => {
    const before = known.get(container);
    if (before) return before;
    const told = await askEngine(engineHost, `/containers/${encodeURIComponent(container)}/json`, MOST_WAIT_MS);
    if (told?.status === 404) return 'none';
    if (told?.status !== 200) throw new Error(`the engine does not tell whose ${container} is`);
    const { Id, Name, Config } = JSON.parse(told.body) as { Id: string; Name: string; Config: Pick<Listed, 'Labels'> };
    const whose: Whose = isMarked(marks, marked(Name, Config.Labels)) ? 'own' : 'foreign';
    known.set(Id, whose);
    return whose;
  };
}

function marked(name = '', labels: Listed['Labels']): Marked {
  const { project, lab } = MARKING_LABELS;
  return { name: name.replace(/^\//, ''), project: labels?.[project] ?? '', lab: labels?.[lab] ?? '' };
}
