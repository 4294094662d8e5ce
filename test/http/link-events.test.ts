import { request, type ClientRequest } from 'node:http';
import supertest from 'supertest';
import { viewUrl } from '../../src/decisions/approval-links';
import type { Update } from '../../src/domain/update';
import { eventually } from '../support/eventually';
import { API_TOKEN, APPROVAL_SECRETS, asOperator, startHttp, type RunningHttp } from '../support/http-app';
import { aRunningOne, GITEA, linkOf, offered } from '../support/pages-stage';
import { TestClock } from '../support/test-clock';

// Streams behind links admit without a password: they are limited as wrong links are, bounded, and end with their link.

let http: RunningHttp;
const requests: ClientRequest[] = [];
beforeEach(async () => {
  http = await startHttp({ trustedProxies: ['127.0.0.1'] });
});
afterEach(async () => {
  for (const sent of requests.splice(0)) sent.destroy();
  await http.stop();
});

interface Stream {
  status: number;
  text: string;
  ended: boolean;
  leave(): void;
}

function follow(path: string, headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(`${path}/events`, http.url), { headers, agent: false }, (response) => {
      const stream = { status: response.statusCode ?? 0, text: '', ended: false, leave: () => void sent.destroy() };
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

const from = (address: string) => ({ 'X-Forwarded-For': address });
const anOffer = (): Update => offered(http.store, GITEA, 'gitea/gitea:1.24.6');
const viewOf = (update: Update): string => viewUrl({ publicUrl: '', approvalSecrets: APPROVAL_SECRETS }, update);

test('wrong links are held back after a hundred, together with those of pages, and a right one streams all the same', async () => {
  const statuses = [];
  for (let n = 0; n < 60; n++) statuses.push((await supertest(http.url).get(`/approvals/page-${n}`)).status);
  for (let n = 0; n < 42; n++) statuses.push((await follow(`/approvals/guess-${n}`)).status);
  expect(statuses.slice(0, 100)).toEqual(Array(100).fill(404));
  expect(statuses.slice(-2)).toEqual([429, 429]);
  expect((await follow(linkOf(anOffer()))).status).toBe(200);
}, 60_000);

test('one link takes ten streams, and leaves the others to other links and to the operator', async () => {
  const link = linkOf(anOffer());
  const running = aRunningOne(http.store);
  const streams = [];
  for (let n = 0; n < 12; n++) streams.push(await follow(link, from(`198.51.100.${n}`)));
  expect(streams.map(({ status }) => status)).toEqual([...Array<number>(10).fill(200), 429, 429]);
  expect((await follow(viewOf(running), from('198.51.100.1'))).status).toBe(200);
  expect((await follow(`/updates/${running.id}`, asOperator)).status).toBe(200);
  streams[0]?.leave();
  await eventually('a free place', async () => (await follow(link, from('198.51.100.99'))).status === 200);
});

test('one address takes twenty streams of links, and leaves the others to other addresses', async () => {
  const links = [anOffer(), aRunningOne(http.store), aRunningOne(http.store)].map(viewOf);
  const statuses = [];
  for (const link of links)
    for (let n = 0; n < 7; n++) statuses.push((await follow(link, from('198.51.100.1'))).status);
  expect(statuses).toEqual([...Array<number>(20).fill(200), 429]);
  expect((await follow(links[2] ?? '', from('198.51.100.2'))).status).toBe(200);
});

test.each(['declined', 'superseded', 'expired'] as const)('a link that is %s follows nothing', async (status) => {
  const update = anOffer();
  const approval = { ...update.approval!, status: status === 'superseded' ? ('waiting' as const) : status };
  http.store.updates.change(update.id, { status, approval, finishedAt: new Date().toISOString() });
  const { body } = await supertest(http.url)
    .get(`${linkOf(update)}/events`)
    .expect(410);
  expect(body.error).toMatchObject({ code: 'link_closed', details: { why: status } });
});

test('a link that expires ends its streams', async () => {
  await http.stop();
  const clock = new TestClock({ autoAdvance: false });
  http = await startHttp({ clock });
  const update = http.store.updates.change(anOffer().id, {
    approval: { status: 'waiting', expiresAt: new Date(clock.now().getTime() + 60_000).toISOString(), decidedAt: null },
  });
  const stream = await follow(linkOf(update));
  await eventually('the state', () => stream.text.includes('event: update'));
  await clock.advance(59_000);
  expect(stream.ended).toBe(false);
  await clock.advance(2_000);
  await eventually('the end', () => stream.ended);
});

describe('the link at the foot of a mail', () => {
  test('shows its update while it runs and after, and no other', async () => {
    const running = aRunningOne(http.store);
    const page = await supertest(http.url).get(viewOf(running)).set('Accept', 'text/html').expect(200);
    expect(page.text).toContain('Update of');
    expect(page.text).not.toMatch(/href="\/|value="approve"/);
    expect((await follow(viewOf(running))).status).toBe(200);
  });

  test('decides nothing', async () => {
    const update = anOffer();
    for (const decision of ['approve', 'decline']) {
      const fields = { decision, name: GITEA.name };
      await supertest(http.url).post(viewOf(update)).type('form').send(fields).expect(404);
    }
    expect(http.store.updates.get(update.id)).toEqual(update);
    expect((await supertest(http.url).get(viewOf(update)).expect(200)).text).toContain('with the link in its mail');
  });

  test('is closed 30 days after the end', async () => {
    const { id } = aRunningOne(http.store);
    const endedAt = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    const link = viewOf(http.store.updates.change(id, { status: 'succeeded', finishedAt: endedAt(29) }));
    await supertest(http.url).get(link).expect(200);
    http.store.updates.change(id, { finishedAt: endedAt(31) });
    expect((await supertest(http.url).get(link).set('Accept', 'text/html').expect(410)).text).toContain('has expired');
    await supertest(http.url).get(link).set('Accept', 'application/json').expect(410);
    await supertest(http.url).get(`${link}/events`).expect(410);
  });

  test('of another purpose, another update or another secret opens nothing', async () => {
    const [one, other] = [aRunningOne(http.store), aRunningOne(http.store)];
    const mac = viewOf(one).split('.').at(-1);
    await supertest(http.url).get(`/approvals/${other.id}.${mac}`).expect(404);
    const offer = anOffer();
    expect(viewOf(offer)).not.toBe(linkOf(offer));
    await supertest(http.url).get(`/approvals/${API_TOKEN}`).expect(404);
  });
});
