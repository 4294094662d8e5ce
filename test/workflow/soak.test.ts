import { EngineError } from '../../src/domain/errors';
import { adoptAside } from '../../src/containers/adopt-aside';
import { leftOver } from '../../src/diagnosis/problems';
import type { Update } from '../../src/domain/update';
import type { KeptContainer } from '../../src/ports/stopped-containers';
import type { ContainerSpec } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// `update.soak` of a container that holds no data (docs/how-updates-work.md).

const NAME = 'web-nginx-1';
const MINUTE = 60_000;
const CHECKED = { Test: ['CMD', 'true'], Interval: 1e9 };
let scene: Scene;
let oldId: string;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable', config: { Healthcheck: CHECKED } });
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;
const aside = (): string[] => scene.engine.containerNames().filter((name) => name !== NAME);
const steps = (): string[] => last().steps.map(({ name, status }) => `${name} ${status}`);
const soak = () => scene.store.soaks.of(last().id);
const spec = (): { health?: string } => scene.engine.host.find(NAME).image.spec;

async function update(fields: Partial<ContainerSpec> = {}): Promise<void> {
  const labels = { 'update.soak': '30m', ...fields.labels };
  oldId = scene.engine.runContainer(nginx({ restart: 'always', ...fields, labels }));
  await publish();
}
async function publish(): Promise<void> {
  scene.hear(
    'docker.io/library/nginx:stable',
    scene.engine.publish('nginx:stable', { config: { Healthcheck: CHECKED } }).digest,
  );
  await scene.settle();
}
async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}
async function becomesUnhealthy(): Promise<void> {
  spec().health = 'never';
  await pass(MINUTE);
}
/** As a process that starts: it looks for what earlier ones left, and works. */
async function nextStart(): Promise<void> {
  const open = scene;
  scene = open.restart();
  await adoptAside(scene.deps);
  await scene.settle();
}

it('keeps the old container, stopped and listed with its time, and removes it after a good soak', async () => {
  await update();
  expect(last()).toMatchObject({ status: 'succeeded', reason: expect.stringContaining('is kept, stopped, until') });
  const [kept] = aside();
  expect(scene.engine.container(kept ?? '').Id).toBe(oldId);
  expect(scene.engine.isRunning(oldId)).toBe(false);
  expect(scene.engine.container(oldId).HostConfig.RestartPolicy?.Name).toBe('no');
  expect(scene.store.keptContainers.all()).toMatchObject([{ name: kept, leftover: false, keepUntil: soak()?.until }]);
  await pass(29 * MINUTE);
  expect(aside()).toHaveLength(1);
  await pass(MINUTE);
  expect(aside()).toEqual([]);
  expect(scene.store.keptContainers.all()).toEqual([]);
  expect(scene.store.disarmed.all()).toEqual([]);
  expect(soak()).toMatchObject({ status: 'ended', failure: null });
  expect(last().reason).toContain('Its soak ended without a failure. The old container is removed.');
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available']);
});

it('rolls back automatically, once, when the new container becomes unhealthy', async () => {
  await update();
  await becomesUnhealthy();
  expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(last().reason).toMatch(
    /^web-nginx-1 failed 1 min 0 s after its update, during its soak: its HEALTHCHECK fails\./,
  );
  expect(last().reason).toContain('the old container is running again and healthy');
  expect(steps().slice(-2)).toEqual(['rollback succeeded', 'rollback_health_check succeeded']);
  expect(scene.engine.container(NAME)).toMatchObject({ Id: oldId, HostConfig: { RestartPolicy: { Name: 'always' } } });
  expect(scene.engine.isRunning(NAME)).toBe(true);
  expect(scene.engine.containerNames()).toEqual([NAME]);
  expect(scene.engine.tagged('nginx:stable')).toBe(scene.engine.container(NAME).Image);
  expect(scene.store.refusals.find(NAME, last().to.digest ?? '')).toMatchObject({ why: 'failed' });
  expect(soak()?.status).toBe('ended');
  const mails = scene.mails().filter(({ kind }) => kind === 'update_failed');
  expect(mails).toHaveLength(1);
  expect(mails[0]?.text.replace(/\s+/g, ' ')).toContain('during its soak: its HEALTHCHECK fails');
  expect(mails[0]?.text).not.toContain('(at most 1 min');
  await pass(31 * MINUTE);
  expect(scene.updates()).toHaveLength(1);
  expect(scene.engine.container(NAME).Id).toBe(oldId);
});

it('rolls back when the new container restarts', async () => {
  await update();
  spec().health = 'crash-loop';
  await pass(MINUTE);
  expect(last()).toMatchObject({ status: 'rolled_back' });
  expect(last().reason).toMatch(/during its soak: it exited and was restarted \d+ times?\./);
});

