import { whyNoBrowser } from '../lab/browser';
import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import type { Pilot } from '../lab/pilot';
import { openBrowser } from '../support/browser';
import { appOf } from '../support/e2e-app';
import { linkInMail, seeAll } from '../support/e2e-approvals';
import { rehearsed, requestFrom } from '../support/e2e-majors';
import { namesOf, openStage, startedAt } from '../support/e2e-stage';
import { endOf, type UpdateTold } from '../support/e2e-updates';
import { describeIf } from '../support/needs';

// PostgreSQL 15 with real data and an application on it, whose move to 17 is tried on a copy before anyone can approve it.
const stage = openStage();
const name = (tag: string): string => `newmajor/postgres:${tag}`;
let shop: ComposeProject;
let pilot: Pilot;
let db: string;

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, name('15'));
  await lab.registry.publish(lab.images.POSTGRES_17, name('17'));
  const login = { APP_DB_HOST: 'db', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: 'geheim' };
  shop = await stage.project(
    'newmajor',
    {
      db: {
        image: lab.registry.reference(name('15')),
        environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
        volumes: ['rows:/var/lib/postgresql/data'],
        labels: { 'diun.enable': 'true', 'update.probe': 'postgres', 'backup.kind': 'postgres' },
      },
      app: {
        image: lab.images.APP_1,
        environment: login,
        depends_on: ['db'],
        ports: ['127.0.0.1::3000'],
        volumes: ['files:/data'],
        labels: { 'update.probe': 'gitea', 'backup.kind': 'files', 'backup.paths': '/data' },
      },
      // It needs more than its set, so nothing is known of it in isolation.
      cached: {
        image: lab.images.APP_1,
        environment: login,
        depends_on: ['db'],
        labels: {
          'update.probe': `exec:python3 -c "import socket; socket.create_connection(('cache', 6379), 2)"`,
          'update.probe.timeout': '10s',
        },
      },
    },
    { top: { volumes: { rows: {}, files: {} } } },
  );
  const app = appOf(shop);
  await app.ready();
  for (const item of ['erste', 'zweite']) await app.keep(item);
  await sql(
    'CREATE ROLE reader LOGIN PASSWORD $$lesen$$',
    'CREATE SCHEMA more',
    'CREATE SEQUENCE more.numbers START 7',
  );
  await sql(
    'CREATE TABLE more.rows AS SELECT n, n % 7 AS rest FROM generate_series(1, 5000) n',
    'GRANT SELECT ON more.rows TO reader',
  );
  pilot = await stage.pilot();
  db = await shop.containerName('db');
});

async function sql(...statements: string[]): Promise<string> {
  const commands = statements.flatMap((each) => ['-c', each]);
  return shop.compose([
    'exec',
    '-T',
    'db',
    'psql',
    '-XAt',
    '-v',
    'ON_ERROR_STOP=1',
    '-U',
    'app',
    '-d',
    'app',
    ...commands,
  ]);
}

const request = (): Promise<UpdateTold> => requestFrom(pilot, db, stage.lab.registry.reference(name('17')));
const verdict = (id: string): Promise<UpdateTold> => rehearsed(pilot, id);

async function expectUntouched(before: Inspected): Promise<void> {
  const after = await shop.container('db');
  expect([after['Id'], startedAt(after), after['RestartCount']]).toEqual([before['Id'], startedAt(before), 0]);
  expect((await namesOf(stage.lab, shop)).filter((each) => each.includes('diun-pilot'))).toEqual([]);
}

