import supertest from 'supertest';
import { EngineError, PilotError, type ErrorCode } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { asDiun, asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { aNewUpdate } from '../support/update-builder';

let http: RunningHttp;
let asked: { container: string; image?: string }[];
let outcome: () => Update;
beforeEach(async () => {
  asked = [];
  outcome = () => http.store.updates.insert(aNewUpdate({ source: 'operator' }));
  http = await startHttp({
    requestUpdate: async (request) => {
      asked.push(request);
      return Promise.resolve().then(outcome);
    },
  });
});
afterEach(() => http.stop());

const get = (path: string) => supertest(http.url).get(path).set(asOperator);
const post = (body: unknown) =>
  supertest(http.url)
    .post('/updates')
    .set(asOperator)
    .send(body as object);

describe('GET /updates', () => {
  test('lists the newest first, page by page to the end', async () => {
    const ids = [1, 2, 3, 4, 5].map(() => http.store.updates.insert(aNewUpdate()).id);
    const first = await get('/updates?limit=2').expect(200);
    const second = await get(`/updates?limit=2&cursor=${first.body.next}`).expect(200);
    const third = await get(`/updates?limit=2&cursor=${second.body.next}`).expect(200);
    const seen = [first, second, third].flatMap((page) => page.body.updates as Update[]).map(({ id }) => id);
    expect(seen).toEqual(ids.reverse());
    expect(third.body.next).toBeNull();
  });

  test('filters by status and container', async () => {
    http.store.updates.insert(aNewUpdate({ container: 'other' }));
    const wanted = http.store.updates.insert(aNewUpdate({ status: 'failed' }));
    const { body } = await get('/updates?status=failed&container=web-nginx-1').expect(200);
    expect(body.updates).toMatchObject([{ id: wanted.id, status: 'failed' }]);
  });

  test('a filter without a value is none, as a form sends it', async () => {
    const { id } = http.store.updates.insert(aNewUpdate({}));
    const { body } = await get('/updates?status=&container=&limit=&cursor=').expect(200);
    expect(body.updates).toMatchObject([{ id }]);
  });

  test('without updates it is an empty page', async () => {
    expect((await get('/updates').expect(200)).body).toEqual({ updates: [], next: null });
  });

  test.each([
    ['status=gone', 'status'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit: must be at most 200'],
    ['limit=1000', 'limit: must be at most 200'],
    ['limit=many', 'limit'],
    ['limit=1e1', 'limit'],
    ['cursor=nonsense', 'cursor'],
    ['status=failed&status=queued', 'status'],
    ['state=failed', 'state'],
    ['state=', 'state'],
  ])('a bad query is a 400 that names what is wrong: %s', async (query, field) => {
    const { body } = await get(`/updates?${query}`).expect(400);
    expect(body.error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(field) });
    expect(body.error.details.problems).toHaveLength(1);
  });
});

describe('GET /updates/:id', () => {
  test('gives every field of the contract, with its steps and the backup taken for it', async () => {
    const { id } = http.store.updates.insert(aNewUpdate({ followUp: 'Write nginx:1.28 into the compose file.' }));
    const backup = http.store.backups.insert({ project: 'web', container: null, reason: 'update', updateId: id });
    http.store.backups.change(backup.id, { url: 's3://bucket/web/1', bytes: 42 });
    http.store.updates.change(id, { backupId: backup.id, status: 'running' });
    http.store.updates.beginStep(id, 'backup');
    http.store.updates.endStep(id, 'backup', 'succeeded', '42 bytes');

    const response = await get(`/updates/${id}`).expect(200);
    expect(response.body).toEqual({
      id,
      kind: 'container',
      container: 'web-nginx-1',
      project: 'web',
      service: 'nginx',
      policy: 'automatic',
      status: 'running',
      reason: 'automatic: the digest of stable moved',
      source: 'diun',
      from: { reference: 'nginx:stable', digest: null },
      to: { reference: 'nginx:stable', digest: expect.stringMatching(/^sha256:/) },
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      startedAt: null,
      finishedAt: null,
      approval: null,
      rehearsal: null,
      notBefore: null,
      notes: null,
      signature: null,
      backup: { id: backup.id, url: 's3://bucket/web/1', bytes: 42 },
      steps: [
        {
          name: 'backup',
          status: 'succeeded',
          startedAt: expect.stringMatching(/Z$/),
          finishedAt: expect.stringMatching(/Z$/),
          detail: '42 bytes',
        },
      ],
      error: null,
      followUp: 'Write nginx:1.28 into the compose file.',
    });
    expect(response.headers['cache-control']).toBe('no-store');
    expect(http.lines.at(-1)).toMatchObject({ route: '/updates/:id', update: id, status: 200 });
  });

  test.each(['nothing', '01ARZ3NDEKTSV4RRFFQ69G5FAV', "1' OR '1'='1", '%00'])('404 for %s', async (id) => {
    const { body } = await get(`/updates/${encodeURIComponent(id)}`).expect(404);
    expect(body.error.code).toBe('update_not_found');
  });
});

describe('POST /updates', () => {
  test('202 with the update and where to follow it', async () => {
    const response = await post({ container: 'gitea', image: 'gitea/gitea:1.24.6' }).expect(202);
    expect(asked).toEqual([{ container: 'gitea', image: 'gitea/gitea:1.24.6' }]);
    expect(response.body).toMatchObject({ container: 'web-nginx-1', status: 'queued', source: 'operator' });
    await get(String(response.headers.location)).expect(200, response.body as object);
  });

  test('what already runs is answered 202 as ignored, with the reason', async () => {
    outcome = () => http.store.updates.insert(aNewUpdate({ status: 'ignored', reason: 'already runs' }));
    const { body } = await post({ container: 'gitea' }).expect(202);
    expect(body).toMatchObject({ status: 'ignored', reason: 'already runs' });
  });

  test.each<[ErrorCode, number]>([
    ['container_not_found', 404],
    ['container_not_watched', 409],
    ['policy_ignore', 409],
    ['container_is_self', 409],
    ['different_repository', 409],
    ['auto_remove', 409],
    ['update_running', 409],
    ['invalid_reference', 400],
    ['registry_refused', 502],
    ['registry_unreachable', 502],
    ['engine_unreachable', 503],
    ['service_stopping', 503],
  ])('%s is %i in the shape of every error', async (code, status) => {
    outcome = () => {
      throw new EngineError(code, 'what and how to mend it');
    };
    const { body } = await post({ container: 'gitea' }).expect(status);
    expect(body).toEqual({ error: { code, message: 'what and how to mend it' } });
  });

  test('a defect is a 500 that tells a number only; the log has the rest', async () => {
    outcome = () => {
      throw new TypeError('secret-detail at /srv/file.ts');
    };
    const response = await post({ container: 'gitea' }).expect(500);
    expect(response.body.error.code).toBe('internal_error');
    expect(response.text).not.toMatch(/secret-detail|file\.ts|TypeError/);
    const { requestId } = response.body.error.details as { requestId: string };
    const line = http.lines.find((entry) => entry.requestId === requestId);
    expect(line?.error).toContain('secret-detail');
  });

  test.each([
    ['no body', undefined, 'body'],
    ['no container', {}, 'container'],
    ['an empty container', { container: '' }, 'container'],
    ['an image that is no text', { container: 'a', image: 7 }, 'image'],
    ['a field that does not exist', { container: 'a', imgae: 'b:1' }, 'imgae'],
    ['a list', [], 'body'],
  ])('%s is 400 and asks for nothing', async (_what, body, field) => {
    const response = await post(body).expect(400);
    expect(response.body.error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(field) });
    expect(asked).toEqual([]);
  });

  test('not JSON is 400; curl -d without a Content-Type is fine', async () => {
    const raw = (text: string) =>
      supertest(http.url).post('/updates').set(asOperator).type('application/x-www-form-urlencoded').send(text);
    expect((await raw('{"container"').expect(400)).body.error.code).toBe('invalid_body');
    await raw('{"container": "gitea"}').expect(202);
  });
});

