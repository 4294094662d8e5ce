import type { FakeEngine } from '../support/fake-engine';
import type { Behaviour } from '../support/fake-engine-types';
import { openScene, runBehindEdge, type Scene } from '../support/scene';

// As crash-table.long.test.ts, of a handover: besides, at no moment does nobody serve.

interface Situation {
  health: Behaviour;
  ends: string;
}

interface Outcome {
  scene: Scene;
  calls: number;
  images: { old: string; next: string };
  oldId: string;
  /** Calls after which neither the old one nor a working new one ran. */
  gaps: string[];
}

async function handOver(
  { health }: Situation,
  crash: { at: number; when: 'before' | 'after' } | null,
): Promise<Outcome> {
  const first = openScene();
  const old = first.engine.addImage({ reference: 'nginx:stable' });
  const { nginx: oldId } = runBehindEdge(first.engine);
  const next = first.engine.publish('nginx:stable', { health });
  const gaps: string[] = [];
  const serving = health === 'healthy' ? [old.id, next.id] : [old.id];
  watchService(first.engine, serving, gaps);
  first.hear('docker.io/library/nginx:stable', next.digest);
  const outcome = { images: { old: old.id, next: next.id }, oldId, gaps };
  if (crash === null) {
    await first.settle();
    return { ...outcome, scene: first, calls: first.engine.callCount };
  }
  const died = first.engine.crashAt(crash.at, crash.when);
  // How often health is polled differs by a call or two from run to run: then the last crash comes after the end.
  await Promise.race([died, first.settle()]);
  const second = first.restart();
  watchService(second.engine, serving, gaps);
  await second.settle();
  return { ...outcome, scene: second, calls: crash.at };
}

function watchService(engine: FakeEngine, serving: string[], gaps: string[]): void {
  for (const method of ['stop', 'start', 'remove', 'rename'] as const) {
    engine.onCall(
      method,
      ({ line }) => {
        const running = engine.containerNames().map((name) => engine.container(name));
        if (!running.some(({ Image, State }) => State.Running && serving.includes(Image))) gaps.push(line);
      },
      { when: 'after' },
    );
  }
}

describe.each<[string, Situation]>([
  ['a healthy image', { health: 'healthy', ends: 'succeeded' }],
  ['an image that never works', { health: 'exits', ends: 'rolled_back' }],
])('a handover to %s, with a crash at every call', (_, situation) => {
  it('always ends with one whole container, a final state, one mail of it, the right tag, and never stops serving', async () => {
    const whole = await handOver(situation, null);
    whole.scene.close();
    expect(whole.calls).toBeGreaterThan(15);
    for (let at = 1; at <= whole.calls; at++) {
      for (const when of ['before', 'after'] as const) {
        const { scene, images, oldId, gaps } = await handOver(situation, { at, when });
        const where = `crash ${when} call ${at}`;
        const [update, ...others] = scene.updates();
        expect([where, others.length, update?.status]).toEqual([where, 0, situation.ends]);
        expect([where, scene.engine.containerNames()]).toEqual([where, ['web-edge-1', 'web-nginx-1']]);
        const runs = scene.engine.container('web-nginx-1');
        const rolledBack = update?.status === 'rolled_back';
        expect([where, runs.State.Running, runs.Image]).toEqual([where, true, rolledBack ? images.old : images.next]);
        expect([where, runs.Id === oldId]).toEqual([where, rolledBack]);
        expect([where, scene.engine.tagged('nginx:stable')]).toEqual([where, runs.Image]);
        const failed = scene.mails().filter(({ kind }) => kind === 'update_failed');
        expect([where, failed.length]).toEqual([where, rolledBack ? 1 : 0]);
        expect([where, update?.steps.some(({ status }) => status === 'running')]).toEqual([where, false]);
        expect([where, gaps]).toEqual([where, []]);
        scene.close();
      }
    }
  });
});
