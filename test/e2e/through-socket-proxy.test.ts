import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { guardedSocket, type GuardedSocket } from '../support/e2e-guarded';
import { openStage } from '../support/e2e-stage';
import { announce, endOf, stepsOf, updateTo, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// All that an application with a database needs, with nothing but the shipped socket proxy between diun-pilot and the engine.
const stage = openStage();
const TAG = 'through-proxy/app:stable';
const WATCHED = { 'diun.enable': 'true', 'update.policy': 'manual', 'update.probe.timeout': '20s' };

let forge: ComposeProject;
let app: ReturnType<typeof appOf>;
let proxy: GuardedSocket;
let pilot: Pilot;
let name: string;

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.APP_1, TAG);
  const services = appServices(lab, lab.registry.reference(TAG), WATCHED);
  forge = await stage.project('through-proxy', services, { top: APP_VOLUMES });
  app = appOf(forge);
  proxy = await guardedSocket(lab.viewHost, join(lab.scratch('p'), 'engine.sock'));
  stage.closing(() => proxy.close());
  pilot = await stage.on({ ...lab, viewHost: proxy.dockerHost }).pilot();
  await app.ready();
  for (const item of ['erste', 'zweite']) await app.keep(item);
  name = await forge.containerName('app');
});

const refused = (): unknown[] => proxy.log.filter(({ message }) => message.startsWith('refused'));

async function asked(): Promise<UpdateTold> {
  const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: name }) });
  expect(answer.status).toBe(202);
  return endOf(pilot, ((await answer.json()) as { id: string }).id, 300_000);
}

it('a version that never becomes healthy is rolled back, and its data restored', async () => {
  const before = [await app.items(), await app.sql('SELECT version FROM version')];
  await stage.lab.registry.publish(stage.lab.images.APP_2_BROKEN, TAG);
  const update = await asked();
  expect([update['status'], stepsOf(update), refused()]).toEqual([
    'rolled_back',
    [
      ...['backup succeeded', 'pull succeeded', 'preflight succeeded', 'recreate succeeded', 'health_check failed'],
      ...['rollback succeeded', 'rollback_health_check skipped', 'restore succeeded', 'restore_health_check succeeded'],
    ],
    [],
  ]);
  await app.ready();
  expect([await app.items(), await app.sql('SELECT version FROM version')]).toEqual(before);
});

it('a good one is rehearsed on a copy, backed up and updated', async () => {
  const digest = await stage.lab.registry.publish(stage.lab.images.APP_2, TAG);
  await announce(pilot, stage.lab.registry.reference(TAG), digest);
  const { id } = await updateTo(pilot, name, digest);
  const rehearsal = await eventually(
    'the rehearsal ends',
    async () => {
      const update = (await pilot.get(`/updates/${id}`)) as UpdateTold;
      if (update['rehearsal']?.finishedAt) return update['rehearsal'] as { status: string };
      throw new Error(JSON.stringify(update['rehearsal']));
    },
    { timeoutMs: 900_000 },
  );
  const update = await asked();
  expect([rehearsal.status, update['status'], refused()]).toEqual(['passed', 'succeeded', []]);
  expect(stepsOf(update)).toContain('backup succeeded');
  await app.ready();
  expect((await app.items()).length).toBe(2);
});