it('rolls back when a probe of its label fails twice, and not for one bad moment', async () => {
  const probe = { exitCode: 0 };
  scene.engine.addImage({ reference: 'nginx:stable', scripts: { ask: () => probe } });
  oldId = scene.engine.runContainer(nginx({ labels: { 'update.soak': '30m', 'update.probe': 'exec:ask' } }));
  const calls: number[] = [];
  let bad = 0;
  const answer = () => ({ exitCode: calls.push(1) > 0 && bad-- > 0 ? 1 : 0 });
  scene.hear(
    'docker.io/library/nginx:stable',
    scene.engine.publish('nginx:stable', { scripts: { ask: answer } }).digest,
  );
  await scene.settle();
  bad = 3;
  await pass(MINUTE);
  expect(last().status).toBe('succeeded');
  bad = 100;
  await pass(MINUTE);
  expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
});

it('does not take a container that is stopped while its probe is asked for one that fails', async () => {
  scene.engine.addImage({ reference: 'nginx:stable', scripts: { ask: {} } });
  scene.engine.runContainer(nginx({ restart: 'always', labels: { 'update.soak': '30m', 'update.probe': 'exec:ask' } }));
  let stops = false;
  const { host } = scene.engine;
  const ask = () => {
    if (stops) host.stop(host.find(NAME));
    return { exitCode: stops ? 137 : 0 };
  };
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { scripts: { ask } }).digest);
  await scene.settle();
  stops = true;
  await pass(MINUTE);
  expect([last().status, soak()?.status]).toEqual(['succeeded', 'watching']);
});

it('goes on after a restart of the process and of the engine, and neither counts as a failure', async () => {
  await update();
  await pass(MINUTE);
  await nextStart();
  scene.engine.host.restartDaemon('SIGKILL');
  await pass(MINUTE);
  expect(last().status).toBe('succeeded');
  expect(scene.engine.isRunning(oldId)).toBe(false);
  expect(soak()?.status).toBe('watching');
  await becomesUnhealthy();
  expect(last().status).toBe('rolled_back');
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('does not contradict an operator who stops or pauses the container', async () => {
  await update();
  await scene.engine.stop(scene.engine.container(NAME).Id);
  await pass(MINUTE);
  expect([last().status, soak()?.status]).toEqual(['succeeded', 'watching']);
  await pass(30 * MINUTE);
  expect(last().reason).toContain('The container was stopped by an operator and does not run.');
});

it('asks by mail where it is not known whether the container was stopped on request', async () => {
  await update({ restart: 'no' });
  await scene.engine.stop(scene.engine.container(NAME).Id);
  await pass(MINUTE);
  expect([last().status, soak()?.status]).toEqual(['succeeded', 'deciding']);
  expect(scene.mails().at(-1)).toMatchObject({ kind: 'soak_failed' });
});

it('ends when a newer update takes the place of the container, whose own soak starts', async () => {
  await update();
  const [first] = scene.updates();
  const second = scene.engine.container(NAME).Id;
  await pass(MINUTE);
  await publish();
  expect(scene.updates().map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  await pass(MINUTE);
  expect(scene.store.soaks.of(first?.id ?? '')).toMatchObject({
    status: 'ended',
    outcome: expect.stringContaining('Another container'),
  });
  expect(aside()).toHaveLength(1);
  expect(scene.engine.host.containers.has(oldId)).toBe(false);
  expect(scene.engine.isRunning(second)).toBe(false);
  await becomesUnhealthy();
  expect(last().status).toBe('rolled_back');
  expect(scene.engine.container(NAME).Id).toBe(second);
});

it('goes on after a newer update that was rolled back', async () => {
  await update();
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health: 'exits' }).digest);
  await scene.settle();
  expect(scene.updates().map(({ status }) => status)).toEqual(['succeeded', 'rolled_back']);
  await pass(MINUTE);
  const [first] = scene.updates();
  expect(scene.store.soaks.of(first?.id ?? '')?.status).toBe('watching');
  expect(scene.engine.host.containers.has(oldId)).toBe(true);
});

it('ends when `docker compose up -d` puts another container in its place', async () => {
  await update();
  const { host } = scene.engine;
  host.stop(host.find(NAME));
  host.remove(NAME);
  host.remove(oldId);
  scene.engine.runContainer(nginx({ restart: 'always' }));
  await pass(MINUTE);
  expect(last()).toMatchObject({
    status: 'succeeded',
    reason: expect.stringContaining('Another container now has the name web-nginx-1'),
  });
  expect(scene.engine.containerNames()).toEqual([NAME]);
  expect(scene.store.keptContainers.all()).toEqual([]);
});

