import { setImmediate } from 'node:timers/promises';
import { PilotError } from '../../src/domain/errors';
import { askedRestore, dataOf, FORGE, leftovers, nextProcess, restoreOf } from '../support/restore-scene';

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
