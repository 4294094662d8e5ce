import { recordDecision } from '../../src/decisions/approve';
import { requestRehearsal } from '../../src/rehearsals/run-next-rehearsal';
import { releaseHeldMails } from '../../src/decisions/mail-of-offer';
import { requestUpdate } from '../../src/decisions/request-update';
import { removeLeftRehearsals } from '../../src/rehearsals/rehearsal-run';
import { requestBackups } from '../../src/backups/backup-queue';
import { readContainers } from '../../src/containers/read-containers';
import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { aDump } from '../support/fake-postgres';
import {
  announced,
  isRehearsal,
  NAMES,
  rehearsalOf,
  rehearsalScene,
  type RehearsalScene,
} from '../support/rehearsal-scene';

let forge: RehearsalScene;
const open = (options: Parameters<typeof rehearsalScene>[0] = {}): void => void (forge = rehearsalScene(options));
afterEach(() => forge.scene.close());

async function hear(): Promise<Update> {
  forge.scene.hear('docker.io/library/gitea:1', forge.digest);
  await forge.scene.settle();
  return announced(forge.scene);
}

/** The text without its line breaks. */
const offers = (): { subject: string; text: string }[] =>
  forge.scene
    .mails()
    .filter(({ kind }) => kind === 'critical_update_available' || kind === 'update_available')
    .map((mail) => ({ ...mail, text: mail.text.replace(/\s+/g, ' ') }));
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const created = (): { name: string; body: Record<string, any> }[] =>
  forge.scene.engine.transcript
    .filter(({ method }) => method === 'createContainer')
    .map(({ args }) => ({ name: args[0] as string, body: (args[1] as { body: object }).body as never }));

/** As before, and nothing of a rehearsal is left. */
function expectProductionAlone(volumes: string[]): void {
  expect(forge.scene.engine.containerNames()).toEqual(NAMES);
  expect([...forge.scene.engine.host.volumes.keys()]).toEqual(volumes);
  for (const name of NAMES) expect(forge.scene.engine.isRunning(name)).toBe(true);
}

it('tries the current version, then the new one, and says so in the mail that asks', async () => {
  open();
  const volumes = [...forge.scene.engine.host.volumes.keys()];
  const update = await hear();
  expect(update.status).toBe('awaiting_approval');
  expect(rehearsalOf(forge.scene)).toMatchObject({ status: 'passed', digest: forge.digest, mail: null });
  expect(offers()).toHaveLength(1);
  expect(offers()[0]?.text).toMatch(
    /Rehearsed on a copy of a live backup from [\d: -]+: schema unchanged, healthy after \d+ s\./,
  );
  const tried = created().filter(({ name }) => name.startsWith('forge-gitea-1.diun-pilot-rehearsal-'));
  const images = tried.map(({ body }) => body['Image'] as string).slice(-2);
  expect(images[0]).toBe(forge.scene.engine.container('forge-gitea-1').Image);
  expect(images[1]).not.toBe(images[0]);
  expectProductionAlone(volumes);
});

it('uses the newest backup while it is young, and a live one after one and a half intervals', async () => {
  open();
  const { scene } = forge;
  scene.store.timers.keep('backup', { expression: '0 2 * * *', timeZone: 'UTC' }, scene.clock.now().toISOString());
  const containers = await readContainers(scene.engine, null);
  requestBackups({ store: scene.store, containers }, { reason: 'operator', project: 'forge' });
  await scene.settle();
  await hear();
  expect(rehearsalOf(scene)?.detail).toContain('on a copy of the backup from');
  expect(scene.store.backups.list(9)).toHaveLength(1);
  await scene.clock.advance(37 * 3_600_000);
  requestRehearsal(scene.deps, announced(scene).id);
  await scene.settle();
  expect(rehearsalOf(scene)?.detail).toContain('on a copy of a live backup from');
});

it('gives the copy its files and names, and none of what could reach production or be taken for it', async () => {
  let files: Record<string, string> = {};
  open({
    next: (call) => {
      if (isRehearsal(call)) files = { a: String(call.files.read('/data/repo/a.txt')) };
      return { stdout: 'fine' };
    },
  });
  await hear();
  expect(files).toEqual({ a: 'a' });
  const server = created().find(({ name }) => name.startsWith('forge-db-1.diun-pilot-rehearsal-'));
  const app = created().findLast(({ name }) => name.startsWith('forge-gitea-1.diun-pilot-rehearsal-'));
  expect(server?.body['HostConfig']).toMatchObject({
    NetworkMode: 'none',
    PortBindings: {},
    RestartPolicy: { Name: 'no' },
  });
  expect(server?.body['HostConfig']['ExtraHosts']).toEqual(
    expect.arrayContaining(['db:127.0.0.1', 'forge-db-1:127.0.0.1']),
  );
  expect(app?.body['HostConfig']).toMatchObject({
    PortBindings: {},
    PublishAllPorts: false,
    RestartPolicy: { Name: 'no' },
  });
  expect(app?.body['HostConfig']['NetworkMode']).toMatch(/^container:/);
  expect(app?.body['HostConfig']['Mounts']).toEqual([{ Type: 'volume', Target: '/data' }]);
  expect(app?.body['HostConfig']['Memory']).toBeGreaterThan(0);
  const { id } = rehearsalOf(forge.scene) as { id: string };
  expect(app?.body['Labels']).toEqual({ 'diun.enable': 'false', 'diun-pilot.rehearsal': id });
});