test('a request waits for approval; what the new major lacks is named within seconds, and nothing approves it', async () => {
  const before = await shop.container('db');
  // Nothing of it is in a dump of another image: the files are in the layer of this container.
  const folder = '$(pg_config --sharedir 2>/dev/null || echo /usr/share/postgresql/15)/extension';
  await shop.compose([
    ...['exec', '-T', '-u', 'root', 'db', 'sh', '-c'],
    `printf "default_version = '1'\\n" > ${folder}/only15.control && : > ${folder}/only15--1.sql`,
  ]);
  await sql('CREATE EXTENSION only15', 'ALTER SYSTEM SET vacuum_defer_cleanup_age = 10', 'SELECT pg_reload_conf()');
  const asked = await request();
  expect(asked).toMatchObject({ status: 'awaiting_approval', source: 'operator', approval: { status: 'waiting' } });
  const update = await verdict(String(asked['id']));
  expect(update).toMatchObject({ status: 'awaiting_approval', rehearsal: { status: 'failed' } });
  const { detail } = update['rehearsal'] as { detail: string };
  expect(detail).toContain(`Database app of ${db} uses the extension only15, which`);
  expect(detail).toContain('DROP EXTENSION "only15"');
  expect(detail).toContain('PostgreSQL 17 does not accept the setting vacuum_defer_cleanup_age = 10');
  expect(detail).toContain('unrecognized configuration parameter');
  await expectUntouched(before);
});

test('once that is gone it passes: nothing differs, and the application runs on it', async () => {
  const before = await shop.container('db');
  await sql('DROP EXTENSION only15', 'ALTER SYSTEM RESET vacuum_defer_cleanup_age', 'SELECT pg_reload_conf()');
  const again = await request();
  const update = await verdict(String(again['id']));
  const { status, detail } = update['rehearsal'] as { status: string; detail: string };
  expect({ status, detail }).toMatchObject({ status: 'passed' });
  expect(detail).toMatch(/PostgreSQL 15 to 17, loaded in .*, and nothing differs\. Compared: 2 databases, 2 roles/);
  expect(detail).toMatch(/rows in \d+ tables, \d+ sequences?/);
  expect(detail).toMatch(/-app-1 in its current version became healthy on PostgreSQL 17 after \d+ s\./);
  expect(detail).toMatch(
    /-cached-1 was not judged, because it does not become healthy in isolation on PostgreSQL 15 either\./,
  );
  expect(update).toMatchObject({ status: 'awaiting_approval' });
  await expectUntouched(before);
});

describeIf(whyNoBrowser(), 'with the mail and a browser', () => {
  const browser = openBrowser();
  afterEach(() => browser.forget());

  test('the link is opened, the name typed, and the move followed to its success', async () => {
    const [{ id, to }] = await pilot.updates('?status=awaiting_approval');
    const page = await browser.open(await linkInMail(pilot, db, to.digest));
    await page.getByText('is loaded into a new data directory of PostgreSQL 17').first().waitFor();
    await seeAll(page, 'plan of a new PostgreSQL major');
    await page.getByLabel(/type its name/).fill(db);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.locator('#step-move_data').waitFor();
    const told = await endOf(pilot, id, 400_000);
    expect([told['status'], JSON.stringify([told['error'], told['steps']])]).toEqual(['succeeded', expect.anything()]);
    await page.locator('#status').getByText('Succeeded', { exact: true }).waitFor({ timeout: 240_000 });
    await page.reload();
    await seeAll(page, 'new PostgreSQL major');
    expect(await pilot.get(`/updates/${id}`)).toMatchObject({
      status: 'succeeded',
      approval: { status: 'approved', decidedBy: 'link' },
    });
    expect([await sql('SHOW server_version_num'), await sql('SELECT count(*) FROM more.rows')]).toEqual([
      expect.stringMatching(/^17/),
      '5000',
    ]);
    expect((await appOf(shop).items()).map((item) => item.name)).toEqual(['erste', 'zweite']);
    // Its cache is missing before the update too, so it says nothing about it.
    const health = (told['steps'] as { name: string; detail: string }[]).find((step) => step.name === 'health_check');
    expect(health?.detail).toMatch(/-cached-1, which depends on it, was not judged, because it was unhealthy before/);
    expect((await shop.container('cached'))['State'].Status).toBe('running');
  });
});
