import type { Update } from '../../src/domain/update';
import type { FakeImage } from '../support/fake-engine-types';
import { openScene, type Scene } from '../support/scene';
import { FakeSwarm, type FakeServiceSpec } from '../support/swarm/fake-swarm';

// Swarm moves tasks to another node while an update is checked.
const IMAGE = 'docker.io/library/nginx:1.28';
const WATCHED = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };

let scene: Scene;
let old: FakeImage;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
  old = scene.engine.publish('nginx:1.28');
});
afterEach(() => scene.close());

function run(fields: Partial<FakeServiceSpec> = {}): void {
  const labels = { ...WATCHED, ...fields.labels };
  scene.swarm.addService({ name: 'site_web', image: `nginx:1.28@${old.digest}`, ...fields, labels });
}

const only = (): Update => {
  expect(scene.updates()).toHaveLength(1);
  return scene.updates()[0] as Update;
};

describe('tasks that Swarm moves', () => {
  /** At the nth question for its tasks after the new image runs. */
  async function movedAt(nth: number): Promise<void> {
    const image = scene.engine.publish('nginx:1.28');
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const real = FakeSwarm.prototype.tasks;
    let asked = 0;
    const tasks = jest.spyOn(FakeSwarm.prototype, 'tasks').mockImplementation(async function (this: FakeSwarm, id) {
      const found = await real.call(this, id);
      if (!found.some(({ Spec }) => Spec.ContainerSpec?.Image.endsWith(image.digest))) return found;
      asked += 1;
      if (asked !== nth) return found;
      this.moveTasks('site_web');
      return real.call(this, id);
    });
    try {
      scene.hear(IMAGE, image.digest);
      await scene.settle();
    } finally {
      tasks.mockRestore();
    }
  }

  it.each([3, 4, 5, 6])('during the check (%i) are checked again, and not held against the image', async (nth) => {
    run({ replicas: 2 });
    await movedAt(nth);
    expect(only()).toMatchObject({ status: 'succeeded', error: null });
  });
});

describe('a rollout that Swarm pauses', () => {
  /** As when it ends a task of a drained node while it watches it: by then each task runs the new image elsewhere. */
  async function pausedWith(ended: () => void): Promise<string> {
    const image = scene.engine.publish('nginx:1.28');
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const real = FakeSwarm.prototype.service;
    let isPaused = false;
    const service = jest.spyOn(FakeSwarm.prototype, 'service').mockImplementation(async function (this: FakeSwarm, id) {
      const found = await real.call(this, id);
      if (isPaused || found.UpdateStatus?.State !== 'completed') return found;
      isPaused = true;
      ended();
      this.setStatus('site_web', { State: 'paused', Message: 'update paused due to early termination of task t1' });
      return real.call(this, id);
    });
    try {
      scene.hear(IMAGE, image.digest);
      await scene.settle();
    } finally {
      service.mockRestore();
    }
    return image.digest;
  }

  it('for a task that it ended itself does not count against the image', async () => {
    run({ replicas: 2 });
    const digest = await pausedWith(() => scene.swarm.moveTasks('site_web'));
    expect(only()).toMatchObject({ status: 'rolled_back', error: { code: 'preflight_blocked' } });
    expect(only().error?.message).toMatch(/^Swarm paused the rollout .*2 of 2 tasks run the image/);
    expect(scene.store.refusals.find('site_web', digest)).toBeNull();
  });
});
