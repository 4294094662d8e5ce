import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import supertest from 'supertest';
import { PROBLEM_KINDS } from '../../src/diagnosis/problem';
import { diunRequest } from '../support/diun-requests';
import { aCertificate, aSeen } from '../support/certificate-builder';
import { asDiun, asOperator, startHttp, type RunningHttp } from '../support/http-app';
import { aNewUpdate } from '../support/update-builder';

let http: RunningHttp;
beforeEach(async () => {
  http = await startHttp();
});
afterEach(() => http.stop());

async function metrics(): Promise<string> {
  const response = await supertest(http.url).get('/metrics').set(asOperator).expect(200);
  expect(response.headers['content-type']).toMatch(/^text\/plain/);
  return response.text;
}

test('updates are counted by status, those without any too', async () => {
  http.store.updates.insert(aNewUpdate({ status: 'failed' }));
  http.store.updates.insert(aNewUpdate({ status: 'failed' }));
  const text = await metrics();
  expect(text).toContain('diun_pilot_updates{status="failed"} 2');
  expect(text).toContain('diun_pilot_updates{status="rollback_failed"} 0');
});

test('rehearsals are counted by how they ended', async () => {
  const { id } = http.store.rehearsals.insert({ updateId: 'u', digest: null, mail: null });
  http.store.rehearsals.insert({ updateId: 'u', digest: null, mail: null });
  http.store.rehearsals.end(id, { status: 'passed', seconds: 4, detail: '' });
  const text = await metrics();
  expect(text).toContain('diun_pilot_rehearsals{status="passed"} 1');
  expect(text).toContain('diun_pilot_rehearsals{status="failed"} 0');
});

test('what came of reading release notes is counted since the start', async () => {
  expect(await metrics()).toContain('diun_pilot_release_notes_fetches_total{outcome="failed"} 0');
  await http.stop();
  http = await startHttp({ notesFetches: () => ({ ok: 3, failed: 1 }) });
  for (let times = 0; times < 2; times++) {
    const text = await metrics();
    expect(text).toContain('diun_pilot_release_notes_fetches_total{outcome="ok"} 3');
    expect(text).toContain('diun_pilot_release_notes_fetches_total{outcome="failed"} 1');
  }
});

test('webhooks are counted by outcome', async () => {
  const post = (body: string, headers: { Authorization: string } = asDiun) =>
    supertest(http.url).post('/webhooks/diun').set(headers).send(body);
  const { body } = diunRequest('update-index');
  await post(body).expect(202);
  await post(body).expect(202);
  await post('{}').expect(400);
  await post(body, { Authorization: 'wrong' }).expect(401);
  await supertest(http.url).get('/webhooks/diun').expect(405);
  await post(`"${'x'.repeat(66_000)}"`).expect(413);
  const text = await metrics();
  for (const outcome of ['accepted', 'duplicate', 'rejected', 'unauthorized', 'method_not_allowed', 'too_large']) {
    expect(text).toContain(`diun_pilot_webhooks_total{outcome="${outcome}"} 1`);
  }
});

test('mails that wait or were refused are told', async () => {
  const mail = { kind: 'test', updateId: null, subject: 's', html: 'h', text: 't' };
  http.store.outbox.add(mail);
  http.store.outbox.refused(http.store.outbox.add(mail), 'no');
  const text = await metrics();
  expect(text).toContain('diun_pilot_outbox_pending 1');
  expect(text).toContain('diun_pilot_outbox_refused 1');
});

test('the newest good backup of each project has its time', async () => {
  for (const [project, finishedAt] of [
    ['web', '2026-01-01T00:00:00.000Z'],
    ['web', '2026-01-02T00:00:00.000Z'],
    ['git', '2026-01-03T00:00:00.000Z'],
  ] as const) {
    const { id } = http.store.backups.insert({ project, container: null, reason: 'schedule', updateId: null });
    http.store.backups.change(id, { status: 'succeeded', finishedAt });
  }
  const text = await metrics();
  const name = 'diun_pilot_last_successful_backup_timestamp_seconds';
  expect(text).toContain(`${name}{project="web"} ${Date.parse('2026-01-02T00:00:00Z') / 1000}`);
  expect(text).toContain(`${name}{project="git"} ${Date.parse('2026-01-03T00:00:00Z') / 1000}`);
});

