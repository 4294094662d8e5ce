import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { migratingForge } from '../support/migrating-forge';
import { FORGE } from '../support/restore-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// A defect ends a run past the swap: the verdict says what is known, and nothing is started that must stay stopped.

/** Once, when what is left over is listed at the end of the run. */
function defectAtTheEnd({ engine, store }: Scene, stages: readonly string[]): void {
  let thrown = false;
  engine.onCall('containers', () => {
    const [running] = store.updates.withStatus('running');
    const stage = running && store.updates.journal(running.id)?.stage;
    const isBetweenSteps = running?.steps.every(({ status }) => status !== 'running');
    if (thrown || stage === undefined || !stages.includes(stage) || !isBetweenSteps) return;
    thrown = true;
    throw new Error('a defect');
  });
}

async function updateTo(health: 'healthy' | 'exits'): Promise<Scene> {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx());
  defectAtTheEnd(scene, ['settled', 'rolling_back']);
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health }).digest);
  await scene.settle();
  return scene;
}

it('keeps what the update was rolled back for, and the digest in quarantine', async () => {
  const scene = await updateTo('exits');
  const [update] = scene.updates();
  expect(update).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(update?.error?.message).toMatch(/^a defect\. It was rolled back because: It has restarted once/);
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
