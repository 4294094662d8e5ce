import { reconcile } from '../../src/decisions/reconcile';
import { decideById } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import { EngineError } from '../../src/domain/errors';
import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import type { Update } from '../../src/domain/update';
import type { FakeImage, ImageSpec } from '../support/fake-engine-types';
import { openScene, type Scene } from '../support/scene';
import { FakeSwarm, type FakeServiceSpec } from '../support/swarm/fake-swarm';

// Swarm services, from the event to the verdict, on a Swarm that is a state machine.
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

async function announced(spec: ImageSpec = {}): Promise<FakeImage> {
  const image = scene.engine.publish('nginx:1.28', spec);
  scene.hear(IMAGE, image.digest);
  await scene.settle();
  return image;
}

const only = (): Update => {
  expect(scene.updates()).toHaveLength(1);
  return scene.updates()[0] as Update;
};
const stepsOf = ({ steps }: Update): string[] => steps.map(({ name, status }) => `${name} ${status}`);
const imageNow = async (): Promise<string | undefined> =>
  (await scene.swarm.service('site_web')).Spec.TaskTemplate.ContainerSpec?.Image;
const withConfig = (FailureAction: 'pause' | 'continue' | 'rollback'): Partial<ServiceSpec> => ({
  UpdateConfig: { FailureAction, Parallelism: 1 },
});

describe('a good image', () => {
  it('is rolled out by its digest, with the tag of the spec, and no container is touched', async () => {
    run({ replicas: 2 });
    const next = await announced();
    expect(only()).toMatchObject({
      ...{ kind: 'service', container: 'site_web', project: 'site', service: 'web', status: 'succeeded', error: null },
      from: { reference: 'nginx:1.28', digest: old.digest },
      to: { reference: 'nginx:1.28', digest: next.digest },
    });
    expect(stepsOf(only())).toEqual([
      'backup skipped',
      'pull skipped',
      'preflight succeeded',
      'rollout succeeded',
      'health_check succeeded',
      'cleanup skipped',
    ]);
    expect(scene.swarm.lines).toEqual([`update site_web nginx:1.28@${next.digest}`]);
    expect(scene.engine.lines()).toEqual([]);
    expect(only().reason).toMatch(/^site_web runs nginx:1\.28 and is healthy: 2 of 2 tasks run the image/);
  });

  it('waits for approval with a plan that names the rollout, and runs once it is approved', async () => {
    run({ labels: { 'update.policy': 'manual' }, spec: { UpdateConfig: { Order: 'start-first', Parallelism: 0 } } });
    await announced();
    expect(only()).toMatchObject({ status: 'awaiting_approval', kind: 'service' });
    const plan = scene.store.updates.plan(only().id);
    expect(plan?.course.join(' ')).toContain('all tasks at once, start-first, failure_action pause');
    expect(plan?.risks[0]).toMatch(/^Downtime: none is expected/);
    expect(scene.mails().at(-1)?.text).not.toMatch(/(?:no|old) container/);
    await decideById(scene.deps, only().id, 'approve', 'api');
    await scene.settle();
    expect(only()).toMatchObject({ status: 'succeeded' });
    expect(scene.mails().at(-1)?.subject).toContain('updated');
  });

  it('of a tag that moves while its approval waits supersedes that, and a declined one is not offered again', async () => {
    run({ labels: { 'update.policy': 'manual' } });
    await announced();
    const second = await announced();
    const [first, offered] = scene.updates();
    expect([first?.status, offered?.status]).toEqual(['superseded', 'awaiting_approval']);
    await decideById(scene.deps, offered?.id ?? '', 'decline', 'api');
    await reconcile(scene.deps);
    scene.hear(IMAGE, second.digest, 'new');
    await scene.settle();
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'declined', 'ignored']);
    expect(scene.swarm.lines).toEqual([]);
  });

  it('keeps everything else of the spec', async () => {
    run({ spec: { ...withConfig('continue'), Networks: [{ Target: 'net' }], EndpointSpec: { Mode: 'dnsrr' } } });
    const before = (await scene.swarm.service('site_web')).Spec;
    const next = await announced();
    const { Spec } = await scene.swarm.service('site_web');
    const ContainerSpec = { Image: `nginx:1.28@${next.digest}` };
    expect(Spec).toEqual({ ...before, TaskTemplate: { ...before.TaskTemplate, ContainerSpec } });
  });

  it('of a new tag is followed by what to write into the stack file', async () => {
    run({ labels: { 'diun.watch_repo': 'true' } });
    const next = scene.engine.publish('nginx:1.29');
    await reconcile(scene.deps);
    await scene.settle();
    expect(only()).toMatchObject({ status: 'succeeded', source: 'reconcile' });
    expect(await imageNow()).toBe(`nginx:1.29@${next.digest}`);
    expect(only().followUp).toContain('In the file of the stack site, service web, change');
  });

  it('that only has a new index is nothing to do', async () => {
    run();
    await announced({ id: old.id });
    expect(only()).toMatchObject({ status: 'ignored', reason: expect.stringContaining('already runs the image') });
  });

  it('is requested by the operator by the name of the service', async () => {
    run({ labels: { 'update.policy': 'manual' } });
    const next = scene.engine.publish('nginx:1.28');
    await requestUpdate(scene.deps, { container: 'site_web' });
    await scene.settle();
    expect(only()).toMatchObject({ status: 'succeeded', source: 'operator' });
    expect(await imageNow()).toBe(`nginx:1.28@${next.digest}`);
  });
});