test('the last restore drill of each project has its verdict and time; one that was skipped says nothing', async () => {
  const drilled = (project: string, status: 'passed' | 'failed' | 'skipped', at: string): void => {
    const { id } = http.store.backups.insert({ project, container: null, reason: 'schedule', updateId: null });
    http.store.backups.endDrill(id, { status, at, words: 'as told' });
  };
  drilled('web', 'failed', '2026-01-08T05:00:00.000Z');
  drilled('web', 'passed', '2026-01-01T05:00:00.000Z');
  drilled('web', 'skipped', '2026-01-15T05:00:00.000Z');
  drilled('git', 'passed', '2026-01-08T05:00:00.000Z');
  drilled('old', 'skipped', '2026-01-08T05:00:00.000Z');
  const text = await metrics();
  const seconds = Date.parse('2026-01-08T05:00:00Z') / 1000;
  expect(
    text
      .split('\n')
      .filter((line) => line.startsWith('diun_pilot_backup_drill'))
      .sort(),
  ).toEqual([
    'diun_pilot_backup_drill_success{project="git"} 1',
    'diun_pilot_backup_drill_success{project="web"} 0',
    `diun_pilot_backup_drill_timestamp_seconds{project="git"} ${seconds}`,
    `diun_pilot_backup_drill_timestamp_seconds{project="web"} ${seconds}`,
  ]);
});

test('each certificate has its days left, on disk and as served; of two of one name the one that ends first', async () => {
  const now = new Date();
  const disk = aCertificate({ left: 60.5, now });
  const served = aCertificate({ left: 20.5, now });
  http.store.certificates.replace([
    aSeen({ disk, served }),
    aSeen({ disk: aCertificate({ left: 9.5, now }), served: null }),
  ]);
  const text = await metrics();
  expect(text).toContain('diun_pilot_certificate_days_left{name="git.example.org",where="served"} 20');
  expect(text).toContain('diun_pilot_certificate_days_left{name="git.example.org",where="disk"} 9');
  http.store.certificates.replace([]);
  expect(await metrics()).not.toContain('diun_pilot_certificate_days_left{');
});

test('problems of /health are counted by kind, those without any too', async () => {
  http.store.notices.open('disk_nearly_full', 'engine', 'nearly full');
  for (const project of ['web', 'git']) http.store.notices.open('drill_failed', project, 'failed');
  const text = await metrics();
  expect(text).toContain('diun_pilot_problems{kind="disk_nearly_full"} 1');
  expect(text).toContain('diun_pilot_problems{kind="drill_failed"} 2');
  expect(text).toContain('diun_pilot_problems{kind="network_lost"} 0');
  const kinds = [...text.matchAll(/^diun_pilot_problems\{kind="(\w+)"\}/gm)].map(([, kind]) => kind);
  expect(kinds).toEqual([...PROBLEM_KINDS]);
  http.store.notices.close('disk_nearly_full', 'engine');
  const id = http.store.outbox.add({ kind: 'test', updateId: null, subject: 's', html: 'h', text: 't' });
  http.store.outbox.refused(id, '550');
  expect(await metrics()).toContain('diun_pilot_problems{kind="mail_refused"} 1');
  expect(await metrics()).toContain('diun_pilot_problems{kind="disk_nearly_full"} 0');
});

test('durations go by route template, so that ids and guesses make no series of their own', async () => {
  await supertest(http.url).get('/updates/one').set(asOperator).expect(404);
  await supertest(http.url).get('/updates/two').set(asOperator).expect(404);
  await supertest(http.url).get('/guess').expect(404);
  const text = await metrics();
  const count = 'diun_pilot_http_request_duration_seconds_count';
  expect(text).toContain(`${count}{method="GET",route="/updates/:id",status="404"} 2`);
  expect(text).toContain(`${count}{method="GET",route="unmatched",status="404"} 1`);
  expect(text).not.toContain('guess');
});

test('the process itself is measured', async () => {
  expect(await metrics()).toMatch(/^process_resident_memory_bytes \d+/m);
});

test.each(['alerts.yml', 'alerts.test.yml', 'grafana.json'])(
  'docs/monitoring/%s names only metrics that exist',
  async (file) => {
    const text = readFileSync(join(__dirname, '../../docs/monitoring', file), 'utf8');
    const types = new Map(
      [...(await metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    );
    const exists = (name: string): boolean =>
      types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
    const used = [...new Set(text.match(/diun_pilot_[a-z_]+/g))];
    expect(used.length).toBeGreaterThan(4);
    expect(used.filter((name) => !exists(name))).toEqual([]);
  },
);

test('every panel of the dashboard has a title and asks for a metric of diun-pilot', () => {
  const dashboard = JSON.parse(readFileSync(join(__dirname, '../../docs/monitoring/grafana.json'), 'utf8')) as {
    panels: { title?: string; targets?: { expr: string }[] }[];
  };
  for (const { title, targets } of dashboard.panels) {
    expect(title).toMatch(/\w/);
    expect(targets?.every(({ expr }) => expr.includes('diun_pilot_'))).toBe(true);
  }
});
