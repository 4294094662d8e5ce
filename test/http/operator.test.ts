import supertest from 'supertest';
import { PilotError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { aContainer, digest } from '../support/container-builder';
import { API_TOKEN, asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { fieldsOf } from '../support/page-form';
import { aBackup, aBrokenOne, CONTAINERS, fillHost, GITEA, offered } from '../support/pages-stage';
import { aNewUpdate } from '../support/update-builder';
import type { HealthReport } from '../../src/diagnosis/health-report';

let http: RunningHttp;
let asked: { container: string; image?: string }[];
let backedUp: { project?: string }[];
let answer: () => Promise<Update>;
beforeEach(async () => {
  answer = () => Promise.reject(new PilotError('update_running', 'An update of it runs already.'));
  asked = [];
  backedUp = [];
  http = await startHttp({
    containers: () => Promise.resolve(CONTAINERS),
    timers: () => [{ name: 'backup', nextAt: '2030-01-05T02:00:00.000Z', last: null }],
    requestUpdate: (request) => {
      asked.push(request);
      return answer();
    },
    requestBackups: (request) => {
      backedUp.push(request);
      return Promise.resolve([]);
    },
  });
});
afterEach(() => http.stop());

const open = (path = '/') => supertest(http.url).get(path).set(asPerson).set('Accept', 'text/html');

const press = (action: string, fields: Record<string, string>) =>
  supertest(http.url).post(`/actions/${action}`).set(asPerson).set('Accept', 'text/html').type('form').send(fields);

test('another diun-pilot on the engine is told of first of all, with what to do', async () => {
  await http.stop();
  const other = aContainer({
    name: 'theirs',
    labels: { 'diun.enable': 'false' },
    pilot: { serves: true, data: null, mounts: [] },
  });
  http = await startHttp({ containers: () => Promise.resolve([...CONTAINERS, other]) });
  const { text } = await open().expect(200);
  expect(text).toMatch(/Another diun-pilot runs in the container <strong>theirs<\/strong>.*stop the other/);
});

test('a container that is not watched is shown with the labels to add, and the reasons', async () => {
  await http.stop();
  const off = aContainer({ name: 'shop', reference: 'nginx:1.27', read: { watched: false } });
  http = await startHttp({ containers: () => Promise.resolve([...CONTAINERS, off]) });
  const { text } = await open().expect(200);
  expect(text).toContain('<h2 id="not-watched">Not watched</h2>');
  expect(text).toContain(
    "<pre>labels:\n  diun.enable: 'true'\n  update.policy: 'automatic'\n  update.probe: 'nginx'</pre>",
  );
  expect(text).toMatch(/update.policy: nginx without data/);
});

describe('who gets in', () => {
  test('a browser is asked for the password, and nothing is shown before', async () => {
    fillHost(http.store);
    const { headers, text } = await supertest(http.url).get('/').set('Accept', 'text/html').expect(401);
    expect(headers['www-authenticate']).toBe('Basic realm="diun-pilot", charset="UTF-8"');
    expect(text).not.toContain(GITEA.name);
  });

  test.each(['', 'wrong', `${API_TOKEN}x`, API_TOKEN.slice(1)])('the password %j opens nothing', async (password) => {
    const Authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    await supertest(http.url).get('/').set({ Authorization }).expect(401);
    await supertest(http.url).get('/updates').set({ Authorization }).expect(401);
    await supertest(http.url).post('/actions/backup').set({ Authorization }).expect(401);
  });

  test('any user name will do, and the bearer as well', async () => {
    await open().expect(200);
    await supertest(http.url).get('/').set(asOperator).expect(200);
    await supertest(http.url).get('/updates').set(asPerson).expect(200);
  });

  test('a program without a token is told the bearer', async () => {
    const { headers, body } = await supertest(http.url).get('/updates').expect(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="diun-pilot"');
    expect(body.error.code).toBe('unauthorized');
  });

  test('what a browser sends by itself for another site is refused, also by the API', async () => {
    const post = (headers: Record<string, string>) => supertest(http.url).post('/backups').set(headers);
    await post({ ...asPerson, 'Sec-Fetch-Site': 'cross-site' }).expect(403);
    await post({ ...asPerson, Origin: 'https://evil.example' }).expect(403);
    await post({ ...asPerson, Origin: 'null' }).expect(403);
    expect(backedUp).toEqual([]);
    await post(asPerson).expect(202);
  });
});

describe('what it shows', () => {
  test('everything about this host', async () => {
    fillHost(http.store);
    const { text, headers } = await open().expect(200);
    for (const { name, reference } of CONTAINERS) {
      expect(text).toContain(name);
      expect(text).toContain(reference);
    }
    for (const words of [
      'did you mean update.allow?', // the label that is misspelt
      'Label diun.enable</strong> (yes)', // by which nobody watches it
      'not watched',
      'Pending approvals',
      '412.7 MiB',
      'The bucket backups does not answer',
      'Restored: database gitea of git-db-1 (112 tables, 48210 rows)',
      'it failed here',
      'Last notification from Diun',
      '&quot;diun_version&quot;: &quot;4.33.0&quot;',
      '550 5.7.1 Sender address rejected',
      '2030-01-05 02:00:00 UTC',
    ]) {
      expect(text).toContain(words);
    }
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';style-src/);
    expect(text).not.toContain('<script');
  });

  test('a kept container, with the time of its removal and the commands for it', async () => {
    const reason = 'It holds 1 file. Copy one out: docker cp web.diun-pilot-kept-0123456789:/data/app.db .';
    http.store.keptContainers.add({
      ...{ containerId: 'c1', container: 'web', name: 'web.diun-pilot-kept-0123456789', updateId: 'u1' },
      ...{ reason, leftover: false, keepUntil: '2026-11-23T03:00:00.000Z' },
    });
    const { text } = await open().expect(200);
    const section = /<section aria-labelledby="kept">[\s\S]*?<\/section>/.exec(text)?.[0] ?? '';
    expect(section).toContain('2026-11-23 ');
    expect(section).toContain('docker cp web.diun-pilot-kept-0123456789:/data/app.db .');
  });

  test('containers that lost their network: who needs a person, and what was mended', async () => {
    http.store.notices.open('network_lost', 'web-nginx-1', 'Its owner is gone.');
    http.store.incidents.add({ container: 'web-proxy-1', words: 'web-edge-1 was started again.' });
    const { text } = await open().expect(200);
    for (const words of [
      'Lost networks',
      'Action required',
      'Its owner is gone.',
      'Repaired',
      'web-edge-1 was started again.',
    ]) {
      expect(text).toContain(words);
    }
  });

  test('a disk that is nearly full is a problem of Docker, in the first lines and in /health', async () => {
    http.store.notices.open(
      'disk_nearly_full',
      'engine',
      'the disk is nearly full: make room with `docker image prune -a`',
    );
    const { text } = await open().expect(200);
    expect(text).toContain('the disk is nearly full: make room with <code>docker image prune -a</code>');
    expect(text).toMatch(/<h1>[^<]*problems? needs? attention/);
    const { body } = await supertest(http.url).get('/health').expect(200);
    expect(body).toMatchObject({ status: 'degraded', checks: { docker: { status: 'degraded' }, backups: {} } });
    expect((body as HealthReport).checks.docker.reason).toContain('the disk is nearly full');
  });

  test('nothing at all, on a new host', async () => {
    const empty = await startHttp();
    try {
      const { text } = await supertest(empty.url).get('/').set(asPerson).expect(200);
      expect(text).toContain('No pending approvals.');
      expect(text).toContain('No notification from Diun yet');
      expect(text).not.toContain('Next runs');
      expect(text).not.toContain('Lost networks');
    } finally {
      await empty.stop();
    }
  });

  test.each([
    ['refuses', () => Promise.reject(new PilotError('engine_unreachable', 'No engine.'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('the rest of it, when the engine %s', async (_how, containers) => {
    const down = await startHttp({
      containers,
      health: {
        pingEngine: containers,
        scheduler: () => ({ status: 'ok' }),
      },
    });
    try {
      fillHost(down.store);
      const { text } = await supertest(down.url).get('/').set(asPerson).expect(200);
      expect(text).toContain('The Docker Engine does not answer');
      expect(text).toContain('git-gitea-1');
    } finally {
      await down.stop();
    }
  });

  test('the history as it is filtered, page by page', async () => {
    const { back } = fillHost(http.store);
    const historyOf = (page: string): string => page.slice(page.indexOf('id="history"'), page.indexOf('id="backups"'));
    const filtered = historyOf((await open('/?status=rolled_back&container=').expect(200)).text);
    expect(filtered).toContain(back.id);
    expect(filtered.match(/href="updates\//g)).toHaveLength(1);
    expect(historyOf((await open('/?container=nobody')).text)).toContain('No matching updates.');
    for (let n = 0; n < 30; n++) offered(http.store, GITEA, 'gitea/gitea:1.24.6');
    const [first = '', ...others] = await pagesOf('/?container=git-gitea-1');
    expect(first).not.toContain('The newest updates');
    for (const page of others) expect(page).toContain('href="?status=&amp;container=git-gitea-1#history">The newest');
    const shown = [first, ...others].map((page) => historyOf(page).match(/href="updates\//g)?.length);
    expect(shown).toEqual([10, 10, 10, 2]);
    expect(others.at(-1)).toContain('class="badge good">Succeeded');
    await open('/?status=gone').expect(400);
    await open('/?cursor=1%27--').expect(400);
  });

  async function pagesOf(path: string): Promise<string[]> {
    const { text } = await open(path).expect(200);
    const older = /href="([^"]*cursor=[^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    return older === undefined ? [text] : [text, ...(await pagesOf(`/${older}`))];
  }

  test('first of all a container that an update left down, and never that all is well', async () => {
    aBrokenOne(http.store, 'rollback_failed');
    const { text } = await open();
    const attention = text.slice(text.indexOf('id="attention"'), text.indexOf('id="waiting"'));
    expect(attention).toMatch(/web-nginx-1[\s\S]*Neither the new nor the old version[\s\S]*What to do/);
    expect(text).not.toContain('All checks passed');
  });

  test('such a container also after an event that was ignored or declined, until it is repaired', async () => {
    const { updates, restores } = http.store;
    const broken = aBrokenOne(http.store, 'rollback_failed');
    const headline = async (): Promise<string> => /<h1>([^<]*)/.exec((await open()).text)?.[1] ?? '';
    for (const status of ['ignored', 'declined', 'awaiting_approval', 'failed'] as const) {
      const { id } = updates.insert(aNewUpdate({ container: broken.container, status }));
      const { text } = await open();
      const attention = text.slice(text.indexOf('id="attention"'), text.indexOf('id="waiting"'));
      expect([status, attention]).toEqual([status, expect.stringContaining('web-nginx-1')]);
      expect(await headline()).not.toContain('All well');
      updates.change(id, { status: 'superseded' });
    }
    const set = { backupId: 'x', folder: 'web/set', url: 'file:///set', target: null, trustedManifest: null };
    const { id } = restores.insert({ ...set, updateId: broken.id });
    expect(await headline()).not.toContain('All well');
    restores.change(id, { status: 'succeeded' });
    expect(await headline()).toContain('All well');
  });

  test('of a long list its first rows, the newest backup of each set among them; the others are folded away', async () => {
    for (let n = 0; n < 6; n++) for (const set of ['git', 'web']) aBackup(http.store, set, 'succeeded');
    const { text } = await open();
    const backups = text.slice(text.indexOf('id="backups"'), text.indexOf('id="certificates"'));
    const [inSight = '', folded = ''] = backups.split('10 older backups');
    expect(inSight.match(/<tr role="row"><td/g)).toHaveLength(2);
    expect(folded.match(/<tr role="row"><td/g)).toHaveLength(10);
  });

  test('says only words of its own about what a button did', async () => {
    expect((await open('/?problem=not_waiting')).text).toContain('The update is not pending');
    const { text } = await open('/?done=You+were+hacked&problem=__proto__');
    expect(text).not.toMatch(/hacked|__proto__/);
  });
});

describe('its buttons', () => {
  test('approve for the window, for data with the name typed as well', async () => {
    const { waiting } = fillHost(http.store);
    const plan = http.store.updates.plan(waiting.id);
    if (plan !== null) http.store.updates.savePlan(waiting.id, { ...plan, window: 'Sat,Sun 02:00-05:00' });
    const { text } = await open();
    const fields = fieldsOf(text, 'window', waiting.id);
    expect((await press('window', fields).expect(303)).headers.location).toBe('../?problem=name_needed');
    const approved = await press('window', { ...fields, name: GITEA.name }).expect(303);
    expect(approved.headers.location).toBe('../?done=window');
  });

  test('approve, for data with the name typed', async () => {
    const { waiting } = fillHost(http.store);
    const fields = fieldsOf((await open()).text, 'approve', waiting.id);
    expect((await press('approve', fields).expect(303)).headers.location).toBe('../?problem=name_needed');
    expect(http.store.updates.get(waiting.id)?.status).toBe('awaiting_approval');
    const approved = await press('approve', { ...fields, name: GITEA.name }).expect(303);
    expect(approved.headers.location).toBe('../?done=approve');
    expect(http.store.updates.get(waiting.id)?.status).toBe('queued');
    const again = await press('approve', { ...fields, name: GITEA.name }).expect(303);
    expect(again.headers.location).toBe('../?problem=not_waiting');
  });

  test('decline', async () => {
    const { waiting } = fillHost(http.store);
    const { headers } = await press('decline', fieldsOf((await open()).text, 'decline', waiting.id)).expect(303);
    expect(headers.location).toBe('../?done=decline');
    expect(http.store.updates.get(waiting.id)?.status).toBe('declined');
  });

  test('back up everything, or one project', async () => {
    const { text } = await open();
    await press('backup', fieldsOf(text, 'backup')).expect(303);
    await press('backup', fieldsOf(text, 'backup', 'git')).expect(303);
    expect(backedUp).toEqual([{}, { project: 'git' }]);
  });

  test('try the very digest again that is in quarantine; what refuses it is told by its code', async () => {
    const { back } = fillHost(http.store);
    const { headers } = await press('retry', fieldsOf((await open()).text, 'retry', back.id)).expect(303);
    expect(asked).toEqual([{ container: 'web-nginx-1', image: `nginx:1.28@${digest('9')}` }]);
    expect(headers.location).toBe('../?problem=update_running');
  });

  test.each([
    ['queued', 'retry', /is retried/],
    ['awaiting_approval', 'asks', /waits for approval/],
    ['ignored', 'ignored', /nothing to do/],
  ] as const)('say that what was to be tried again is %s', async (status, code, words) => {
    const { back } = fillHost(http.store);
    const fields = fieldsOf((await open()).text, 'retry', back.id);
    answer = () => Promise.resolve({ ...back, status });
    const { headers } = await press('retry', fields).expect(303);
    expect(headers.location).toBe(`../?done=${code}`);
    expect((await open(`/?done=${code}`)).text).toMatch(words);
  });

  test.each([
    ['no form token', (fields: Record<string, string>) => ({ id: fields.id ?? '' })],
    ['a token of another button', (fields: Record<string, string>) => ({ ...fields, form: 'x'.repeat(43) })],
    ['a token for another one', (fields: Record<string, string>) => ({ ...fields, id: 'another' })],
  ])('do nothing with %s', async (_what, change) => {
    const { waiting } = fillHost(http.store);
    const fields = fieldsOf((await open()).text, 'decline', waiting.id);
    expect((await press('decline', change(fields)).expect(403)).text).toContain('too old');
    expect(http.store.updates.get(waiting.id)?.status).toBe('awaiting_approval');
  });

  test('do nothing for another site, even with a token', async () => {
    const fields = fieldsOf((await open()).text, 'backup');
    await press('backup', fields).set('Sec-Fetch-Site', 'cross-site').expect(403);
    await press('backup', fields).set('Origin', 'https://evil.example').expect(403);
    await press('backup', fields).set('Authorization', '').expect(401);
    expect(backedUp).toEqual([]);
  });
});
