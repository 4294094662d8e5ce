import { setImmediate } from 'node:timers/promises';
import { EngineError, PilotError } from '../../src/domain/errors';
import { askedRestore, dataOf, FORGE, leftovers, nextProcess, restoreOf } from '../support/restore-scene';
import type { Scene } from '../support/scene';

it('a restore that takes the service down at every try is undone at the third: all serve on the data from before', async () => {
  const { forge, changed, ...asked } = await askedRestore();
  let { scene } = asked;
  for (let times = 0; times < 3; times++) {
    await Promise.race([scene.engine.crashAt('extract', 'after'), scene.settle()]);
    expect(restoreOf(scene).status).toBe('running');
    scene = nextProcess(scene);
  }
  await scene.settle();
  const message = expect.stringMatching(/stopped 3 times while it unpacked .* The previous data is in place/);
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error: { code: 'restore_failed', message } });
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
  expect(leftovers(scene.engine, forge.databases)).toEqual([]);
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual([]);
  scene.close();
});

it('an engine that goes away is not counted', async () => {
  const { forge, backedUp, ...asked } = await askedRestore();
  let { scene } = asked;
  for (let times = 0; times < 4; times++) {
    scene.engine.onCall('extract', () => void (scene.engine.reachable = false));
    await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
    scene = nextProcess(scene);
  }
  await scene.settle();
  expect(restoreOf(scene).status).toBe('succeeded');
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
  scene.close();
});

it('whatever another process starts while it is unpacked is stopped before the data changes places, and runs again', async () => {
  const { forge, backedUp, scene } = await askedRestore();
  const { engine } = scene;
  const [started, idle] = ['forge-gitea-1', 'forge-runner-1'];
  engine.onCall('containers', () => engine.host.stop(engine.host.find(idle)), { once: true });
  const startBoth = (): void => [started, idle].forEach((name) => engine.host.start(engine.host.find(name)));
  engine.onCall('extract', startBoth, { once: true, when: 'after' });
  const ran: boolean[] = [];
  const isSwapping = (): boolean => scene.store.restores.journal(restoreOf(scene).id)?.stage === 'swapping';
  engine.onCall('createContainer', () => {
    if (isSwapping()) ran.push(engine.isRunning(started), engine.isRunning(idle));
  });
  await scene.settle();
  expect(ran.length).toBeGreaterThan(0);
  expect(ran).not.toContain(true);
  expect(restoreOf(scene).status).toBe('succeeded');
  expect(dataOf(engine, forge.databases)).toEqual(backedUp);
  expect(FORGE.filter((name) => !engine.isRunning(name))).toEqual([]);
  scene.close();
});

it('what is still being unpacked ends before a database that failed undoes the restore', async () => {
  const { forge, changed, scene } = await askedRestore();
  scene.engine.onCall('execInput', ({ line }) => {
    if (line.includes('pg_restore -w')) throw new PilotError('engine_refused', 'The disk of the databases is full.');
  });
  const stages: (string | undefined)[] = [];
  scene.engine.onCall('extract', async () => {
    for (let turn = 0; turn < 500; turn++) await setImmediate();
    stages.push(scene.store.restores.journal(restoreOf(scene).id)?.stage);
  });
  await scene.settle();
  expect(stages).toEqual(stages.map(() => 'staging'));
  expect(stages.length).toBeGreaterThan(0);
  expect(restoreOf(scene)).toMatchObject({
    status: 'failed',
    error: { message: expect.stringMatching(/disk of the databases is full/) },
  });
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
  expect(leftovers(scene.engine, forge.databases)).toEqual([]);
  scene.close();
});

const GITEA = 'forge-gitea-1';

function remove({ engine }: Scene): void {
  engine.host.stop(engine.host.find(GITEA));
  engine.host.remove(GITEA);
}

it('starts the others again when a container of the set is removed while the restore is interrupted (seed 20648)', async () => {
  const { forge, changed, scene: killed } = await askedRestore();
  await Promise.race([killed.engine.crashAt('extract', 'after'), killed.settle()]);
  remove(killed);
  const scene = nextProcess(killed);
  await scene.settle();
  const message = expect.stringMatching(
    /There is no container for .* of forge-gitea-1.*docker compose up -d.*The previous data is in place, but not every container is healthy/s,
  );
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error: { code: 'restore_failed', message } });
  expect(forge.databases).toEqual(changed.databases);
  expect(FORGE.filter((name) => name !== GITEA && !scene.engine.isRunning(name))).toEqual([]);
  scene.close();
});

