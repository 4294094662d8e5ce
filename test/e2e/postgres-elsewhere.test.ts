import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { linkInMail } from '../support/e2e-approvals';
import { approve, psql, readyToApprove, rehearsed, requestFrom } from '../support/e2e-majors';
import { composeYaml } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { endOf } from '../support/e2e-updates';

// The layout of the official image from 18 on, around a server of 17: other PGDATA, and a volume one folder above it.
const stage = openStage();
const TAG = 'elsewhere/postgres:stable';
const DATA = '/var/lib/postgresql/data';
const LINE = `PGDATA: ${DATA}/`;
let services: ReturnType<typeof appServices>;
let shop: ComposeProject;
let app: ReturnType<typeof appOf>;
let pilot: Pilot;
let db: string;
let digest: string;

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, TAG);
  services = appServices(lab, lab.images.APP_1);
  services['db'] = {
    ...services['db'],
    image: lab.registry.reference(TAG),
    labels: { ...services['db']?.labels, 'diun.enable': 'true' },
  };
  shop = await stage.project('elsewhere', services, { top: APP_VOLUMES });
  app = appOf(shop);
  await app.ready();
  await app.keep('erste');
  pilot = await stage.pilot();
  db = await shop.containerName('db');
  digest = await lab.registry.publish(lab.images.POSTGRES_17_ELSEWHERE, TAG);
});

const majorNow = async (): Promise<string> => (await psql(shop, 'app', 'SHOW server_version')).slice(0, 2);

test('the request waits for a line of the compose file, and nothing approves it before', async () => {
  const before = (await shop.container('db'))['Id'];
  const { id } = await requestFrom(pilot, db);
  expect((await rehearsed(pilot, String(id)))['rehearsal']).toMatchObject({ status: 'passed' });
  const body = new URLSearchParams({ decision: 'approve', name: db });
  const headers = { Accept: 'application/json' };
  const answer = await fetch(await linkInMail(pilot, db, digest), { method: 'POST', body, headers });
  expect([answer.status, await answer.json()]).toEqual([
    409,
    {
      error: expect.objectContaining({
        code: 'compose_change_required',
        message: expect.stringContaining(`in service db, add the line "${LINE}" to environment`) as string,
      }) as object,
    },
  ]);
  expect((await pilot.mails()).at(-1)?.text).toContain(LINE);
  expect([(await shop.container('db'))['Id'], await majorNow()]).toEqual([before, '15']);
});

test('once the line is there, the old version runs on the same data, and the new one takes it over', async () => {
  const server = services['db'];
  if (server === undefined) throw new Error('there is no database');
  server['environment'] = { ...(server['environment'] as object), PGDATA: `${DATA}/` };
  shop.write(composeYaml(services, APP_VOLUMES));
  expect((await shop.up()).recreated).toContain('db');
  await app.ready();
  expect([await majorNow(), (await app.items()).map(({ name }) => name)]).toEqual(['15', ['erste']]);
  const id = await readyToApprove(pilot, db);
  await approve(pilot, db, id);
  const told = await endOf(pilot, id, 300_000);
  expect([told['status'], JSON.stringify(told['steps'])]).toEqual(['succeeded', expect.anything()]);
  await app.ready();
  expect([await majorNow(), (await app.items()).map(({ name }) => name)]).toEqual(['17', ['erste']]);
  expect(await psql(shop, 'app', 'SHOW data_directory')).toBe(DATA);
  expect((await shop.up()).untouched).toContain('db');
  await shop.up('--force-recreate');
  await app.ready();
  expect([await majorNow(), (await app.items()).map(({ name }) => name)]).toEqual(['17', ['erste']]);
});
