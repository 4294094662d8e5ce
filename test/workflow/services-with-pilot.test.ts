import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import { openScene, type Scene } from '../support/scene';

// diun-pilot in a task of a service: two instances on two nodes would share no lock.
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
});
afterEach(() => scene.close());

describe('diun-pilot as a service', () => {
  const pinned = { TaskTemplate: { Placement: { Constraints: ['node.labels.diun-pilot == true'] } } };
  const anywhere = {};
  function runPilot(spec: Partial<ServiceSpec>, replicas = 1): void {
    const image = scene.engine.publish('diun-pilot:1');
    scene.swarm.addService({ name: 'pilot', image: `diun-pilot:1@${image.digest}`, spec, replicas });
    const name = scene.engine.containerNames().find((each) => each.startsWith('pilot.1.')) ?? '';
    scene.deps.selfId = scene.engine.container(name).Id;
    scene.swarm.addService({ name: 'other', image: `diun-pilot:1@${image.digest}`, node: 'node-b' });
  }

  it.each<[string, Partial<ServiceSpec>, number, RegExp | null]>([
    ['on one node by a label', pinned, 1, null],
    ['on any node', anywhere, 1, /pilot runs diun-pilot.*may also start it on node-b.*placement constraint/],
    ['with two replicas', pinned, 2, /pilot runs diun-pilot.*one replica \(docker service scale pilot=1\)/],
    [
      'with start-first',
      { ...pinned, UpdateConfig: { Order: 'start-first' } },
      1,
      /order start-first\. Use stop-first/,
    ],
  ])('%s: two instances never act at once', async (_, spec, replicas, refusal) => {
    scene.swarm.nodeLabels = { 'node-here': { 'diun-pilot': 'true' } };
    runPilot(spec, replicas);
    const labels = { 'diun.enable': 'true', 'update.policy': 'automatic' };
    const old = scene.engine.publish('nginx:1.28');
    scene.swarm.addService({ name: 'web', image: `nginx:1.28@${old.digest}`, labels });
    const { digest } = scene.engine.publish('nginx:1.28');
    scene.hear('docker.io/library/nginx:1.28', digest);
    await scene.settle();
    const [update] = scene.updates();
    if (refusal === null) expect(update).toMatchObject({ status: 'succeeded' });
    else expect(update).toMatchObject({ status: 'ignored', reason: expect.stringMatching(refusal) });
  });
});
