import { requestRenewal } from '../../src/certificates/renewal-queue';
import { requestUpdate } from '../../src/decisions/request-update';
import { firstJournal } from '../../src/domain/journal';
import { workOnce } from '../../src/queue/worker';
import { nginx, openScene, type Scene } from '../support/scene';
import { aNewUpdate } from '../support/update-builder';

let scene: Scene;
beforeEach(() => (scene = openScene()));
afterEach(() => scene.close());

/** A line for everything that has ended by now. */
function ended(): string[] {
  const { updates, backups, renewals, restores, timers } = scene.store;
  return [
    ...restores.list(9).flatMap(({ finishedAt }) => (finishedAt === null ? [] : ['restore'])),
    ...updates
      .list({ limit: 9 })
      .updates.flatMap(({ container, finishedAt }) => (finishedAt ? [`update ${container}`] : [])),
    ...backups
      .list(9)
      .flatMap(({ updateId, reason, finishedAt, drill }) => [
        ...(finishedAt !== null && updateId === null && reason === 'operator' ? ['backup'] : []),
        ...(drill === null ? [] : ['drill']),
      ]),
    ...renewals.list(9).flatMap(({ finishedAt }) => (finishedAt === null ? [] : ['renewal'])),
    ...(timers.get('backup-ages')?.last ? ['what is due by time'] : []),
    ...(timers.get('leftovers')?.last ? ['the look for what the restore left'] : []),
  ];
}

it('does one thing at a time: restores, automatic before manual updates, backups, renewals, what is due, drills', async () => {
  const { store, engine, clock } = scene;
  for (const [name, policy] of [
    ['manual', 'manual'],
    ['automatic', 'automatic'],
  ] as const) {
    engine.addImage({ reference: `${name}:1` });
    engine.runContainer(nginx({ name, image: `${name}:1`, ports: {}, labels: { 'update.policy': policy } }));
  }
  const drilled = store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
  store.backups.change(drilled.id, { status: 'succeeded', finishedAt: clock.now().toISOString() });
  store.backups.askDrill(drilled.id);
  store.timers.ring('backup-ages', clock.now().toISOString());
  requestRenewal(scene.deps, { reason: 'operator' });
  store.backups.insert({ project: 'web', container: null, reason: 'operator', updateId: null });
  for (const container of ['manual', 'automatic']) {
    engine.publish(`${container}:1`);
    await requestUpdate(scene.deps, { container });
  }
  store.restores.insert({ backupId: 'b', folder: 'web/none', url: 'file:///web/none', target: null, updateId: null });

  const order: string[] = [];
  while (await workOnce(scene.deps)) {
    const now = ended().filter((each) => !order.includes(each));
    expect(now).toHaveLength(1);
    order.push(...now);
  }
  expect(order).toEqual([
    'restore',
    'update automatic',
    'update manual',
    'backup',
    'renewal',
    'what is due by time',
    'the look for what the restore left',
    'drill',
  ]);
});

it('what an update has begun comes before a restore that is asked for', async () => {
  const { store, engine } = scene;
  engine.addImage({ reference: 'automatic:1' });
  engine.runContainer(nginx({ name: 'automatic', image: 'automatic:1', ports: {} }));
  engine.publish('automatic:1');
  const { id } = await requestUpdate(scene.deps, { container: 'automatic' });
  const begun = store.updates.change(id, { status: 'running' });
  store.updates.saveJournal(id, firstJournal(begun, engine.container('automatic'), null));
  store.restores.insert({ backupId: 'b', folder: 'web/none', url: 'file:///web/none', target: null, updateId: null });
  expect(await workOnce(scene.deps)).toBe(true);
  expect(ended()).toEqual(['update automatic']);
  expect(await workOnce(scene.deps)).toBe(true);
  expect(ended()).toEqual(['restore', 'update automatic']);
});

it('a restore by a link is refused when the update that ran meanwhile has succeeded', async () => {
  const { store, engine, clock } = scene;
  engine.addImage({ reference: 'automatic:1' });
  engine.runContainer(nginx({ name: 'automatic', image: 'automatic:1', ports: {} }));
  engine.publish('automatic:1');
  const broken = store.updates.insert(aNewUpdate({ container: 'automatic', status: 'running' }));
  const anHourAgo = new Date(clock.now().getTime() - 3_600_000).toISOString();
  store.updates.change(broken.id, { status: 'rollback_failed', finishedAt: anHourAgo });
  const { id } = await requestUpdate(scene.deps, { container: 'automatic' });
  const begun = store.updates.change(id, { status: 'running' });
  store.updates.saveJournal(id, firstJournal(begun, engine.container('automatic'), null));
  const set = { backupId: 'b', folder: 'web/none', url: 'file:///web/none', target: null };
  const restore = store.restores.insert({ ...set, updateId: broken.id });
  await scene.settle();
  expect(store.updates.get(id)?.status).toBe('succeeded');
  expect(store.restores.get(restore.id)).toMatchObject({
    status: 'failed',
    error: {
      code: 'restore_refused',
      message: expect.stringMatching(/A later update of automatic.*succeeded.*Nothing/),
    },
  });
});
