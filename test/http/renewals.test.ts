import supertest from 'supertest';
import { aCertificate, aRenewal, aSeen } from '../support/certificate-builder';
import { asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';

let http: RunningHttp;
beforeEach(async () => (http = await startHttp()));
afterEach(() => http.stop());

const get = (query = '') => supertest(http.url).get(`/renewals${query}`).set(asOperator);

test('POST asks for one, and a second time for the same one', async () => {
  const { body } = await supertest(http.url).post('/renewals').set(asOperator).expect(202);
  expect(body).toMatchObject({ status: 'queued', reason: 'operator', outcome: null, error: null });
  const again = await supertest(http.url).post('/renewals').set(asOperator).expect(202);
  expect(again.body.id).toBe(body.id);
  expect((await get().expect(200)).body.renewals).toEqual([body]);
});

test.each([['{"certificate":"git.example.org"}'], ['[]'], ['{']])(
  'POST with %s, which cannot be chosen, is a 400 and asks for none',
  async (body) => {
    const answer = await supertest(http.url).post('/renewals').set(asOperator).type('json').send(body).expect(400);
    expect(answer.body.error.message).toContain('body');
    expect((await get().expect(200)).body.renewals).toEqual([]);
  },
);

test('POST with an empty object is as without a body', async () => {
  await supertest(http.url).post('/renewals').set(asOperator).send({}).expect(202);
});

test('GET tells past renewals, and the certificates with the days that each has left, on disk and as served', async () => {
  const now = new Date();
  const [disk, served] = [aCertificate({ left: 60.5, now }), aCertificate({ left: 20.5, now })];
  http.store.certificates.replace([aSeen({ disk, served }), aSeen({ disk: null, served: null, problem: 'no answer' })]);
  const { id } = http.store.renewals.insert({ reason: 'schedule', dueAt: now.toISOString() });
  const { detail, error, before } = aRenewal();
  http.store.renewals.change(id, { status: 'failed', outcome: 'failed', detail, error, before });
  const { body } = await get().expect(200);
  expect(body).toMatchObject({
    renewals: [{ id, status: 'failed', outcome: 'failed', detail, error, before, reason: 'schedule' }],
    certificates: [
      { name: 'git.example.org', disk: { ...disk, daysLeft: 60 }, served: { ...served, daysLeft: 20 }, problem: null },
      { disk: null, served: null, problem: 'no answer' },
    ],
  });
});

test('without anything both are empty; without the token there is nothing', async () => {
  expect((await get().expect(200)).body).toEqual({ renewals: [], certificates: [] });
  await supertest(http.url).get('/renewals').expect(401);
  await supertest(http.url).post('/renewals').expect(401);
  expect(http.store.renewals.list(9)).toEqual([]);
});

test('a bad query is a 400, another method a 405', async () => {
  await get('?limit=0').expect(400);
  await get('?since=2026').expect(400);
  await supertest(http.url).delete('/renewals').set(asOperator).expect(405);
});

describe('/health', () => {
  const check = async () => (await supertest(http.url).get('/health').expect(200)).body.checks.certificates;
  const now = new Date();
  const good = aCertificate({ left: 60, now });

  test('is ok where there is none, and where all are well', async () => {
    expect(await check()).toEqual({ status: 'ok' });
    http.store.certificates.replace([aSeen({ disk: good, served: good })]);
    expect(await check()).toEqual({ status: 'ok' });
  });

  test.each([
    [
      'near its end',
      { disk: good, served: aCertificate({ left: 8.5, now }) },
      /git.example.org has 8 days left.*renew/,
    ],
    ['ended', { disk: good, served: aCertificate({ left: -1, now }) }, /git.example.org has expired/],
    [
      'not loaded',
      { disk: good, served: aCertificate({ left: 50, now }) },
      /git-nginx-1 does not serve the certificate/,
    ],
    ['not to be seen', { disk: good, served: null, problem: 'ECONNREFUSED /run/secret' }, /could not be read/],
  ])('is degraded for one that is %s, in words of ours', async (_what, seen, words) => {
    http.store.certificates.replace([aSeen(seen)]);
    const told = await check();
    expect(told).toMatchObject({ status: 'degraded', reason: expect.stringMatching(words) });
    expect(told.reason).not.toMatch(/secret|ECONN/);
  });

  test('is degraded after a renewal that failed, until one succeeds', async () => {
    const end = (status: 'failed' | 'succeeded') => {
      const { id } = http.store.renewals.insert({ reason: 'schedule', dueAt: now.toISOString() });
      http.store.renewals.change(id, { status, finishedAt: new Date().toISOString() });
    };
    end('failed');
    expect(await check()).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('the last renewal failed'),
    });
    end('succeeded');
    expect(await check()).toEqual({ status: 'ok' });
  });
});

describe('the operator page', () => {
  const open = () => supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);

  test('shows each certificate with its days, past renewals, and what waits', async () => {
    const now = new Date();
    const disk = aCertificate({ left: 60.5, now });
    http.store.certificates.replace([aSeen({ disk, served: aCertificate({ left: 8.5, now }) })]);
    const { id } = http.store.renewals.insert({
      reason: 'retry',
      dueAt: new Date(Date.now() + 3_590_000).toISOString(),
    });
    const { text } = await open();
    for (const words of [
      'git.example.org',
      '60 days left',
      '8 days left',
      'The server has not loaded',
      'runs in 59 min',
    ]) {
      expect(text).toContain(words);
    }
    http.store.renewals.change(id, { status: 'succeeded', outcome: 'not_due', detail: 'No certificate is due.' });
    expect((await open()).text).toMatch(/Not due[\s\S]*No certificate is due\./);
  });

  test('its button asks for a renewal', async () => {
    const form = /<form[^>]*action="actions\/renew"[\s\S]*?<\/form>/.exec((await open()).text)?.[0] ?? '';
    const fields = { id: '', form: /name="form" value="([^"]*)"/.exec(form)?.[1] ?? '' };
    const post = supertest(http.url).post('/actions/renew').set(asPerson).set('Accept', 'text/html').type('form');
    const { headers } = await post.send(fields).expect(303);
    expect(headers['location']).toBe('../?done=renew');
    expect(http.store.renewals.list(9)).toMatchObject([{ status: 'queued', reason: 'operator' }]);
  });
});