describe('an image that fails', () => {
  const rolledBack = {
    status: 'rolled_back',
    error: {
      code: 'unhealthy',
      message: expect.stringContaining('site_web.1 on node-here: failed (task: non-zero exit (1))'),
    },
  };

  it('and whose task is told as failed only after the pause is reported with that task', async () => {
    run();
    scene.swarm.failsLateMs = 2_500;
    await announced({ health: 'exits' });
    expect(only()).toMatchObject(rolledBack);
  });

  it('and is paused by Swarm is rolled back by Swarm, verified, quarantined and reported', async () => {
    run();
    const next = await announced({ health: 'exits' });
    expect(only()).toMatchObject(rolledBack);
    expect(stepsOf(only()).slice(3)).toEqual([
      'rollout failed',
      'rollback succeeded',
      'rollback_health_check succeeded',
    ]);
    expect(scene.swarm.lines).toEqual([`update site_web nginx:1.28@${next.digest}`, 'rollback site_web']);
    expect(await imageNow()).toBe(`nginx:1.28@${old.digest}`);
    expect(scene.store.refusals.find('site_web', next.digest)?.why).toBe('failed');
    const mail = scene.mails().at(-1);
    expect(mail?.subject).toContain('rolled back');
    expect(mail?.text).not.toMatch(/old container/);
  });

  it('and is rolled back by the failure action of the service is only verified', async () => {
    run({ spec: withConfig('rollback') });
    await announced({ health: 'exits' });
    expect(only()).toMatchObject(rolledBack);
    expect(scene.swarm.lines).toHaveLength(1);
    expect(only().error?.message).toContain('Swarm rolled it back');
  });

  it('although Swarm says completed (failure_action continue) is rolled back', async () => {
    run({ spec: withConfig('continue') });
    await announced({ health: 'exits' });
    expect(only()).toMatchObject(rolledBack);
    expect(stepsOf(only()).slice(3)).toEqual([
      'rollout succeeded',
      'health_check failed',
      'rollback succeeded',
      'rollback_health_check succeeded',
    ]);
  });

  it('only by our probe is rolled back', async () => {
    old.spec.scripts = { ask: {} };
    run({ labels: { 'update.probe': 'exec:ask', 'update.probe.timeout': '20s' } });
    await announced({ scripts: { ask: { exitCode: 7, stderr: 'no database' } } });
    expect(only()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(only().error?.message).toContain('no database');
    expect(await imageNow()).toBe(`nginx:1.28@${old.digest}`);
  });

  it('and whose old version fails, too, is a failed rollback', async () => {
    run();
    scene.swarm.onUpdate = () => void (old.spec.health = 'exits');
    await announced({ health: 'exits' });
    expect(only()).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
    expect(scene.mails().at(-1)?.text).toContain('docker service ps');
  });

  it('and whose old version fails its probe as it did before is not said to be broken', async () => {
    old.spec.scripts = { ask: { exitCode: 7, stderr: 'no database' } };
    run({ labels: { 'update.probe': 'exec:ask', 'update.probe.timeout': '20s' } });
    await announced({ scripts: old.spec.scripts });
    expect(only()).toMatchObject({ status: 'rollback_failed', error: { code: 'unhealthy_as_before' } });
    expect(await imageNow()).toBe(`nginx:1.28@${old.digest}`);
    const { subject, text = '' } = scene.mails().at(-1) ?? {};
    expect(subject).toContain('rolled back, its health check fails as before the update');
    expect(subject).not.toContain('rollback failed');
    expect(text.replace(/\s+/g, ' ')).toMatch(/its label update\.probe may be wrong.*If site_web works/);
    expect(text).toContain('docker service ps');
    expect(text).not.toMatch(/Then bring it back|docker service update|old container|docker compose up/);
  });

  it('to find a node has a deadline, a verdict with the reason, and is not held against the image', async () => {
    run();
    const next = scene.engine.publish('nginx:1.28');
    scene.swarm.unplaceable.add(`nginx:1.28@${next.digest}`);
    scene.hear(IMAGE, next.digest);
    await scene.settle();
    expect(only()).toMatchObject({ status: 'rolled_back', error: { code: 'preflight_blocked' } });
    expect(only().error?.message).toMatch(/did not end within .*no suitable node/);
    expect(only().error?.message.match(/no suitable node/g)).toHaveLength(1);
    expect(scene.store.refusals.find('site_web', next.digest)).toBeNull();
  });
});

describe('another client', () => {
  it('that updates the service at the same moment: nothing is changed', async () => {
    run();
    scene.swarm.onUpdate = (when) =>
      when === 'before' &&
      scene.swarm.changeFromOutside('site_web', (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 3 } } }));
    await announced();
    expect(only()).toMatchObject({ status: 'failed', error: { code: 'changed_meanwhile' } });
    expect(scene.swarm.lines).toEqual([]);
    expect(await imageNow()).toBe(`nginx:1.28@${old.digest}`);
  });

  it('that gives it another image during the rollout: it is left as that client wants it', async () => {
    run();
    const other = scene.engine.publish('nginx:1.26');
    const image = `nginx:1.26@${other.digest}`;
    scene.swarm.onUpdate = (when) =>
      when === 'after' &&
      scene.swarm.changeFromOutside('site_web', (spec) => ({
        ...spec,
        TaskTemplate: { ContainerSpec: { Image: image } },
      }));
    await announced();
    expect(only()).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
    expect(scene.swarm.lines).toHaveLength(1);
    expect(await imageNow()).toBe(image);
  });

  it('whose rollout is under way or paused: nothing is changed', async () => {
    run();
    await scene.swarm.service('site_web');
    const service = (await scene.swarm.services())[0];
    await scene.swarm.update(service!, { ...service!.Spec, Labels: { ...service!.Spec.Labels, more: 'x' } });
    const next = scene.engine.publish('nginx:1.28');
    scene.swarm.setStatus('site_web', { State: 'updating', Message: 'update in progress' });
    scene.hear(IMAGE, next.digest);
    await scene.settle();
    expect(only()).toMatchObject({ status: 'failed', error: { code: 'preflight_blocked' } });
  });
});

