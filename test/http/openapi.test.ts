import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import supertest from 'supertest';
import { z } from 'zod';
import { diunRequest } from '../support/diun-requests';
import { aRenewal, aSeen } from '../support/certificate-builder';
import { asDiun, asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { aNewUpdate } from '../support/update-builder';

let http: RunningHttp;
let document: supertest.Response['body'];
beforeEach(async () => {
  http = await startHttp({
    requestUpdate: () => Promise.resolve(http.store.updates.insert(aNewUpdate())),
    requestBackups: () =>
      Promise.resolve([
        http.store.backups.insert({ project: 'web', container: null, reason: 'operator', updateId: null }),
      ]),
  });
  document = (await supertest(http.url).get('/openapi.json').expect(200)).body;
});
afterEach(() => http.stop());

/** Every property that an answer has must be in its schema, and every one it must have is there. */
function expectDocumented(method: string, template: string, response: supertest.Response): void {
  const answer = document.paths[template]?.[method]?.responses?.[response.status];
  if (!answer) throw new Error(`${method} ${template} ${response.status} is not documented`);
  const schema = closed({ ...answer.content['application/json'].schema, $defs: document.components.schemas });
  const parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(response.body);
  expect(parsed.error?.issues ?? []).toEqual([]);
}

test('every answer that is not told by its status is an error, and the limit of a list is a number', () => {
  for (const [template, methods] of Object.entries(document.paths as Record<string, Record<string, unknown>>)) {
    for (const [method, operation] of Object.entries(methods)) {
      expect([method, template, operation]).toEqual([
        method,
        template,
        expect.objectContaining({ responses: expect.objectContaining({ default: expect.anything() }) }),
      ]);
    }
  }
  const limit = document.paths['/updates'].get.parameters.find(({ name }: { name: string }) => name === 'limit');
  expect(limit.schema).toEqual({ type: 'integer', minimum: 1, maximum: 200, default: 50 });
});

/** References into `$defs`, and objects that take no property beyond those named. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] =>
    key === '$ref' ? [key, String(value).replace('#/components/schemas/', '#/$defs/')] : [key, closed(value)],
  );
  const made = Object.fromEntries(entries);
  return 'properties' in made && !('additionalProperties' in made) ? { ...made, additionalProperties: false } : made;
}

/** `METHOD path` as the app registers it, of each operation in the document. */
function documented(): string[] {
  const paths = Object.entries(document.paths as Record<string, object>);
  const all = paths.flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path]));
  return all.map(([method, path = '']) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
}

test('it is OpenAPI 3.1, and lists the routes of the app and no other', () => {
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'diun-pilot', version: '0.1.0' } });
  expect(http.routes.length).toBeGreaterThan(20);
  expect(documented().sort()).toEqual([...http.routes].sort());
});

test('it names every field that a route reads from a form', () => {
  const folder = join(__dirname, '../../src/http/routes');
  const formOf = (path: string): string[] =>
    Object.keys(
      document.paths[path].post.requestBody.content['application/x-www-form-urlencoded'].schema.properties as object,
    );
  for (const file of readdirSync(folder)) {
    const read = [...readFileSync(join(folder, file), 'utf8').matchAll(/form\.get\('(\w+)'\)/g)].map(
      ([, field]) => field,
    );
    const named = formOf(file === 'actions.ts' ? '/actions/approve' : '/approvals/{token}');
    expect([file, read.filter((field) => !named.includes(field ?? ''))]).toEqual([file, []]);
  }
});

test('real answers are as it says, good ones and errors', async () => {
  const { store } = http;
  const { id } = store.updates.insert(
    aNewUpdate({
      status: 'failed',
      error: { code: 'unhealthy', message: 'it did not answer' },
      approval: { status: 'waiting', expiresAt: '2026-01-05T03:00:00.000Z', decidedAt: null },
    }),
  );
  const backup = store.backups.insert({ project: 'web', container: null, reason: 'update', updateId: id });
  store.updates.change(id, { backupId: backup.id });
  store.updates.beginStep(id, 'pull');
  store.updates.insert(aNewUpdate({ container: null, policy: null, from: null, status: 'ignored' }));
  store.certificates.replace([aSeen(), aSeen({ server: null, served: null, problem: 'no answer' })]);
  const { before, after, error, ...ended } = aRenewal();
  store.renewals.change(store.renewals.insert(ended).id, { before, after, error, status: 'failed' });

  const agent = supertest(http.url);
  const { body: notification } = diunRequest('update-index');
  const api = (request: supertest.Test): supertest.Test => request.set(asOperator);
  expectDocumented('get', '/health', await agent.get('/health'));
  expectDocumented('get', '/updates', await api(agent.get('/updates')));
  expectDocumented('get', '/updates', await api(agent.get('/updates?limit=0')));
  expectDocumented('get', '/updates', await agent.get('/updates'));
  expectDocumented('get', '/updates/{id}', await api(agent.get(`/updates/${id}`)));
  expectDocumented('get', '/updates/{id}', await api(agent.get('/updates/nothing')));
  const again = '/updates/{id}/rehearsal';
  expectDocumented('post', again, await api(agent.post(`/updates/${id}/rehearsal`)));
  expectDocumented('post', again, await api(agent.post('/updates/nothing/rehearsal')));
  expectDocumented('get', '/updates/{id}/events', await api(agent.get('/updates/nothing/events')));
  const link = '/approvals/{token}';
  expectDocumented('get', link, await agent.get('/approvals/x').set('Accept', 'application/json'));
  expectDocumented('get', `${link}/events`, await agent.get('/approvals/x/events'));
  expectDocumented('post', '/updates', await api(agent.post('/updates').send({ container: 'a' })));
  expectDocumented('post', '/updates', await api(agent.post('/updates').send({})));
  expectDocumented('get', '/backups', await api(agent.get('/backups')));
  expectDocumented('post', '/backups', await api(agent.post('/backups')));
  expectDocumented('post', '/renewals', await api(agent.post('/renewals')));
  expectDocumented('get', '/renewals', await api(agent.get('/renewals')));
  expectDocumented('get', '/renewals', await api(agent.get('/renewals?limit=0')));
  const button = '/actions/approve';
  expectDocumented(
    'post',
    button,
    await agent
      .post(button)
      .set('Accept', 'application/json')
      .set(asPerson)
      .type('form')
      .send({ id: 'x', form: 'old' }),
  );
  expectDocumented(
    'post',
    button,
    await agent.post(button).set('Accept', 'application/json').set(asPerson).send({ id: 'x' }),
  );
  expectDocumented(
    'post',
    button,
    await agent.post(button).set('Accept', 'application/json').type('form').send({ id: 'x' }),
  );
  expectDocumented('post', '/webhooks/diun', await agent.post('/webhooks/diun').set(asDiun).send(notification));
  expectDocumented('post', '/webhooks/diun', await agent.post('/webhooks/diun').set(asDiun).send('{}'));
  expectDocumented('post', '/webhooks/diun', await agent.post('/webhooks/diun').send(notification));
});

test('the check itself notices a field that is not documented', () => {
  const response = { status: 202, body: { webhook: 'id', duplicate: false, extra: 1 } } as supertest.Response;
  expect(() => expectDocumented('post', '/webhooks/diun', response)).toThrow();
});