it.each(['extract', 'rename'] as const)(
  'goes on with the container that Compose created anew meanwhile: interrupted at %s (seed 20758)',
  async (where) => {
    const { forge, backedUp, scene: killed } = await askedRestore();
    const isThere = (line: string): boolean => (where === 'extract' ? /^extract/ : /RENAME TO/).test(line);
    const died = new Promise((resolve) => {
      killed.engine.onCall(where === 'extract' ? 'extract' : 'exec', ({ line }) => {
        if (!isThere(line)) return;
        resolve(killed.engine.crashAt(killed.engine.callCount + 1, 'before'));
      });
    });
    await Promise.race([died, killed.settle()]);
    const { Config, HostConfig } = killed.engine.container(GITEA);
    remove(killed);
    const volumes = { 'forge-files': '/data' };
    killed.engine.runContainer({ name: GITEA, image: Config.Image, labels: Config.Labels ?? {}, volumes });
    expect(HostConfig).toBeDefined();
    const scene = nextProcess(killed);
    await scene.settle();
    expect(restoreOf(scene)).toMatchObject({ status: 'succeeded', error: null });
    expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
    expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual([]);
    scene.close();
  },
);

it('starts none on data that is half of the set when a container is removed between its swap and that of the databases', async () => {
  const { scene: killed } = await askedRestore();
  killed.engine.onCall('exec', ({ line }) => {
    if (line.includes('RENAME TO')) void killed.engine.crashAt(killed.engine.callCount + 1, 'before');
  });
  const renamed = new Promise<void>((resolve) =>
    killed.engine.onCall('exec', ({ line }) => void (line.includes('RENAME TO') && resolve())),
  );
  await Promise.race([renamed, killed.settle()]);
  remove(killed);
  const scene = nextProcess(killed);
  await scene.settle();
  const message = expect.stringMatching(
    /There is no container for .* of forge-gitea-1.*could not be put back.*Left stopped, because the data is only partly restored: .*forge-runner-1/s,
  );
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error: { message } });
  expect(scene.engine.isRunning('forge-runner-1')).toBe(false);
  scene.close();
});

it('lets no writer run while the data is put back that another process started during the swap (seed 20619)', async () => {
  const { forge, changed, scene } = await askedRestore();
  const { engine } = scene;
  const isIn = (stage: string): boolean => scene.store.restores.journal(restoreOf(scene).id)?.stage === stage;
  engine.onCall('exec', ({ line }) => {
    if (!line.includes('RENAME TO') || !isIn('swapping')) return;
    engine.host.start(engine.host.find(GITEA));
    throw new EngineError('engine_refused', 'not now');
  });
  const ran: boolean[] = [];
  engine.onCall('createContainer', () => void (isIn('undoing') && ran.push(engine.isRunning(GITEA))));
  await scene.settle();
  expect(restoreOf(scene).status).toBe('failed');
  expect(ran.length).toBeGreaterThan(0);
  expect(ran).not.toContain(true);
  expect(dataOf(engine, forge.databases)).toEqual(changed);
  expect(FORGE.filter((name) => !engine.isRunning(name))).toEqual([]);
  scene.close();
});

it('starts all again when the undoing is interrupted once the data is back, although no stop is accepted any more', async () => {
  const { forge, changed, scene: killed } = await askedRestore();
  const { engine, store } = killed;
  const journal = () => store.restores.journal(restoreOf(killed).id);
  engine.onCall('exec', ({ line }) => {
    if (line.includes('RENAME TO') && journal()?.stage === 'swapping')
      throw new EngineError('engine_refused', 'not now');
  });
  // One runs again by then.
  const died = new Promise<void>((resolve) => {
    const dies = (): void => {
      const isBack = journal()?.stage === 'undoing' && journal()?.swapBegan === false;
      if (isBack && engine.isRunning(FORGE[1] ?? '')) void engine.crashAt(engine.callCount + 1, 'before').then(resolve);
    };
    engine.onCall('start', dies, { when: 'after' });
  });
  await Promise.race([died, killed.settle()]);
  expect(restoreOf(killed).status).toBe('running');
  const scene = nextProcess(killed);
  scene.engine.onCall('stop', ({ line }) => {
    if (/^stop forge-[a-z]+-1$/.test(line)) throw new EngineError('engine_refused', 'not now');
  });
  await scene.settle();
  expect(restoreOf(scene).status).toBe('failed');
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual([]);
  scene.close();
});
