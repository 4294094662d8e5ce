import { adoptAside } from '../../src/containers/adopt-aside';
import { removeDueContainers } from '../../src/containers/kept-containers';
import { EngineError } from '../../src/domain/errors';
import { requestUpdate } from '../../src/decisions/request-update';
import type { ContainerSpec } from '../support/fake-engine-types';
import { runOn } from '../support/cli-app';
import { systemClock } from '../../src/lib/clock';
import { nginx, openScene, type Scene } from '../support/scene';

// An application writes files into its container's own layer, in no volume. The old container cannot be kept for them: with
// Compose's labels on it, `docker compose up -d` would remove the new one.

const NAME = 'web-nginx-1';
const TAG = 'nginx:stable';
const DAY_MS = 86_400_000;
const FILES = { '/data/app.db': 'rows', '/data/sub/upload.jpg': 'picture', '/etc/app.conf': 'edited by hand' };
const IN_IMAGE = { '/etc/app.conf': 'as shipped', '/srv/index.html': 'hello' };
const LABELS = { 'com.docker.compose.project': 'built', 'traefik.enable': 'true', vendor: 'x' };
let scene: Scene;

afterEach(() => scene.close());

function open(spec: Partial<ContainerSpec> = {}, files: Record<string, string> = FILES): Scene {
  const opened = openScene();
  const config = { Labels: LABELS, Volumes: { '/var/data': {} } };
  opened.engine.addImage({ reference: TAG, files: IN_IMAGE, config });
  const id = opened.engine.runContainer(nginx(spec));
  write(opened, id, { ...files, '/tmp/cache.bin': 'temporary' });
  return opened;
}

function write(at: Scene, id: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) at.engine.files(id).write(path, text);
}

async function update(): Promise<void> {
  announce(scene);
  await scene.settle();
}

function announce(at: Scene): void {
  const config = { Labels: LABELS, Volumes: { '/var/data': {} } };
  at.hear('docker.io/library/nginx:stable', at.engine.publish(TAG, { files: IN_IMAGE, config }).digest);
}

const holders = (): string[] => scene.engine.containerNames().filter((name) => name.includes('.diun-pilot-'));
const holder = (): string => holders()[0] ?? '';

/** As a process that starts: it looks for what earlier ones left, and works. */
async function nextStart(): Promise<void> {
  scene = scene.restart();
  await adoptAside(scene.deps);
  await scene.settle();
}

it('keeps them for a day in a container that Compose does not know, with owner and mode, and then removes it', async () => {
  scene = open();
  scene.engine
    .files(NAME)
    .setMeta('/data/app.db', { mode: 0o640, uid: 33, gid: 34, modifiedAt: '2026-01-01T00:00:01.5Z' });
  const volumes = scene.engine.host.volumes.size;
  await update();
  const [ended] = scene.updates();
  expect(ended).toMatchObject({ status: 'succeeded', error: null });
  expect(holders()).toEqual([`${NAME}.diun-pilot-kept-${ended?.id.slice(-10).toLowerCase()}`]);
  for (const [path, text] of Object.entries(FILES))
    expect(scene.engine.files(holder()).read(path)?.toString()).toBe(text);
  expect(scene.engine.files(holder()).meta('/data/app.db')).toMatchObject({ mode: 0o640, uid: 33, gid: 34 });
  expect(scene.engine.files(holder()).read('/tmp/cache.bin')).toBeUndefined();
  const { Config, HostConfig, State, Image, Mounts } = scene.engine.container(holder());
  expect(Object.entries(Config.Labels ?? {}).filter(([, value]) => value !== '')).toEqual([['diun.enable', 'false']]);
  expect(HostConfig).toMatchObject({ NetworkMode: 'none', RestartPolicy: { Name: 'no' }, PortBindings: {} });
  expect([State.Status, Mounts]).toEqual(['created', []]);
  expect(Image).not.toBe(scene.engine.container(NAME).Image);
  expect(scene.engine.host.volumes.size).toBe(volumes);
  expect(scene.engine.tagged(TAG)).toBe(scene.engine.container(NAME).Image);
  await scene.clock.advance(DAY_MS - 1000);
  await scene.settle();
  expect(holders()).toHaveLength(1);
  await scene.clock.advance(1000);
  await scene.settle();
  expect(holders()).toEqual([]);
  expect(scene.store.keptContainers.all()).toEqual([]);
});

it('says so in the verdict, and in the mail of an update that the operator requested: until when, and the commands', async () => {
  scene = open({ labels: { 'update.policy': 'manual' } });
  scene.engine.publish(TAG, { files: IN_IMAGE });
  await requestUpdate(scene.deps, { container: NAME });
  await scene.settle();
  const [ended] = scene.updates();
  expect(ended?.reason).toMatch(/is kept, stopped, until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \S+\. It holds/);
  expect(ended?.reason).toContain(`docker cp ${holder()}:/data/app.db .`);
  expect(ended?.reason).toContain(`docker rm ${holder()}`);
  const text = scene
    .mails()
    .find(({ kind }) => kind === 'update_succeeded')
    ?.text.replaceAll(/\s+/g, ' ');
  expect(text).toContain('/data/sub/upload.jpg');
  expect(text).toContain('is kept, stopped, until');
});