it('reports what the new version migrates, and leaves the data of production as it was', async () => {
  const migrated = aDump('new', { version: '2', tables: ['items', 'notes'] });
  open();
  forge.databases['app'] = aDump('app', { version: '1', tables: ['items'] });
  const before = { ...forge.databases };
  const copyOf = forge.scene.engine;
  copyOf.onCall('start', ({ args }) => {
    const { Name, Image } = copyOf.container(args[0] as string);
    const isNew = Image !== copyOf.container('forge-gitea-1').Image;
    if (!Name.startsWith('/forge-gitea-1.diun-pilot-rehearsal-') || !isNew) return;
    forge.migrate('app', migrated);
  });
  await hear();
  expect(rehearsalOf(forge.scene)?.detail).toContain('schema migrated');
  expect(rehearsalOf(forge.scene)?.detail).toContain('schema_version 1 → 2, 1 table added (notes)');
  expect(forge.databases).toEqual(before);
});

it('fails when only the new version is unhealthy, touches nothing, and can still be approved', async () => {
  open({ next: () => ({ exitCode: 1, stderr: 'cannot migrate' }), spec: { logs: ['[F] migration 7 failed'] } });
  const volumes = [...forge.scene.engine.host.volumes.keys()];
  const update = await hear();
  expect(rehearsalOf(forge.scene)).toMatchObject({ status: 'failed', seconds: null });
  expect(offers()[0]?.subject).toContain('its rehearsal failed – approval required');
  expect(offers()[0]?.text).toContain('[F] migration 7 failed');
  expectProductionAlone(volumes);
  expect(recordDecision(forge.scene.deps, update, 'approve', 'cli:0')).toMatchObject({ status: 'queued' });
});

it('says nothing about the new version when the current one needs what is not there', async () => {
  open({ current: (call) => (isRehearsal(call) ? { exitCode: 1, stderr: 'no redis' } : {}) });
  await hear();
  expect(rehearsalOf(forge.scene)).toMatchObject({
    status: 'inconclusive',
    detail: expect.stringContaining('no redis'),
  });
  expect(offers()[0]?.text).toContain(
    'Rehearsal inconclusive. The current version does not become healthy in isolation',
  );
});

it('is not made of a container without data, nor where the label says off, and the mail comes at once', async () => {
  open({ labels: { 'update.rehearse': 'off' } });
  await hear();
  expect(rehearsalOf(forge.scene)).toBeNull();
  expect(offers()).toHaveLength(1);
});

it('holds an automatic update with update.rehearse=always, and starts it once it has passed', async () => {
  open({ labels: { 'update.policy': 'automatic', 'update.rehearse': 'always' } });
  expect(await hear()).toMatchObject({ status: 'succeeded' });
  expect(rehearsalOf(forge.scene)).toMatchObject({ status: 'passed' });
  expect(offers()).toMatchObject([{ subject: expect.stringContaining('update available') }]);
});

it('lets an automatic update wait for approval when its rehearsal failed', async () => {
  open({
    labels: { 'update.policy': 'automatic', 'update.rehearse': 'always' },
    next: () => ({ exitCode: 1 }),
  });
  expect(await hear()).toMatchObject({
    status: 'awaiting_approval',
    approval: { status: 'waiting' },
    reason: expect.stringContaining('The rehearsal failed'),
  });
  expect(offers()).toMatchObject([{ subject: expect.stringContaining('critical update available') }]);
});

it('posts the mail after 30 minutes, whatever the rehearsal does, and only once', async () => {
  open({ next: () => ({ exitCode: 1 }), labels: { 'update.probe.timeout': '2h' } });
  const { scene } = forge;
  scene.engine.onCall('inspectContainer', () => releaseHeldMails(scene.deps));
  await hear();
  expect(offers()).toHaveLength(1);
  expect(offers()[0]?.text).toContain('has not ended yet');
  expect(rehearsalOf(scene)).toMatchObject({ status: 'failed', mail: null });
});

it('gives way to an update within a second, and is repeated', async () => {
  open({ current: () => ({ stdout: 'fine' }), labels: { 'update.probe.timeout': '5m' } });
  const { scene } = forge;
  scene.engine.runContainer({ name: 'web', image: 'nginx:1', labels: { 'diun.enable': 'true' } });
  scene.engine.publish('nginx:1', {});
  let requested = 0;
  scene.engine.onCall('exec', async ({ args }) => {
    if (requested > 0 || !scene.engine.container(args[0] as string).Name.includes('gitea-1.diun-pilot-rehearsal'))
      return;
    requested = scene.clock.now().getTime();
    await requestUpdate(scene.deps, { container: 'web' });
  });
  await hear();
  const other = scene.updates().find(({ container }) => container === 'web');
  expect(other?.status).toBe('succeeded');
  expect(Date.parse(other?.startedAt ?? '') - requested).toBeLessThanOrEqual(3_000);
  expect(rehearsalOf(scene)).toMatchObject({ status: 'passed' });
  expect(scene.log).toContainEqual(expect.objectContaining({ message: 'rehearsal interrupted, and repeated later' }));
});

