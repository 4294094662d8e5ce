import request from 'supertest';
import { soakUrl } from '../../src/decisions/recovery-links';
import type { Soak } from '../../src/domain/soak/soak';
import { Secret } from '../../src/lib/secret';
import { APPROVAL_SECRETS, API_TOKEN, startHttp, type RunningHttp } from '../support/http-app';

let http: RunningHttp;
let path: string;
let id: string;
const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

beforeEach(async () => {
  http = await startHttp();
  const { store } = http;
  const update = store.updates.insert({
    ...{ container: 'git-gitea-1', project: 'git', service: 'gitea', policy: 'manual', status: 'succeeded' },
    ...{ reason: 'It is healthy.', source: 'diun', from: { reference: 'gitea:1', digest: `sha256:${'a'.repeat(64)}` } },
    ...{ to: { reference: 'gitea:1', digest: `sha256:${'b'.repeat(64)}` }, approval: null, followUp: null },
  });
  id = update.id;
  const backup = store.backups.insert({ project: 'git', container: null, reason: 'update', updateId: id });
  const item = {
    container: 'git-db-1',
    image: { reference: 'postgres:16', imageId: 'sha256:1' },
    kind: 'database' as const,
  };
  store.backups.change(backup.id, {
    ...{ status: 'succeeded', startedAt: at(-3), url: 'file:///b', bytes: 10 },
    items: [{ ...item, name: 'gitea', key: 'k', bytes: 10, sha256: 'c', compression: 'none', verified: 'yes' }],
  });
  store.updates.change(id, { backupId: backup.id, finishedAt: at(-1) });
  store.soaks.begin({
    ...{ updateId: id, container: 'git-gitea-1', containerId: 'new', oldContainerId: 'old', until: at(1) },
    ...{ restarts: 0, holdsData: true },
  });
  http.store.keptContainers.add({
    ...{ containerId: 'old', container: 'git-gitea-1', name: 'git-gitea-1.diun-pilot-old-0123456789', updateId: id },
    ...{ reason: 'For the soak.', leftover: false, keepUntil: at(72) },
  });
});
afterEach(() => http.stop());

function fails(fields: Partial<Soak> = {}): void {
  const failure =
    'git-gitea-1 failed 59 min 0 s after its update, during its soak: it restarted once.\nThe last lines of its log:\npanic <b>';
  const soak = http.store.soaks.change(id, {
    ...{
      status: 'deciding',
      failure,
      failedAt: at(0),
      schema: 'changed',
      schemaDetail: 'The new version changed the schema.',
    },
    ...{ decideUntil: at(72), ...fields },
  });
  path = new URL(soakUrl({ publicUrl: 'http://localhost', approvalSecrets: APPROVAL_SECRETS }, soak)).pathname;
}
const get = () => request(http.url).get(path).set('Accept', 'text/html');
const post = (form: Record<string, string>) =>
  request(http.url).post(path).set('Accept', 'text/html').type('form').send(form);
const status = () => http.store.soaks.of(id)?.status;

test('the page offers the backup and says how much time of data that loses; opening it changes nothing', async () => {
  fails();
  const { text } = await get().expect(200);
  expect(text).toContain('Run the old version of git-gitea-1 again?');
  expect(text).toMatch(/The data of the last 3.h 0.min/);
  expect(text).toContain('panic &lt;b>');
  expect(text).not.toContain('value="current"');
  await request(http.url).head(path).expect(200);
  expect(status()).toBe('deciding');
});

test('the backup needs the name of the container, and then the address shows the live page', async () => {
  fails();
  await post({ decision: 'approve', data: 'backup' }).expect(422);
  expect(status()).toBe('deciding');
  await post({ decision: 'approve', data: 'backup', name: 'git-gitea-1' }).expect(303).expect('Location', `..${path}`);
  expect(http.store.soaks.of(id)).toMatchObject({ status: 'chosen', choice: 'backup' });
  expect((await get().expect(200)).text).toContain('Update of git-gitea-1');
});

