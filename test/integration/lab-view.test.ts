import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as readJson, text } from 'node:stream/consumers';
import { openView, type View } from '../lab/engine/view';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';
import { eventually } from '../support/eventually';
import { startRawServer } from '../support/raw-server';

// That the real adapter works through it is in test/e2e/engine.contract.long.test.ts: here is what it keeps apart, and that it
// only lets flow what the other side takes.
const MARKS = { label: 'diun-pilot.lab=ab12', projectPrefix: 'diunpilot-lab-ab12-' };
const CHUNK = Buffer.alloc(256 * 1024);

let folder: string;
let engine: EngineServer;
let view: View;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'view-'));
  engine = await startEngineServer();
  view = await openView(engine.address, join(folder, 'view.sock'), MARKS);
});

afterEach(async () => {
  await view.close();
  await engine.close();
  rmSync(folder, { recursive: true });
});

const socketPath = (): string => view.host.replace('unix://', '');

function ask(method: string, path: string, more: RequestOptions = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(), method, path, agent: false, ...more }, resolve);
    sent.on('error', reject).end();
  });
}

const COMPOSE = 'com.docker.compose.project';
const CONTAINERS: Record<string, { name: string; labels: Record<string, string> | null }> = {
  '1': { name: 'diunpilot-lab-ab12-web-1', labels: { [COMPOSE]: 'diunpilot-lab-ab12-web' } },
  '2': { name: 'brave_morse', labels: { 'diun-pilot.lab': 'ab12' } },
  '3': { name: 'diunpilot-lab-ab12-web-1.diun-pilot-check-0123456789', labels: {} },
  '4': { name: 'nginx', labels: { [COMPOSE]: 'site', 'diun.enable': 'true', 'update.policy': 'automatic' } },
  '5': { name: 'other-lab', labels: { 'diun-pilot.lab': 'ab13' } },
  '6': { name: 'plain', labels: null },
};

/** The engine knows these, and has an answer to whatever is asked about them. */
function engineKnows(): void {
  const all = Object.entries(CONTAINERS).map(([Id, { name, labels }]) => {
    for (const known of [Id, name]) {
      const inspect = { Id, Name: `/${name}`, Config: { Labels: labels } };
      engine.answers.set(`/containers/${known}/json`, (_request, response) => json(response, inspect));
      engine.answers.set(`/containers/${known}/stop`, (_request, response) => response.writeHead(204).end());
      engine.upgrades.set(`/containers/${known}/attach`, (connection) => connection.end('attached'));
    }
    return { Id, Names: [`/diunpilot-lab-ab12-web-1/of-${Id}`, `/${name}`], Labels: labels };
  });
  engine.answers.set('/containers/json', (_request, response) => json(response, all));
}

it.each(['/containers/json', '/v1.45/containers/json?all=true&filters=%7B%7D'])(
  'lists the containers that bear the marks of the lab, and no others: %s',
  async (path) => {
    engineKnows();
    const listed = (await readJson(await ask('GET', path))) as { Id: string }[];
    expect(listed.map(({ Id }) => Id)).toEqual(['1', '2', '3']);
    expect(engine.requests).toEqual([`GET ${path}`]);
  },
);

it.each(['4', 'nginx', '5', '6'])(
  'answers as if there were no container %s, whatever is asked about it',
  async (id) => {
    engineKnows();
    const before = engine.requests.length;
    for (const [method, path] of [
      ['GET', `/v1.45/containers/${id}/json`],
      ['POST', `/v1.45/containers/${id}/stop?t=1`],
      ['POST', `/containers/${id}/exec`],
      ['DELETE', `/containers/${id}`],
    ] as const) {
      const answer = await ask(method, path);
      expect([answer.statusCode, await readJson(answer)]).toEqual([404, { message: `No such container: ${id}` }]);
    }
    expect(await attach(id)).toMatch(/^HTTP\/1\.1 404 /);
    expect(engine.requests.slice(before).every((line) => line === `GET /containers/${id}/json`)).toBe(true);
  },
);

it.each(['1', 'brave_morse', '3'])('passes on what is asked about %s', async (id) => {
  engineKnows();
  expect((await ask('POST', `/v1.45/containers/${id}/stop?t=1`)).statusCode).toBe(204);
  expect(engine.requests.at(-1)).toBe(`POST /v1.45/containers/${id}/stop?t=1`);
  expect(await attach(id)).toMatch(/^HTTP\/1\.1 101 [\s\S]*attached$/);
});