it('gives way to a container that fails in its soak, which is rolled back before the rehearsal is repeated', async () => {
  open({ current: (call) => ({ exitCode: isRehearsal(call) ? 1 : 0 }), labels: { 'update.probe.timeout': '5m' } });
  const { scene } = forge;
  const labels = { 'diun.enable': 'true', 'update.policy': 'automatic', 'update.soak': '2h' };
  scene.engine.addImage({ reference: 'nginx:1' });
  scene.engine.runContainer({ name: 'web', image: 'nginx:1', labels });
  scene.hear('docker.io/library/nginx:1', scene.engine.publish('nginx:1').digest);
  await scene.settle();
  expect(scene.store.soaks.open()).toMatchObject([{ container: 'web', status: 'watching' }]);
  let failedAt = 0;
  scene.engine.onCall('exec', ({ args }) => {
    if (failedAt > 0 || !scene.engine.container(args[0] as string).Name.includes('gitea-1.diun-pilot-rehearsal'))
      return;
    failedAt = scene.clock.now().getTime();
    scene.engine.host.find(scene.engine.container('web').Id).image.spec.health = 'crash-loop';
    scene.engine.host.stop(scene.engine.host.find(scene.engine.container('web').Id), 1);
  });
  await hear();
  const web = scene.updates().find(({ container }) => container === 'web');
  expect(web?.status).toBe('rolled_back');
  expect(Date.parse(web?.finishedAt ?? '') - failedAt).toBeLessThan(60_000);
  expect(rehearsalOf(scene)?.finishedAt).not.toBeNull();
});

it('rehearses while diun-pilot observes', async () => {
  open();
  forge.scene.deps.mode = 'observe';
  await hear();
  expect(rehearsalOf(forge.scene)).toMatchObject({ status: 'passed' });
});

it('is removed at the next start, also where its record is lost; one of another diun-pilot is left', async () => {
  open();
  const { scene } = forge;
  const died = scene.engine.crashAt('extract', 'after');
  scene.hear('docker.io/library/gitea:1', forge.digest);
  void scene.settle();
  await died;
  const next = scene.restart();
  forge = { ...forge, scene: next };
  expect(next.engine.containerNames().length).toBeGreaterThan(NAMES.length);
  await removeLeftRehearsals(next.deps);
  expect(next.engine.containerNames()).toEqual(NAMES);
});

const refuse = (): never => {
  throw new EngineError('engine_refused', 'device or resource busy');
};

it.each(['containers', 'inspectContainer', 'stop', 'remove'] as const)(
  'leaves nothing behind though the engine refuses two calls of %s in succession (seeds 5002814, 5004148)',
  async (call) => {
    open();
    const volumes = [...forge.scene.engine.host.volumes.keys()];
    let refusals = 0;
    forge.scene.engine.onCall(
      'createContainer',
      () => {
        forge.scene.engine.onCall(call, () => {
          refusals += 1;
          if (refusals <= 2) refuse();
        });
      },
      { once: true, when: 'after' },
    );
    await hear();
    expect(refusals).toBeGreaterThan(1);
    expectProductionAlone(volumes);
    expect(forge.scene.store.keptContainers.all()).toEqual([]);
  },
);

it('lists what the engine does not remove, and removes it once that is possible', async () => {
  open();
  const { scene } = forge;
  const volumes = [...scene.engine.host.volumes.keys()];
  let busy = true;
  scene.engine.onCall('remove', () => {
    if (busy) refuse();
  });
  await hear();
  expect(rehearsalOf(scene)).toMatchObject({
    status: 'skipped',
    detail: expect.stringMatching(/could not be removed: device or resource busy.*docker rm --force --volumes/),
  });
  expect(scene.store.keptContainers.all()).toMatchObject([
    { container: expect.any(String), name: expect.stringContaining('.diun-pilot-rehearsal-'), leftover: true },
  ]);
  busy = false;
  await scene.clock.advance(600_000);
  await scene.settle();
  expectProductionAlone(volumes);
  expect(scene.store.keptContainers.all()).toEqual([]);
});

it('tries no image whose update will be refused for a volume that it declares', async () => {
  open({ spec: { config: { Volumes: { '/cache': {} } } } });
  const volumes = [...forge.scene.engine.host.volumes.keys()];
  await hear();
  const detail = expect.stringMatching(/The update will be refused\. .*Mount a volume at \/cache\./);
  expect(rehearsalOf(forge.scene)).toMatchObject({ status: 'skipped', detail });
  expectProductionAlone(volumes);
});
