import type { Behaviour } from '../support/fake-engine-types';
import { someOf } from '../support/exhaustive';
import { runProxied, type Proxied } from '../support/proxied-scene';

// The process dies before and after every call of an update whose dependents are restarted, and is started again on the same
// database file. However it goes, the whole service works at its end.

interface Situation {
  restart: boolean;
  labels: Record<string, string>;
  image: { health?: Behaviour; answers?: boolean };
  ends: string;
}

const HANDOVER = { 'update.strategy': 'handover' };
const SITUATIONS: [string, Situation][] = [
  ['dependents in order', { restart: true, labels: {}, image: {}, ends: 'succeeded' }],
  ['a rollback, dependents in order', { restart: true, labels: {}, image: { health: 'exits' }, ends: 'rolled_back' }],
  ['a rollback for nginx', { restart: true, labels: {}, image: { answers: false }, ends: 'rolled_back' }],
  ['an old address', { restart: false, labels: {}, image: {}, ends: 'succeeded' }],
  ['a handover', { restart: true, labels: HANDOVER, image: {}, ends: 'succeeded' }],
  ['a handover, rolled back', { restart: true, labels: HANDOVER, image: { answers: false }, ends: 'rolled_back' }],
];

async function callsOf({ restart, labels, image, ends }: Situation): Promise<number> {
  const { scene, update } = runProxied({ restart, labels });
  await update(image);
  expect(scene.updates()).toMatchObject([{ status: ends }]);
  const calls = scene.engine.callCount;
  scene.close();
  return calls;
}

async function crash(situation: Situation, at: number, when: 'before' | 'after'): Promise<Proxied> {
  const { restart, labels, image } = situation;
  const proxied = runProxied({ restart, labels });
  proxied.publish(image);
  const died = proxied.scene.engine.crashAt(at, when);
  await Promise.race([died, proxied.scene.settle()]);
  const scene = proxied.scene.restart();
  await scene.settle();
  return { ...proxied, scene };
}

describe.each(SITUATIONS)('%s, with a crash at every call', (_, situation) => {
  it('ends with its verdict, one mail of it, and every container of the service working', async () => {
    const calls = await callsOf(situation);
    for (const at of someOf([...Array(calls).keys()], 7)) {
      for (const when of ['before', 'after'] as const) {
        const { scene, serves } = await crash(situation, at + 1, when);
        const where = `crash ${when} call ${at + 1}`;
        const running = ['web-app-1', 'web-nginx-1', 'web-worker-1'];
        expect([where, scene.updates().map(({ status }) => status)]).toEqual([where, [situation.ends]]);
        expect([where, scene.engine.containerNames()]).toEqual([where, running]);
        expect([where, running.map((name) => scene.engine.isRunning(name))]).toEqual([where, [true, true, true]]);
        expect([where, serves()]).toEqual([where, 200]);
        const policies = running.map((name) => scene.engine.container(name).HostConfig.RestartPolicy?.Name);
        expect([where, new Set(policies)]).toEqual([where, new Set(['unless-stopped'])]);
        const failed = scene.mails().filter(({ kind }) => kind === 'update_failed').length;
        expect([where, failed]).toEqual([where, situation.ends === 'succeeded' ? 0 : 1]);
        scene.close();
      }
    }
  });
});