async function attach(id: string): Promise<string> {
  const client = connect(socketPath());
  client.write(`POST /containers/${id}/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  return text(client);
}

it.each(['containers', 'images', 'volumes', 'networks'])('refuses to prune %s', async (kind) => {
  expect((await ask('POST', `/v1.45/${kind}/prune?filters=%7B%7D`)).statusCode).toBe(403);
  expect(engine.requests).toEqual([]);
});

it('passes nothing on where the engine does not tell whose a container is', async () => {
  engine.answers.set('/containers/7/json', (_request, response) => json(response, { message: 'it is broken' }, 500));
  await expect(ask('POST', '/containers/7/stop')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(engine.requests).toEqual(['GET /containers/7/json']);
});

it('leaves what does not exist to the engine to tell', async () => {
  engine.answers.set('/containers/8/stop', (_request, response) => json(response, { message: 'its own words' }, 404));
  expect(await readJson(await ask('POST', '/containers/8/stop'))).toEqual({ message: 'its own words' });
});

it('is for nobody but this process and its group', () => {
  expect(statSync(socketPath()).mode & 0o777).toBe(0o660);
});

/** Pours until the other side takes no more; counts what it took. */
function pour(sink: { write(chunk: Buffer): boolean; once(event: 'drain', again: () => void): unknown }): () => number {
  let taken = 0;
  const more = (): void => {
    do taken += CHUNK.length;
    while (sink.write(CHUNK));
    sink.once('drain', more);
  };
  more();
  return () => taken;
}

/** That nothing is poured any more, and more could be: an unbounded buffer in between takes all there is. */
async function comesToRest(poured: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  const rests = (): boolean => {
    same = poured() === last ? same + 1 : 0;
    last = poured();
    return same === 20;
  };
  await eventually('it comes to rest', rests, { everyMs: 10 });
  expect(poured()).toBeLessThan(64 * 1024 * 1024);
}

it('takes no more of an answer than who asked takes of it', async () => {
  let poured = (): number => 0;
  engine.answers.set('/events', (_request, response) => void (poured = pour(response)));
  const answer = await ask('GET', '/events');
  await comesToRest(poured);
  const before = poured();
  answer.resume();
  await eventually('it flows again', () => poured() > before);
  answer.destroy();
});

it('takes no more of an upload than the engine takes of it, and begins before it has all', async () => {
  engineKnows();
  let upload: IncomingMessage | undefined;
  engine.answers.set('/containers/1/archive', (asked) => void (upload = asked));
  const sent = request({ socketPath: socketPath(), method: 'PUT', path: '/containers/1/archive', agent: false });
  sent.on('error', () => undefined);
  const poured = pour(sent);
  await eventually('the engine is asked', () => upload);
  await comesToRest(poured);
  const before = poured();
  upload?.resume();
  await eventually('it flows again', () => poured() > before);
  sent.destroy();
});

it('hands on the answer to an upload that the engine did not want to read', async () => {
  const unwilling = await startRawServer((socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nread-only');
    });
  });
  const other = await openView(`tcp://127.0.0.1:${unwilling.port}`, join(folder, 'other.sock'), MARKS);
  const options = { socketPath: join(folder, 'other.sock'), method: 'POST', path: '/images/load', agent: false };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(options, resolve).on('error', reject);
    pour(sent);
    setImmediate(() => sent.end());
  });
  expect([answer.statusCode, await text(answer)]).toEqual([403, 'read-only']);
  await other.close();
  await unwilling.stop();
});

it('of a raw connection one side may end while the other still speaks', async () => {
  engine.upgrades.set('/exec/x/start', (connection) => {
    let input = '';
    connection.on('data', (part: Buffer) => (input += part.toString()));
    connection.on('end', () => connection.end(`got ${input}`));
  });
  const client = connect(socketPath());
  client.write(
    'POST /exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n',
  );
  client.write('{}');
  client.write('the input');
  client.end();
  expect(await text(client)).toMatch(/^HTTP\/1\.1 101 [\s\S]*got (\{\})?the input$/);
});

it('breaks what the engine breaks off', async () => {
  engine.answers.set('/events', (_request, response) => {
    response.write('{}\n');
    setImmediate(() => response.destroy());
  });
  await expect(ask('GET', '/events').then((answer) => text(answer))).rejects.toMatchObject({ code: 'ECONNRESET' });
});
