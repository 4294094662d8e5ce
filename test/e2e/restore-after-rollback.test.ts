import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { imageNamed, namesOf, openStage } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// The new version migrates the schema and then never becomes healthy; the old one, which refuses the newer schema as Gitea
// does, is not started before the data is restored.

const stage = openStage();
const TAG = 'restored/app:stable';
const WATCHED = { 'diun.enable': 'true', 'update.policy': 'manual', 'update.probe.timeout': '6s' };
const TREE =
  'cd /data && find . -path "./.diun-pilot-*" -prune -o -printf "%p %u:%g %m %y %s\\n" | grep -v app.ini | sort';

let forge: ComposeProject;
let app: ReturnType<typeof appOf>;
let pilot: Pilot;
let proxy: EngineProxy;
let name: string;
let old: { id: string; image: string };

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.APP_1, TAG);
  const services = appServices(lab, lab.registry.reference(TAG), WATCHED);
  forge = await stage.project('restored', services, { top: APP_VOLUMES });
  app = appOf(forge);
  proxy = engineProxy(lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  await app.ready();
  for (const item of ['erste', 'zweite']) await app.keep(item);
  name = await forge.containerName('app');
  const container = await forge.container('app');
  old = { id: String(container['Id']), image: String(container['Image']) };
  await lab.registry.publish(lab.images.APP_2_BROKEN, TAG);
});

async function ask(): Promise<string> {
  const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: name }) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

async function asItIs(): Promise<unknown> {
  return { items: await app.items(), tree: await app.sh(TREE), schema: await app.sql('SELECT version FROM version') };
}

async function expectAsBefore(before: unknown): Promise<void> {
  await app.ready();
  expect(await asItIs()).toEqual(before);
  const container = await forge.container('app');
  expect([container['Id'], container['Image'], container['State'].Running]).toEqual([old.id, old.image, true]);
  expect(await imageNamed(stage.lab, stage.lab.registry.reference(TAG))).toBe(old.image);
  expect(await namesOf(stage.lab, forge)).toHaveLength(2);
}

it('is rolled back, its data restored, and the old version healthy with every row and file; the mail says all of it', async () => {
  const before = await asItIs();
  const update = await endOf(pilot, await ask());
  expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(stepsOf(update)).toEqual([
    ...['backup succeeded', 'pull succeeded', 'preflight succeeded', 'recreate succeeded', 'health_check failed'],
    ...['rollback succeeded', 'rollback_health_check skipped', 'restore succeeded', 'restore_health_check succeeded'],
  ]);
  const skipped = (update['steps'] as { name: string; detail: string }[]).find(
    (step) => step.name === 'rollback_health_check',
  );
  expect(skipped?.detail).toMatch(
    /changed the data: database app of \S+: version 1 → 2, 1 column added \(items\.note\)/,
  );
  expect(update['reason']).toMatch(
    /new version had changed the data \(.*\), so the data of .* was restored.*Retained: database app/,
  );
  await expectAsBefore(before);
  await mailsAbout(pilot, name, 1);
  const mail = (await pilot.mails()).find(({ subject }) => subject?.includes('the old version is running'));
  const text = mail?.text?.replace(/\s+(!! )?/g, ' ') ?? '';
  expect(text).toContain('The new version had changed the data (database app of');
  expect(text).toMatch(/Verified after the restore: .*api\/healthz says pass/);
  expect(text).toMatch(/docker exec .*dropdb -U app -- 'app\.diun-pilot-before-/);
});

const UNPACK = /^PUT \/containers\/[^/]+\/archive/;
const ONE_OFF = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-restore-/;
const START = /^POST \/containers\/[^/]+\/start/;
const EXEC = /^POST \/exec/;

it.each([
  ['before the files are unpacked', [UNPACK], 'before'],
  ['after the files have changed places', [UNPACK, ONE_OFF, START], 'after'],
  ['after the databases have changed places', [UNPACK, ONE_OFF, EXEC, EXEC, EXEC], 'after'],
] as const)('SIGKILL %s: the same end', async (_, calls, when) => {
  const before = await asItIs();
  const held = proxy.hold({ calls: [...calls], when });
  const id = await ask();
  await held;
  await pilot.kill('SIGKILL');
  await pilot.start();
  const update = await endOf(pilot, id);
  expect(update).toMatchObject({ status: 'rolled_back' });
  await expectAsBefore(before);
  const told = async (): Promise<boolean> =>
    (await pilot.mails()).filter(({ text }) => text?.includes(id)).length === 1;
  await eventually('its mail arrives', told);
});
