import supertest from 'supertest';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { fieldsOf } from '../support/page-form';
import { CONTAINERS, GITEA, offered } from '../support/pages-stage';

let http: RunningHttp;
afterEach(() => http.stop());

const start = async (trustedProxies: string[]) =>
  void (http = await startHttp({ trustedProxies, containers: () => Promise.resolve(CONTAINERS) }));

const page = (name?: string) => ask('GET', '/', name);

/** `fetch` sends the bytes of a header as they are; UTF-8 as proxies send it. */
function ask(method: string, path: string, name?: string, form?: Record<string, string>): Promise<Response> {
  const person: Record<string, string> =
    name === undefined ? {} : { 'Remote-User': Buffer.from(name, 'utf8').toString('latin1') };
  const headers = { ...asPerson, Accept: 'text/html', ...person };
  const body = form === undefined ? {} : { body: new URLSearchParams(form) };
  return fetch(`${http.url}${path}`, { method, headers, redirect: 'manual', ...body });
}

async function decideAs(name: string | undefined): Promise<string | null | undefined> {
  const waiting = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
  const form = fieldsOf(await (await page(name)).text(), 'decline', waiting.id);
  expect((await ask('POST', '/actions/decline', name, form)).status).toBe(303);
  return http.store.updates.get(waiting.id)?.approval?.decidedBy;
}

test('a trusted proxy names who decides, in the update and in the audit trail', async () => {
  await start(['127.0.0.1']);
  expect(await decideAs('Zoë')).toBe('page:Zoë');
  const { entries } = http.store.audit.list({ limit: 1 });
  expect(entries[0]).toMatchObject({ actor: 'page:Zoë' });
});

test('without the header, or with an empty one, the page decides as before', async () => {
  await start(['127.0.0.1']);
  expect(await decideAs(undefined)).toBe('page');
  expect(await decideAs('  ')).toBe('page');
});

test('what only deceives is removed from the name, and a long one is cut', async () => {
  await start(['127.0.0.1']);
  expect(await decideAs(`a\u202edmin ${'x'.repeat(300)}`)).toBe(`page:admin ${'x'.repeat(94)}`);
});

test.each([[[]], [['10.9.9.9']]])('from anywhere else the header is refused: proxies %j', async (proxies) => {
  await start(proxies);
  const answer = await page('root');
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('PILOT_TRUSTED_PROXY')]);
  expect((await ask('POST', '/actions/renew', 'root', {})).status).toBe(403);
  expect(http.store.renewals.list(1)).toEqual([]);
});

test('the header alone opens nothing: the password is still needed', async () => {
  await start(['127.0.0.1']);
  await supertest(http.url).get('/').set({ Accept: 'text/html', 'Remote-User': 'root' }).expect(401);
});

test.each([
  ['GET', '/updates'],
  ['POST', '/updates'],
  ['GET', '/updates/u1'],
  ['GET', '/updates/u1/events'],
  ['POST', '/updates/u1/rehearsal'],
  ['GET', '/backups'],
  ['POST', '/backups'],
  ['POST', '/renewals'],
  ['GET', '/audit'],
  ['GET', '/approvals/token'],
  ['POST', '/approvals/token'],
])('a stranger who names a person is refused by %s %s', async (method, path) => {
  await start([]);
  const answer = await ask(method, path, 'root', method === 'POST' ? {} : undefined);
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('PILOT_TRUSTED_PROXY')]);
  const { body } = await supertest(http.url).get('/openapi.json');
  const template = path.replace('u1', '{id}').replace(/token$/, '{token}');
  expect(body.paths[template][method.toLowerCase()].responses).toHaveProperty('403');
});

test.each(['/health', '/metrics', '/openapi.json'])('what only looks ignores the header: %s', async (path) => {
  await start([]);
  expect((await ask('GET', path, 'root')).status).not.toBe(403);
});