it('is listed by check with the time of its removal and the commands, and is no fault', async () => {
  scene = open();
  await update();
  const { code, stdout } = await runOn(scene, ['check'], { app: { clock: systemClock } });
  const listed = stdout.split('\n').find((line) => line.includes('Kept container')) ?? '';
  expect(listed).toMatch(
    /^ok .*It holds 3 files that web-nginx-1 had outside of its volumes: \/data\/app\.db, .* removed 20/,
  );
  expect(listed).toContain(`docker cp ${holder()}:/data/app.db .`);
  expect(code).toBe(0);
});

it('keeps nothing when the start of the new container writes the same files', async () => {
  scene = open({}, { '/etc/app.conf': 'edited by the entrypoint' });
  scene.engine.onCall(
    'start',
    (call) => write(scene, String(call.args[0]), { '/etc/app.conf': 'edited by the entrypoint' }),
    {
      when: 'after',
    },
  );
  await update();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('does not warn in advance of a file of the image that the start edits, and keeps it where its content differs', async () => {
  scene = open({ labels: { 'update.policy': 'manual' } }, { '/etc/app.conf': 'edited at once' });
  announce(scene);
  await scene.settle();
  expect(scene.mails()).toHaveLength(1);
  expect(scene.mails()[0]?.text).not.toContain('/etc/app.conf');
  await requestUpdate(scene.deps, { container: NAME });
  await scene.settle();
  expect(scene.engine.files(holder()).read('/etc/app.conf')?.toString()).toBe('edited at once');
});

it('copies nothing of a volume that is mounted in a folder of the layer', async () => {
  scene = open({ volumes: { uploads: '/data/uploads' } });
  write(scene, NAME, { '/data/uploads/huge.bin': 'in the volume' });
  await update();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect(scene.engine.files(holder()).read('/data/app.db')?.toString()).toBe('rows');
  expect(scene.engine.files(holder()).list('/data')).toEqual(['/data/app.db', '/data/sub/upload.jpg']);
});

it('leaves the old container when the files cannot be copied, says why, and the next start copies them and removes it', async () => {
  scene = open();
  scene.engine.failNext('extract', new EngineError('engine_refused', 'no space left on device'));
  await update();
  const [ended] = scene.updates();
  expect(ended).toMatchObject({ status: 'succeeded', reason: expect.stringMatching(/no space left on device/) });
  expect(holder()).toContain('.diun-pilot-old-');
  expect(ended?.reason).toContain(`docker cp ${holder()}:PATH .`);
  expect(holders()).toHaveLength(1);
  expect(scene.store.keptContainers.all()).toMatchObject([{ name: holder(), leftover: true }]);
  await nextStart();
  expect(holder()).toContain('.diun-pilot-kept-');
  expect(holders()).toHaveLength(1);
  expect(scene.engine.files(holder()).read('/data/app.db')?.toString()).toBe('rows');
  expect(scene.store.keptContainers.all()).toMatchObject([{ name: holder(), leftover: false }]);
});

it('keeps a copy without a record for a day once the old container is gone, and forgets one that the operator removed', async () => {
  scene = open();
  await update();
  for (const { containerId } of scene.store.keptContainers.all()) scene.store.keptContainers.remove(containerId);
  await nextStart();
  expect(scene.store.keptContainers.all()).toMatchObject([{ name: holder(), leftover: false }]);
  scene.engine.host.remove(holder());
  await nextStart();
  expect(scene.store.keptContainers.all()).toEqual([]);
});

it('refuses the update when it is more than is copied, before anything is stopped', async () => {
  scene = open();
  const stat = scene.engine.stat.bind(scene.engine);
  scene.engine.stat = async (id, path) => {
    const found = await stat(id, path);
    return found && path === '/data/app.db' ? { ...found, size: 2 * 1024 ** 3 } : found;
  };
  await update();
  expect(scene.updates()).toMatchObject([
    {
      status: 'failed',
      error: { code: 'recreate_refused', message: expect.stringMatching(/2\.0 GiB .*\/data\/app\.db/) },
    },
  ]);
  expect(scene.engine.lines().filter((line) => line.startsWith('stop'))).toEqual([]);
});

it('does not count a kept or left over container as one that lives in a namespace', async () => {
  scene = open({}, {});
  const hostConfig = { NetworkMode: `container:${scene.engine.container(NAME).Id}` };
  scene.engine.runContainer({ name: 'web-x-1.diun-pilot-old-0123456789', image: TAG, hostConfig, stopped: true });
  await update();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
});

it('removes what is due by a direct call, also when nothing else is to do', async () => {
  scene = open();
  await update();
  await scene.clock.advance(DAY_MS);
  await removeDueContainers(scene.deps);
  expect(holders()).toEqual([]);
});