describe('the API token', () => {
  test.each([
    ['none', {}],
    ['a wrong one', { Authorization: 'Bearer wrong' }],
    ["Diun's", asDiun],
    ['a bare one', { Authorization: asOperator.Authorization.slice('Bearer '.length) }],
  ])('with %s: 401 and how to come in', async (_what, headers) => {
    for (const path of ['/updates', '/updates/1', '/backups', '/metrics']) {
      const response = await supertest(http.url).get(path).set(headers).expect(401);
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(response.body.error).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('PILOT_API_TOKEN'),
      });
    }
    await supertest(http.url).post('/updates').set(headers).send({ container: 'a' }).expect(401);
    await supertest(http.url).post('/backups').set(headers).expect(401);
    expect(asked).toEqual([]);
  });

  test('wrong ones are held back after a hundred in a minute, and the right one passes all the same', async () => {
    const ask = (path: string, headers: Record<string, string>) => supertest(http.url).get(path).set(headers);
    const guess = async (n: number) => (await ask('/updates', { Authorization: `Bearer guess-${n}` })).status;
    for (let n = 0; n < 100; n++) expect(await guess(n)).toBe(401);
    expect(await guess(100)).toBe(429);
    const held = await ask('/backups', { Authorization: 'Basic YTpiCg==' }).expect(429);
    expect(held.body.error.code).toBe('too_many_requests');
    expect(Number(held.headers['retry-after'])).toBeLessThanOrEqual(60);
    await get('/updates').expect(200);
    const browser = { Accept: 'text/html' };
    expect((await ask('/', browser).expect(401)).headers['www-authenticate']).toMatch(/^Basic/);
    await ask('/', { ...browser, ...asPerson }).expect(200);
    await ask('/', { ...browser, Authorization: 'Basic YTpiCg==' }).expect(429);
    await ask('/health', {}).expect(200);
  });

  test('what succeeds is never counted', async () => {
    for (let i = 0; i < 150; i++) await get('/updates').expect(200);
  });
});

