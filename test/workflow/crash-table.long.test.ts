import type { Behaviour } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// The process dies before and after every single call that it makes to the engine during an update, and is started again
// on the same database file (the same table with SIGKILL on a real engine: test/e2e).

interface Situation {
  health: Behaviour;
  ends: string[];
}

async function updateWithCrash(
  { health }: Situation,
  crash: { at: number; when: 'before' | 'after' } | null,
): Promise<{ scene: Scene; calls: number; images: { old: string; next: string }; oldId: string }> {
  const first = openScene();
  const old = first.engine.addImage({ reference: 'nginx:stable' });
  const oldId = first.engine.runContainer(nginx());
  const next = first.engine.publish('nginx:stable', { health });
  first.hear('docker.io/library/nginx:stable', next.digest);
  const images = { old: old.id, next: next.id };
  if (crash === null) {
    await first.settle();
    return { scene: first, calls: first.engine.callCount, images, oldId };
  }
  const died = first.engine.crashAt(crash.at, crash.when);
  // How often health is polled differs by a call or two from run to run: then the last crash comes after the end.
  await Promise.race([died, first.settle()]);
  const second = first.restart();
  await second.settle();
  return { scene: second, calls: crash.at, images, oldId };
}

describe.each<[string, Situation]>([
  ['a healthy image', { health: 'healthy', ends: ['succeeded'] }],
  ['an image that never works', { health: 'exits', ends: ['rolled_back'] }],
])('%s, with a crash at every call', (_, situation) => {
  it('always ends with one whole container, a final state, one mail of it, and the right tag', async () => {
    const whole = await updateWithCrash(situation, null);
    const calls = whole.calls;
    whole.scene.close();
    expect(calls).toBeGreaterThan(15);
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after'] as const) {
        const { scene, images, oldId } = await updateWithCrash(situation, { at, when });
        const where = `crash ${when} call ${at}`;
        const [update, ...others] = scene.updates();
        expect([where, others.length, update?.status]).toEqual([where, 0, situation.ends[0]]);
        expect([where, scene.engine.containerNames()]).toEqual([where, ['web-nginx-1']]);
        expect([where, scene.engine.isRunning('web-nginx-1')]).toEqual([where, true]);
        const runs = scene.engine.container('web-nginx-1');
        const rolledBack = update?.status === 'rolled_back';
        expect([where, runs.Image]).toEqual([where, rolledBack ? images.old : images.next]);
        if (rolledBack) expect([where, runs.Id]).toEqual([where, oldId]);
        expect([where, scene.engine.tagged('nginx:stable')]).toEqual([where, runs.Image]);
        const failed = scene.mails().filter(({ kind }) => kind === 'update_failed');
        expect([where, failed.length]).toEqual([where, rolledBack ? 1 : 0]);
        expect([where, update?.steps.some(({ status }) => status === 'running')]).toEqual([where, false]);
        scene.close();
      }
    }
  });
});