describe('a SIGKILL of diun-pilot', () => {
  const dies = async (
    when: 'before' | 'after',
    spec: ImageSpec = {},
    meanwhile: () => unknown = () => undefined,
  ): Promise<FakeImage> => {
    const died = new Promise<void>((resolve) => {
      scene.swarm.onUpdate = (at) => {
        if (at !== when) return;
        resolve();
        return new Promise<void>(() => undefined);
      };
    });
    const image = scene.engine.publish('nginx:1.28', spec);
    scene.hear(IMAGE, image.digest);
    void scene.settle();
    await died;
    meanwhile();
    scene = scene.restart();
    await scene.settle();
    return image;
  };

  it.each(['before', 'after'] as const)(
    '%s Swarm has the request: the next start completes the update',
    async (when) => {
      run();
      const next = await dies(when);
      expect(only()).toMatchObject({ status: 'succeeded' });
      expect(scene.swarm.lines).toEqual([`update site_web nginx:1.28@${next.digest}`]);
      expect(scene.mails().filter(({ subject }) => subject.includes('update available'))).toHaveLength(1);
    },
  );

  it('while GET /info then fails: the update waits for its answer, and is probed', async () => {
    old.spec.scripts = { ask: {} };
    run({ labels: { 'update.probe': 'exec:ask', 'update.probe.timeout': '20s' } });
    const role = jest.spyOn(FakeSwarm.prototype, 'role');
    let failing = false;
    role.mockImplementation(function (this: FakeSwarm) {
      if (failing) return Promise.reject(new EngineError('engine_refused', 'The Docker Engine refused: server error'));
      return Promise.resolve(this.current);
    });
    try {
      await expect(
        dies('after', { scripts: { ask: { exitCode: 7, stderr: 'no database' } } }, () => (failing = true)),
      ).rejects.toMatchObject({ code: 'engine_unreachable' });
      expect(only()).toMatchObject({ status: 'running' });
      failing = false;
      await scene.settle();
    } finally {
      role.mockRestore();
    }
    expect(only()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(only().error?.message).toContain('no database');
  });

  it.each(['pause', 'rollback'] as const)(
    'while a bad image is rolled out (%s): it is rolled back, with one mail',
    async (action) => {
      run({ spec: withConfig(action) });
      await dies('after', { health: 'exits' });
      expect(only()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
      expect(scene.mails().filter(({ subject }) => subject.includes('rolled back'))).toHaveLength(1);
    },
  );
});

describe('a task on another node', () => {
  it('is not probed by a command, and the verdict says so', async () => {
    run({ node: 'node-b', labels: { 'update.probe': 'exec:ask' } });
    await announced();
    expect(only()).toMatchObject({ status: 'succeeded' });
    expect(only().reason).toContain('not probed on node-b: the exec probe runs on the node of diun-pilot only');
  });

  it('is probed over a published port', async () => {
    run({ node: 'node-b', labels: { 'update.probe': 'tcp://:80', 'update.probe.timeout': '5s' } });
    scene.swarm.publishPort('site_web', { TargetPort: 80, PublishedPort: 1, Protocol: 'tcp' });
    await announced();
    expect(only()).toMatchObject({ status: 'rollback_failed' });
    expect(only().error?.message).toContain('nothing accepts connections on port 1');
  });
});

describe('a service that cannot be updated says why', () => {
  it.each<[string, Partial<FakeServiceSpec>, RegExp]>([
    [
      'holds data in no volume',
      { labels: { 'backup.kind': 'files', 'backup.paths': '/data' } },
      /\/data of site_web is in no named volume.*No backup, no update/,
    ],
    ['is scaled to 0', { replicas: 0 }, /docker service scale site_web=1/],
    ['is a job', { spec: { Mode: { ReplicatedJob: {} } } }, /is a job/],
    ['is pinned by the operator', { labels: { 'com.docker.stack.image': 'nginx:1.28@sha256:1' } }, /No tag can move/],
    ['is ignored', { labels: { 'update.policy': 'ignore' } }, /update\.policy=ignore/],
  ])('%s', async (_, fields, reason) => {
    run(fields);
    await announced();
    expect(only()).toMatchObject({ status: 'ignored', reason: expect.stringMatching(reason) });
    expect(scene.swarm.lines).toEqual([]);
  });

  it('when another service of its stack has data that cannot be backed up', async () => {
    const app = scene.engine.publish('app:1');
    const labels = { 'com.docker.stack.namespace': 'site', 'backup.kind': 'postgres' };
    scene.swarm.addService({ name: 'site_db', image: `app:1@${app.digest}`, labels, replicas: 2 });
    run();
    await announced();
    expect(only()).toMatchObject({
      status: 'ignored',
      reason: expect.stringContaining('in the stack site with site_db, whose data cannot be backed up'),
    });
    await expect(requestUpdate(scene.deps, { container: 'site_web' })).rejects.toMatchObject({
      code: 'service_refused',
    });
  });
});

it.each(['none', 'worker'] as const)(
  'an engine of role %s has no services, and no further call is made',
  async (role) => {
    run();
    scene.swarm.current = role === 'none' ? { role } : { role, nodeId: 'node-b' };
    for (const method of ['services', 'service', 'tasks', 'nodes'] as const)
      Object.assign(scene.swarm, { [method]: () => Promise.reject(new Error(`${method} was called`)) });
    await announced();
    expect(only()).toMatchObject({ status: 'ignored', container: null });
  },
);