test.each(['approve', 'decline'])(
  'a second press after the choice (%s) shows what came of the first',
  async (decision) => {
    fails();
    await post({ decision: 'approve', data: 'backup', name: 'git-gitea-1' }).expect(303);
    const { text } = await post({ decision, data: 'backup', name: 'git-gitea-1' }).expect(410);
    expect(text).toContain('Update of git-gitea-1');
    expect(text).not.toMatch(/has expired|This link changed nothing/);
    expect(http.store.soaks.of(id)).toMatchObject({ status: 'chosen', choice: 'backup' });
  },
);

test('the current data needs no name, since nothing is written over it', async () => {
  fails({ schema: 'unchanged' });
  expect((await get().expect(200)).text).not.toContain('id="name"');
  await post({ decision: 'approve' }).expect(303);
  expect(http.store.soaks.of(id)).toMatchObject({ choice: 'current' });
});

test.each(['unchanged', 'unknown'] as const)(
  'a backup that is no longer offered is not replaced by the current data (schema %s)',
  async (schema) => {
    fails({ schema });
    const { backupId } = http.store.updates.get(id) as { backupId: string };
    http.store.backups.prune(backupId, 'retention');
    const { text } = await post({ decision: 'approve', data: 'backup', name: 'git-gitea-1' }).expect(409);
    expect(text).toContain('The data that you chose is no longer offered');
    expect(text).toContain('value="current"');
    expect(http.store.soaks.of(id)).toMatchObject({ status: 'deciding', choice: null });
  },
);

test('where the schema is not known, both are offered, the backup first', async () => {
  fails({ schema: 'unknown' });
  const { text } = await get().expect(200);
  expect(text.indexOf('value="backup"')).toBeLessThan(text.indexOf('value="current"'));
  await post({ decision: 'approve', data: 'current' }).expect(303);
  expect(http.store.soaks.of(id)).toMatchObject({ choice: 'current' });
});

test.each([
  ['changed', true],
  ['unknown', false],
] as const)('with a schema that is %s, the browser requires the name: %s', async (schema, required) => {
  fails({ schema });
  const field = /<input[^>]*id="name"[^>]*>/.exec((await get().expect(200)).text)?.[0] ?? '';
  expect(/\srequired\b/.test(field)).toBe(required);
});

test('to leave it as it is decides nothing, and the link stays', async () => {
  fails();
  expect((await post({ decision: 'decline' }).expect(200)).text).toMatch(/<h1[^>]*>Nothing was changed</);
  await get().expect(200);
  await post({ decision: 'perhaps' }).expect(400);
  expect(status()).toBe('deciding');
});

test('an expired link says so, and one with another signature is not found', async () => {
  fails({ decideUntil: at(-1) });
  await get().expect(410);
  const late = await post({ decision: 'approve', data: 'backup', name: 'git-gitea-1' }).expect(410);
  expect(late.text).toContain('The link to run the old version of git-gitea-1 again has expired');
  const soak = http.store.soaks.of(id) as Soak;
  path = new URL(soakUrl({ publicUrl: 'http://localhost', approvalSecrets: [new Secret('another-secret')] }, soak))
    .pathname;
  await get().expect(404);
});

test('without the old container nothing is offered, and the page says why', async () => {
  fails();
  http.store.keptContainers.remove('old');
  const { text } = await get().expect(200);
  expect(text).toContain('The old container was removed externally, so the old version cannot be offered.');
  expect(text).toContain('<h1>git-gitea-1 failed during its soak</h1>');
  expect(text).toMatch(/Manual action required[^]*docker logs --tail 100 git-gitea-1[^]*Before the update/);
  expect(text).not.toMatch(/<button|the old container is then removed|Decision required/);
  await post({ decision: 'approve', data: 'backup', name: 'git-gitea-1' }).expect(409);
  expect(status()).toBe('deciding');
});

test('the API shows the soak with the time at which the old container is removed', async () => {
  const keepUntil = at(1);
  http.store.keptContainers.add({
    ...{ containerId: 'old', container: 'git-gitea-1', name: 'git-gitea-1.diun-pilot-old-0123456789', updateId: id },
    ...{ reason: 'For the soak.', leftover: false, keepUntil },
  });
  const { body } = await request(http.url)
    .get(`/updates/${id}`)
    .set('Authorization', `Bearer ${API_TOKEN}`)
    .expect(200);
  expect(body.soak).toMatchObject({ status: 'watching', keptUntil: keepUntil, failure: null });
});
