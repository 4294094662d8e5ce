import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { UpdateStatus } from '../../src/domain/update';
import { eventually } from '../support/eventually';
import { asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { GITEA, linkOf, offered } from '../support/pages-stage';
import { send } from '../support/send';
import { TestClock } from '../support/test-clock';
import { aNewUpdate } from '../support/update-builder';

let http: RunningHttp;
const requests: ClientRequest[] = [];
beforeEach(async () => {
  http = await startHttp();
});
afterEach(async () => {
  for (const sent of requests.splice(0)) sent.destroy();
  await http.stop();
});

interface Stream {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  ended: boolean;
}

interface SeenEvent {
  id: number;
  status: UpdateStatus;
  detail: string | null;
}

function follow(path: string, headers: Record<string, string> = asOperator): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, http.url), { headers, agent: false }, (response) => {
      const stream: Stream = { status: response.statusCode ?? 0, headers: response.headers, text: '', ended: false };
      response.setEncoding('utf8').on('data', (chunk: string) => (stream.text += chunk));
      response.on('end', () => (stream.ended = true));
      response.on('error', () => (stream.ended = true));
      resolve(stream);
    });
    requests.push(sent);
    sent.on('error', reject);
    sent.end();
  });
}

function eventsOf({ text }: Stream): SeenEvent[] {
  return [...text.matchAll(/^id: (\d+)\nevent: update\ndata: (.+)\n\n/gm)].map(([, id, data]) => {
    const update = JSON.parse(data ?? '');
    return { id: Number(id), status: update.status, detail: update.steps.at(-1)?.detail ?? null };
  });
}

const insert = () => http.store.updates.insert(aNewUpdate());

test('sends the state at once, then each change, and ends with the end of the update', async () => {
  const { id } = insert();
  const stream = await follow(`/updates/${id}/events`);
  expect(stream.status).toBe(200);
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  await eventually('the state', () => eventsOf(stream).length === 1);
  http.store.updates.change(id, { status: 'running', startedAt: new Date().toISOString() });
  http.store.updates.beginStep(id, 'pull');
  http.store.updates.stepDetail(id, 'pull', '1.0 of 9.0 MB');
  await eventually('the pull', () => eventsOf(stream).at(-1)?.detail === '1.0 of 9.0 MB');
  expect(stream.ended).toBe(false);
  http.store.updates.change(id, { status: 'succeeded', finishedAt: new Date().toISOString() });
  await eventually('the end', () => stream.ended);
  expect(eventsOf(stream).map(({ status }) => status)).toEqual(['queued', 'running', 'succeeded']);
  const ids = eventsOf(stream).map((event) => event.id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect(new Set(ids).size).toBe(ids.length);
  expect(stream.text).toMatch(/^retry: 2000\n\n/);
  expect(stream.text).toMatch(/retry: 60000\n\n$/);
});

test('who comes back gets the state of now, with an id that goes on growing', async () => {
  const { id } = insert();
  http.store.updates.change(id, { status: 'rolled_back', finishedAt: new Date().toISOString() });
  const ahead = Date.now() + 3_600_000;
  const stream = await follow(`/updates/${id}/events`, { ...asOperator, 'Last-Event-ID': String(ahead) });
  await eventually('the end', () => stream.ended);
  expect(eventsOf(stream)).toEqual([{ id: ahead + 1, status: 'rolled_back', detail: null }]);
});

test('a Last-Event-ID that is none changes nothing', async () => {
  const { id } = insert();
  http.store.updates.change(id, { status: 'failed' });
  const stream = await follow(`/updates/${id}/events`, { ...asOperator, 'Last-Event-ID': '9'.repeat(40) });
  await eventually('the end', () => stream.ended);
  expect(eventsOf(stream)).toMatchObject([{ status: 'failed' }]);
});

test('opens with the token as password too, and to nobody else', async () => {
  const { id } = insert();
  expect((await follow(`/updates/${id}/events`, asPerson)).status).toBe(200);
  expect((await follow(`/updates/${id}/events`, {})).status).toBe(401);
  expect((await follow('/updates/none/events')).status).toBe(404);
});

test('a link follows its own update without a token, and no other', async () => {
  const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
  const other = insert();
  const stream = await follow(`${linkOf(update)}/events`, {});
  await eventually('the state', () => eventsOf(stream).length === 1);
  expect(stream.text).toContain(update.id);
  expect(stream.text).not.toContain(other.id);
  expect((await follow(`${linkOf(update)}x/events`, {})).status).toBe(404);
});

test('HEAD is answered at once', async () => {
  const { id } = insert();
  const { status, headers, text } = await send(http.port, {
    method: 'HEAD',
    url: `/updates/${id}/events`,
    headers: [['Authorization', asOperator.Authorization]],
  });
  expect([status, headers['content-type'], text]).toEqual([200, 'text/event-stream; charset=utf-8', '']);
});

test('HEAD of what is not there is answered as GET is', async () => {
  const authorization: [string, string] = ['Authorization', asOperator.Authorization];
  for (const url of ['/updates/nothing/events', '/approvals/nothing/events']) {
    expect((await send(http.port, { method: 'HEAD', url, headers: [authorization] })).status).toBe(404);
  }
});

test('ends when the server closes, well before the time to cut connections', async () => {
  const closing = await startHttp();
  const { id } = closing.store.updates.insert(aNewUpdate());
  const ended = new Promise((resolve, reject) => {
    const sent = request(`${closing.url}/updates/${id}/events`, { headers: asOperator, agent: false }, (response) => {
      response.resume().on('end', resolve).on('error', reject);
      void closing.stop();
    });
    sent.on('error', reject).end();
  });
  await ended; // a cut connection would be an error
});

test('a hundred at a time; the next is told to come later, and a place that is left is free again', async () => {
  const { id } = insert();
  const streams = await Promise.all(Array.from({ length: 100 }, () => follow(`/updates/${id}/events`)));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await follow(`/updates/${id}/events`)).status).toBe(429);
  requests[0]?.destroy();
  await eventually('a free place', async () => (await follow(`/updates/${id}/events`)).status === 200);
});

test('says now and then that it is still there', async () => {
  const clock = new TestClock({ autoAdvance: false });
  const held = await startHttp({ clock });
  try {
    const { id } = held.store.updates.insert(aNewUpdate());
    const stream = await follow(`${held.url}/updates/${id}/events`);
    await eventually('the state', () => eventsOf(stream).length === 1);
    await clock.advance(46_000);
    await eventually('three signs of life', () => stream.text.split(': still here\n\n').length === 4);
  } finally {
    await held.stop();
  }
});
