import type { ComposeProject } from '../lab/compose';
import type { ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import type { Service } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf, type UpdateTold } from '../support/e2e-updates';

// Reported with Miniflux 2.2.10 → 2.3.5 on PostgreSQL: the new version migrates the database and then fails. The old version
// pings the database and is healthy on either schema, so that the rollback looked whole while it ran on the new one.
jest.setTimeout(1_200_000);

const stage = openStage();
/** Like Miniflux, it does not look whether the schema is newer than its own. */
const LENIENT = [
  '/usr/bin/python3',
  '-c',
  "exec(compile(open('/app/app.py').read().replace('if current > RELEASE', 'if 0 > RELEASE'), '/app/app.py', 'exec'))",
];
const CHANGED = /database app of \S+-db-1: version 1 → 2, 1 column added \(items\.note\)/;

let pilot: Pilot;
beforeAll(async () => {
  pilot = await stage.pilot();
}, 600_000);

interface Reader {
  project: ComposeProject;
  app: ReturnType<typeof appOf>;
  name: string;
  id: string;
  update(to: ImageName): Promise<UpdateTold>;
  schema(): Promise<string>;
}

/** Nothing but its `depends_on` says that the app has data. */
async function aReader(service: string, labels: Record<string, string> = {}): Promise<Reader> {
  const { lab } = stage;
  const tag = `${service}/app:stable`;
  await lab.registry.publishAndPull(lab.images.APP_1, tag);
  const services = appServices(lab, lab.registry.reference(tag));
  const own = {
    'diun.enable': 'true',
    'update.policy': 'manual',
    'update.probe': 'http://:3000/api/healthz',
    'update.probe.timeout': '10s',
    ...labels,
  };
  const lenient = { ...services, app: { ...(services['app'] as Service), entrypoint: LENIENT, labels: own } };
  const project = await stage.project(service, lenient, { top: APP_VOLUMES });
  const app = appOf(project);
  await app.ready();
  for (const item of ['first', 'second']) await app.keep(item);
  const name = await project.containerName('app');
  return {
    ...{ project, app, name },
    id: String((await project.container('app'))['Id']),
    update: async (to) => {
      await lab.registry.publish(lab.images[to], tag);
      const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: name }) });
      expect(answer.status).toBe(202);
      return endOf(pilot, ((await answer.json()) as { id: string }).id, 900_000);
    },
    schema: async () => (await app.sql('SELECT version FROM version')).trim(),
  };
}

async function lastMail(name: string): Promise<string> {
  await mailsAbout(pilot, name, 1);
  const mail = (await pilot.mails()).findLast(({ subject }) => subject?.includes(name));
  return `${mail?.subject}\n${mail?.text}`.replace(/\s+(!! )?/g, ' ');
}

it('restores the data that the new version migrated, although the old version is healthy on it', async () => {
  const reader = await aReader('miniflux');
  const before = await reader.app.items();
  const update = await reader.update('APP_2_BROKEN');
  expect([update['status'], update['error'].code]).toEqual(['rolled_back', 'unhealthy']);
  expect(stepsOf(update).slice(4)).toEqual([
    'health_check failed',
    'rollback succeeded',
    'rollback_health_check skipped',
    'restore succeeded',
    'restore_health_check succeeded',
  ]);
  expect(update['reason']).toMatch(CHANGED);
  await reader.app.ready();
  expect([await reader.schema(), await reader.app.items()]).toEqual(['1', before]);
  const container = await reader.project.container('app');
  expect([container['Id'], container['State'].Running]).toEqual([reader.id, true]);
  expect(await lastMail(reader.name)).toMatch(CHANGED);
});

it('reports what a successful update changed in the data', async () => {
  const reader = await aReader('upgraded');
  const update = await reader.update('APP_2');
  expect(update['status']).toBe('succeeded');
  const health = (update['steps'] as { name: string; detail: string }[]).find(({ name }) => name === 'health_check');
  expect([update['reason'], health?.detail]).toEqual([expect.stringMatching(CHANGED), expect.stringMatching(CHANGED)]);
  expect(await lastMail(reader.name)).toMatch(CHANGED);
});

it('asks for a decision where the app was not stopped for the backup, and never says that nothing is urgent', async () => {
  const reader = await aReader('unquiesced', { 'backup.quiesce': 'never' });
  const update = await reader.update('APP_2_BROKEN');
  expect([update['status'], update['error'].code]).toEqual(['rollback_failed', 'data_changed']);
  expect(update['reason']).toMatch(CHANGED);
  await reader.app.ready();
  expect(await reader.schema()).toBe('2');
  const mail = await lastMail(reader.name);
  expect(mail).toMatch(CHANGED);
  expect(mail).toMatch(/\/approvals\//);
  expect(mail).not.toMatch(/nothing is urgent/i);
});