test('an error with details shows them', async () => {
  outcome = () => {
    throw new PilotError('invalid_reference', 'not a reference', { details: { field: 'image' } });
  };
  const { body } = await post({ container: 'a', image: '::' }).expect(400);
  expect(body.error.details).toEqual({ field: 'image' });
});

describe('POST /updates/:id/rehearsal', () => {
  const rehearse = (id: string) => supertest(http.url).post(`/updates/${id}/rehearsal`).set(asOperator);

  test('queues one for a pending update; one under way is the answer, and its verdict is part of the update', async () => {
    const { id, to } = http.store.updates.insert(aNewUpdate({ status: 'awaiting_approval' }));
    const { body } = await rehearse(id).expect(202).expect('Location', `/updates/${id}`);
    expect(body.rehearsal).toEqual({
      ...{ status: 'running', startedAt: expect.any(String), finishedAt: null, seconds: null, detail: null },
    });
    await rehearse(id).expect(202);
    const rehearsal = http.store.rehearsals.next();
    expect(rehearsal).toMatchObject({ updateId: id, digest: to.digest, status: 'queued' });
    http.store.rehearsals.end(rehearsal?.id ?? '', { status: 'passed', seconds: 41, detail: 'Rehearsed.' });
    expect(http.store.rehearsals.next()).toBeNull();
    const after = await get(`/updates/${id}`).expect(200);
    expect(after.body.rehearsal).toMatchObject({ status: 'passed', seconds: 41, detail: 'Rehearsed.' });
    await rehearse(id).expect(202);
    expect((await get(`/updates/${id}`)).body.rehearsal).toMatchObject({ status: 'running', seconds: null });
  });

  test('refuses an update that has ended, one that is not there, another method and a stranger', async () => {
    const { id } = http.store.updates.insert(aNewUpdate({ status: 'succeeded' }));
    expect((await rehearse(id).expect(409)).body.error.code).toBe('not_waiting');
    expect((await rehearse('01ARZ3NDEKTSV4RRFFQ69G5FAV').expect(404)).body.error.code).toBe('update_not_found');
    await get(`/updates/${id}/rehearsal`).expect(405).expect('Allow', 'POST');
    await supertest(http.url).post(`/updates/${id}/rehearsal`).expect(401);
  });
});
