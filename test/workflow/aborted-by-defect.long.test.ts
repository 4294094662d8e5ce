import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { migratingForge } from '../support/migrating-forge';
import { FORGE } from '../support/restore-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// A defect ends a run past the swap: it is rolled back in the next turn. If that cannot be done, either, the verdict says what is
// known, and nothing is started that must stay stopped.

/** When what is left over is listed at the end of the run. */
function defectAtTheEnd({ engine, store }: Scene, stages: readonly string[], times = 1): void {
  let thrown = 0;
  engine.onCall('containers', () => {
    const [running] = store.updates.withStatus('running');
    const stage = running && store.updates.journal(running.id)?.stage;
    const isBetweenSteps = running?.steps.every(({ status }) => status !== 'running');
    if (thrown >= times || stage === undefined || !stages.includes(stage) || !isBetweenSteps) return;
    thrown++;
    throw new Error('a defect');
  });
}

async function updateTo(
  health: 'healthy' | 'exits',
  defect: (scene: Scene) => void = (scene) => defectAtTheEnd(scene, ['settled', 'rolling_back']),
): Promise<Scene> {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx());
  defect(scene);
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health }).digest);
  await scene.settle();
  return scene;
}

/** The entry of the rollback is refused so often. */
function lockedAtRollback({ store }: Scene, times: number): void {
  const saveJournal = store.updates.saveJournal.bind(store.updates);
  let refused = 0;
  store.updates.saveJournal = (id, journal) => {
    if (journal.stage === 'rolling_back' && refused++ < times) throw new Error('database is locked');
    saveJournal(id, journal);
  };
}

it('rolls back although the database is locked when the rollback begins, for what the health check found', async () => {
  const scene = await updateTo('exits', (each) => lockedAtRollback(each, 1));
  const [update] = scene.updates();
  expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(scene.store.refusals.find('web-nginx-1', update?.to.digest ?? '')).not.toBeNull();
  expect(scene.log.some(({ reason }) => reason === 'database is locked')).toBe(true);
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  scene.close();
});

it('completes a rollback that a defect has ended', async () => {
  const scene = await updateTo('exits');
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  scene.close();
});

it('keeps what the update was rolled back for, and the digest in quarantine', async () => {
  // Once in the update itself, and twice in each of three rollbacks.
  const scene = await updateTo('exits', (each) => defectAtTheEnd(each, ['rolling_back'], 7));
  const [update] = scene.updates();
  expect(update).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(update?.error?.message).toMatch(/^a defect\. The update was rolled back because: It has restarted once/);
  expect(scene.store.refusals.find('web-nginx-1', update?.to.digest ?? '')).not.toBeNull();
  scene.close();
});

it('speaks of no rollback when the new version was healthy', async () => {
  const scene = await updateTo('healthy');
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
  expect(scene.mails().map(({ kind }) => kind)).not.toContain('update_failed');
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  scene.close();
});

it('starts no writer on data of which half is restored', async () => {
  const { forge } = await migratingForge();
  const { scene, specs } = forge;
  const scripts = specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as (call: CommandCall) => Outcome;
  let renamed = false;
  scripts['psql *'] = (call) => {
    if (renamed) return { exitCode: 2, stderr: 'FATAL:  the disk is full' };
    renamed = call.command.some((word) => word.includes(' RENAME TO '));
    return psql(call);
  };
  defectAtTheEnd(scene, ['restoring']);
  await scene.settle();
  expect(scene.updates()[0]).toMatchObject({
    status: 'rollback_failed',
    error: { message: expect.stringMatching(/^a defect.*Also left stopped.*: forge-runner-1\./) },
  });
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual(['forge-gitea-1', 'forge-runner-1']);
  scene.close();
});