it.each([0, 2])(
  'finishes what `docker compose up -d` left half done, as Compose 2.26 does in a soak (%i refusals)',
  async (times) => {
    await update();
    let refused = 0;
    scene.engine.onCall('start', () => {
      if (++refused <= times) throw new EngineError('engine_refused', 'The engine is busy.');
    });
    const { host } = scene.engine;
    host.stop(host.find(NAME));
    host.remove(NAME);
    host.remove(oldId);
    const made = scene.engine.runContainer(
      nginx({ name: `${oldId.slice(0, 12)}_${NAME}`, restart: 'always', stopped: true }),
    );
    await pass(MINUTE);
    expect(scene.engine.containerNames()).toEqual([NAME]);
    expect([scene.engine.container(NAME).Id, scene.engine.isRunning(NAME)]).toEqual([made, true]);
    expect(last()).toMatchObject({
      status: 'succeeded',
      reason: expect.stringContaining('did not finish: diun-pilot gave'),
    });
    expect(last().reason).toContain('diun-pilot can no longer roll this update back');
    expect(scene.store.keptContainers.all()).toEqual([]);
    const mails = scene.mails().filter(({ kind }) => kind === 'soak_ended');
    expect(mails.map(({ subject }) => subject)).toEqual([
      `[diun-pilot] ${NAME}: re-created by docker compose up during its soak – no rollback is possible`,
    ]);
    expect(mails[0]?.text.replace(/\s+/g, ' ')).toContain('diun-pilot gave the container');
    await pass(60 * MINUTE);
    expect(scene.mails().filter(({ kind }) => kind === 'soak_ended')).toHaveLength(1);
  },
);

it('reports a container that Compose left and that does not start, and never says that it runs', async () => {
  await update();
  const { host } = scene.engine;
  host.stop(host.find(NAME));
  host.remove(NAME);
  host.remove(oldId);
  scene.engine.runContainer(nginx({ name: `${oldId.slice(0, 12)}_${NAME}`, restart: 'always', stopped: true }));
  scene.engine.failNext('start', new Error('no such device'));
  await pass(MINUTE);
  expect(scene.engine.containerNames()).toEqual([NAME]);
  expect(last().reason).toMatch(/gave the container \w+ its name\. It does not start: .*no such device/);
  const [mail] = scene.mails().filter(({ kind }) => kind === 'soak_ended');
  expect(mail?.subject).toBe(`[diun-pilot] ${NAME}: does not run after docker compose up – manual action required`);
  expect(mail?.text).toContain(`docker logs --tail 100 ${NAME}`);
});

it('gives a container that Compose left its name also after a crash between two calls', async () => {
  await update();
  const { host } = scene.engine;
  host.stop(host.find(NAME));
  host.remove(NAME);
  host.remove(oldId);
  const id = scene.engine.runContainer(
    nginx({ name: `${oldId.slice(0, 12)}_${NAME}`, restart: 'always', stopped: true }),
  );
  await scene.clock.advance(MINUTE);
  scene.engine.failNext('rename', new Error('it is gone for a moment'));
  await scene.settle();
  await pass(MINUTE);
  expect([scene.engine.containerNames(), scene.engine.container(NAME).Id]).toEqual([[NAME], id]);
  expect(scene.engine.isRunning(NAME)).toBe(true);
  expect(scene.mails().filter(({ kind }) => kind === 'soak_ended')).toHaveLength(1);
});

it('no longer lists an old container that was removed externally, and promises no rollback', async () => {
  await update();
  scene.engine.host.remove(oldId);
  await pass(MINUTE);
  expect(soak()?.status).toBe('watching');
  expect(scene.store.keptContainers.all()).toEqual([]);
  await pass(MINUTE);
  const said = 'The old container was removed externally, so this update can no longer be rolled back.';
  expect(last().reason.split(said)).toHaveLength(2);
});

it('keeps the old container to its time when the operator removes the new one, and never removes the last', async () => {
  await update();
  const { host } = scene.engine;
  host.stop(host.find(NAME));
  host.remove(NAME);
  await pass(MINUTE);
  expect(soak()).toMatchObject({ status: 'ended', outcome: expect.stringContaining('removed or renamed externally') });
  await pass(60 * MINUTE);
  expect(host.containers.has(oldId)).toBe(true);
  const kept = scene.store.keptContainers.find(oldId) as KeptContainer;
  expect(leftOver(kept)).toMatch(/only copy of the data.*`docker rename \S+ web-nginx-1 && docker start web-nginx-1`/);
  expect(leftOver(kept)).not.toContain('docker rm ');
});

it('reports a rollback that is impossible, since the operator removed the old container', async () => {
  await update();
  scene.engine.host.remove(oldId);
  await becomesUnhealthy();
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
  expect(scene.engine.containerNames()).toEqual([NAME]);
  expect(soak()?.status).toBe('ended');
});

it('keeps the image and the backup of the update until its soak has ended', async () => {
  scene.deps.keepImages = 0;
  await update();
  const { Image } = scene.engine.container(oldId);
  await pass(MINUTE);
  expect(scene.engine.host.images.onEngine.has(Image)).toBe(true);
  await pass(30 * MINUTE);
  expect(scene.engine.host.images.onEngine.has(Image)).toBe(false);
});

it('does nothing of the kind while diun-pilot observes', async () => {
  await update();
  scene.deps.mode = 'observe';
  await becomesUnhealthy();
  expect(last().status).toBe('succeeded');
  scene.deps.mode = 'act';
  await scene.settle();
  expect(last().status).toBe('rolled_back');
});
