import { dockerCheck } from '../../src/diagnosis/health-report';
import { asCheck } from '../../src/diagnosis/problem';
import { backupProblems, dockerProblems } from '../../src/diagnosis/problems';
import { surroundingsOf } from '../../src/decisions/approval-links';
import type { Update } from '../../src/domain/update';
import type { Scripts } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

/** `df` of an image that has it prints what `free` says at that moment, in KiB; null: the image has no `df`. */
function dfScripts(free: () => number | null): Scripts {
  const head = 'Filesystem 1024-blocks Used Available Capacity Mounted on';
  return {
    'df -Pk /': () => (free() === null ? { exitCode: 127 } : { stdout: `${head}\noverlay 1000 900 ${free()} 99% /\n` }),
  };
}

async function update(freeKib: number | null): Promise<Update> {
  scene.engine.addImage({ reference: 'nginx:stable', scripts: dfScripts(() => freeKib) });
  scene.engine.runContainer(nginx());
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
  return scene.updates().at(-1) as Update;
}
const backup = ({ steps }: Update) => steps.find(({ name }) => name === 'backup');
const MIB = 1024;
const GIB = 1024 * MIB;

it('refuses an update before anything is stopped or pulled where the disk is certainly too full', async () => {
  const ended = await update(1024);
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'preflight_blocked' } });
  expect(ended.error?.message).toMatch(
    /^The disk of the Docker Engine is nearly full: only 1\.0 MiB free.*Nothing was changed/,
  );
  expect(scene.engine.lines().filter((line) => /^(stop|pull|create)/.test(line))).toEqual([]);
  expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
  expect(scene.store.refusals.all()).toEqual([]);
});

it('reports a disk that is nearly full, and updates', async () => {
  const ended = await update(GIB);
  expect(ended.status).toBe('succeeded');
  expect(backup(ended)).toMatchObject({ status: 'skipped', detail: expect.stringContaining('only 1.0 GiB free') });
  expect(problems()).toEqual([expect.stringContaining('only 1.0 GiB free')]);
});

it.each([
  ['there is room', 50 * GIB],
  ['the image has no df', null],
])('says nothing where %s', async (_, free) => {
  const ended = await update(free);
  expect(ended.status).toBe('succeeded');
  expect(backup(ended)?.detail).not.toContain('disk');
  expect(problems()).toEqual([]);
});

/** What `/health` and the page say for as long as the disk is nearly full. */
const problems = (): string[] => {
  const notices = scene.store.notices.all();
  expect(asCheck(backupProblems([], notices))).toEqual({ status: 'ok' });
  const { status, reason } = dockerCheck({ status: 'ok' }, dockerProblems(notices, []), []);
  expect(status).toBe(reason === undefined ? 'ok' : 'degraded');
  return reason === undefined ? [] : [reason];
};

/** By the hourly timer, as at a start. */
async function look(): Promise<void> {
  scene.store.timers.ring('disk', scene.clock.now().toISOString());
  await scene.settle();
}

/** A container of an image of its own; answers with its id, and with what sets the free space afterwards. */
function runs(name: string, freeKib: number | null, labels: Record<string, string> = {}) {
  let free = freeKib;
  scene.engine.addImage({ reference: `${name}:1`, scripts: dfScripts(() => free) });
  const id = scene.engine.runContainer(nginx({ name, image: `${name}:1`, labels, ports: {} }));
  return { id, set: (freeNow: number | null) => void (free = freeNow) };
}

it('is reported before any update, and no longer than there is too little room', async () => {
  const { set } = runs('web', 1.5 * GIB);
  await look();
  expect(problems()).toEqual([
    expect.stringMatching(/nearly full: only 1\.5 GiB free\. Make room: `docker system df`/),
  ]);
  const since = scene.store.notices.all()[0]?.since;
  await scene.clock.advance(3_600_000);
  set(MIB);
  await look();
  expect(problems()).toEqual([expect.stringContaining('only 1.0 MiB free. Updates are refused until there is room')]);
  expect(scene.store.notices.all()[0]?.since).toBe(since);
  set(50 * GIB);
  await look();
  expect(problems()).toEqual([]);
  expect(scene.log.filter(({ message }) => message === 'the disk of the engine is nearly full')).toHaveLength(1);
});

it('is asked of the watched containers that run, until one has an answer, and of no other', async () => {
  runs('a-without', null);
  runs('b-foreign', GIB, { 'diun.enable': 'false' });
  await scene.engine.stop(runs('c-stopped', GIB).id, 1);
  await look();
  expect(problems()).toEqual([]);
  runs('d-answers', GIB);
  runs('e-later', 50 * GIB);
  await look();
  expect(problems()).toHaveLength(1);
});

it('is asked of the tasks of watched services on this node, where no container is watched', async () => {
  scene.swarm.init();
  const { digest } = scene.engine.publish('web:1', { scripts: dfScripts(() => GIB) });
  const { digest: foreign } = scene.engine.publish('other:1', { scripts: dfScripts(() => MIB) });
  scene.swarm.addService({ name: 'a_other', image: `other:1@${foreign}`, labels: {} });
  await look();
  expect(problems()).toEqual([]);
  scene.swarm.addService({ name: 'site_web', image: `web:1@${digest}`, labels: { 'diun.enable': 'true' } });
  await look();
  expect(problems()).toEqual([expect.stringContaining('only 1.0 GiB free')]);
});

it('is forgotten when it is no longer known', async () => {
  const { set } = runs('web', GIB);
  await look();
  expect(problems()).toHaveLength(1);
  set(null);
  await look();
  expect(problems()).toEqual([]);
});

it('is part of what the approval page and its mail say', async () => {
  runs('web', GIB);
  await look();
  expect(surroundingsOf(scene.store, { id: 'u', container: 'web', project: null } as Update).disk).toBe(GIB * 1024);
});
