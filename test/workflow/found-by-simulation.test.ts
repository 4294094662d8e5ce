import { EngineError } from '../../src/domain/errors';
import { askedRestore, FORGE, nextProcess, restoreOf } from '../support/restore-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// What worlds of `npm run simulate` have shown, as short as it can be said. The seed is that of the first find.

it('no step runs on after the end of an update that a crash and an outsider cut short (seed 7)', async () => {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable' });
  const oldId = first.engine.runContainer(nginx());
  const next = first.engine.publish('nginx:stable');
  first.hear('docker.io/library/nginx:stable', next.digest);
  await Promise.race([first.engine.crashAt('pull', 'after'), first.settle()]);
  first.engine.host.stop(first.engine.host.find(oldId));
  first.engine.host.remove(oldId);
  first.engine.runContainer(nginx());
  const second = first.restart();
  await second.settle();
  const [update] = second.updates();
  expect(update).toMatchObject({ status: 'failed', error: { code: 'changed_meanwhile' } });
  expect(update?.steps.find(({ name }) => name === 'pull')).toMatchObject({
    status: 'failed',
    detail: 'The step was interrupted.',
    finishedAt: expect.any(String),
  });
  second.close();
});

it('brings the service back that an outsider removes while the end of a broken-off update is recorded (seed 500021)', async () => {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable' });
  const oldId = first.engine.runContainer(nginx());
  const next = first.engine.publish('nginx:stable');
  first.hear('docker.io/library/nginx:stable', next.digest);
  await Promise.race([first.engine.crashAt('createContainer', 'after'), first.settle()]);
  const second = first.restart();
  let refused = 0;
  // For as long as it is repeated.
  const refuse = (): void => {
    if (++refused <= 7) throw new EngineError('engine_refused', 'The engine refuses.');
  };
  second.engine.onCall('stop', refuse, { when: 'after' });
  const { host } = second.engine;
  const removeOld = (): void => {
    host.stop(host.find(oldId));
    host.remove(oldId);
  };
  // What is left over is disarmed when the container that has the name was seen for the last time.
  second.engine.onCall('updateContainer', removeOld, { once: true });
  await second.settle();
  const [update] = second.updates();
  expect(update).toMatchObject({ status: 'failed', error: { code: 'changed_meanwhile' } });
  expect(update?.reason).toMatch(
    /^(?:The old .*)?No container of web-nginx-1 was left\. It was re-created as .*diun-pilot started it/,
  );
  expect(second.mails().at(-1)?.text).not.toContain('diun-pilot changed nothing');
  const served = second.engine.container('web-nginx-1');
  expect([served.State.Running, served.Image]).toEqual([true, second.engine.tagged('nginx:stable')]);
  expect(served.Image).not.toBe(next.id);
  second.close();
});

it('says that the container is down when an outsider removed it and none can be started', async () => {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  const oldId = scene.engine.runContainer(nginx());
  const next = scene.engine.publish('nginx:stable');
  scene.hear('docker.io/library/nginx:stable', next.digest);
  const { host } = scene.engine;
  const remove = (): void => {
    host.stop(host.find(oldId));
    host.remove(oldId);
    scene.engine.onCall('start', () => {
      throw new EngineError('engine_refused', 'port is already allocated');
    });
  };
  scene.engine.onCall('pull', remove, { when: 'after', once: true });
  await scene.settle();
  expect(scene.updates()[0]?.error?.code).toBe('changed_meanwhile');
  const mail = scene.mails().at(-1);
  expect(mail?.subject).toContain('DOWN, container was removed or stopped externally – manual action required');
  expect(mail?.text).toMatch(/port\s+is\s+already\s+allocated/);
  expect(mail?.text).not.toContain('changed nothing');
  scene.close();
});

it('pulls the old image again when a prune removed it with the container that was stopped for its backup (seed 319)', async () => {
  const scene = openScene();
  const old = scene.engine.addImage({ reference: 'nginx:stable' });
  const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
  const oldId = scene.engine.runContainer(nginx({ labels, volumes: { data: '/data' } }));
  scene.engine.files('web-nginx-1').write('/data/one', '1');
  const next = scene.engine.publish('nginx:stable');
  scene.hear('docker.io/library/nginx:stable', next.digest);
  const { host } = scene.engine;
  const prune = (): void => {
    for (const { inspect } of [...host.containers.values()]) host.remove(inspect.Id);
    host.images.onEngine.delete(old.id);
  };
  scene.engine.onCall('createContainer', prune, { when: 'after', once: true });
  await scene.settle();
  const [update] = scene.updates();
  expect(update).toMatchObject({ status: 'failed', error: { code: 'changed_meanwhile' } });
  const served = scene.engine.container('web-nginx-1');
  expect([served.State.Running, served.Image, served.Id === oldId]).toEqual([true, old.id, false]);
  expect(scene.engine.tagged('nginx:stable')).toBe(old.id);
  expect(scene.engine.files('web-nginx-1').read('/data/one')?.toString()).toBe('1');
  scene.close();
});

it.each(['tag', 'createContainer', 'start'] as const)(
  'brings the service back though an outsider goes on removing: before the call %s of that (seed 1050620)',
  async (method) => {
    const scene = openScene();
    const old = scene.engine.addImage({ reference: 'nginx:stable' });
    scene.engine.runContainer(nginx());
    const next = scene.engine.publish('nginx:stable');
    scene.hear('docker.io/library/nginx:stable', next.digest);
    const { host } = scene.engine;
    const removeAll = (): void => {
      for (const { inspect } of [...host.containers.values()]) {
        host.stop(host.find(inspect.Id));
        host.remove(inspect.Id);
      }
      host.images.onEngine.delete(old.id);
    };
    const againBefore = (): void => scene.engine.onCall(method, removeAll, { once: true });
    scene.engine.onCall('rename', () => (removeAll(), againBefore()), { once: true });
    await scene.settle();
    const reason = expect.stringMatching(
      /No container of web-nginx-1 was left. It was re-created as .*, as before, and/,
    );
    expect(scene.updates()).toMatchObject([
      { status: 'rollback_failed', reason, error: { code: 'changed_meanwhile' } },
    ]);
    const served = scene.engine.container('web-nginx-1');
    expect([served.State.Running, served.Image]).toEqual([true, old.id]);
    expect(scene.engine.tagged('nginx:stable')).toBe(old.id);
    scene.close();
  },
);

it('starts the old container only once the new one is stopped that an outsider started again by its name (seed 3002245)', async () => {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  const oldId = scene.engine.runContainer(nginx({ ports: {}, volumes: { data: '/data' } }));
  const next = scene.engine.publish('nginx:stable', { health: 'crash-loop' });
  scene.hear('docker.io/library/nginx:stable', next.digest);
  const { host } = scene.engine;
  const restartByName = (): void => {
    const bearer = [...host.containers.values()].find(({ inspect }) => inspect.Name === '/web-nginx-1');
    if (bearer && bearer.inspect.Id !== oldId) host.start(bearer);
  };
  let both = 0;
  scene.engine.onCall('rename', restartByName);
  scene.engine.onCall(
    'start',
    () => {
      both = Math.max(both, [...host.containers.values()].filter((one) => host.state(one).Running).length);
    },
    { when: 'after' },
  );
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
  expect(both).toBe(1);
  scene.close();
});

it('finds the old container healthy though the clock was set back since its start (seed 3003252)', async () => {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  const edge = scene.engine.runContainer({ name: 'edge', image: 'nginx:stable' });
  const hostConfig = { NetworkMode: `container:${edge}` };
  scene.engine.runContainer(nginx({ ports: {}, hostConfig, labels: { 'update.strategy': 'handover' } }));
  await scene.clock.advance(-3_600_000);
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health: 'exits' }).digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
  scene.close();
});

it('brings the service back though the engine refuses a call of that (seed 3008824)', async () => {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  const oldId = scene.engine.runContainer(nginx());
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  const { host } = scene.engine;
  const removeAll = (): void => {
    host.stop(host.find(oldId));
    host.remove(oldId);
    const refuse = (): never => {
      throw new EngineError('engine_refused', 'The engine refuses.');
    };
    scene.engine.onCall('createContainer', refuse, { once: true });
  };
  scene.engine.onCall('pull', removeAll, { when: 'after', once: true });
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'changed_meanwhile' } }]);
  expect(scene.engine.container('web-nginx-1').State.Running).toBe(true);
  scene.close();
});

it.each(['start', 'inspectContainer', 'updateContainer'] as const)(
  'starts what was stopped for the backup although the engine refuses any one %s of that (seeds 4000869, 4001329, 4002998)',
  async (call) => {
    for (let which = 1; which <= 12; which++) {
      const scene = openScene();
      scene.engine.addImage({ reference: 'nginx:stable' });
      const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
      const oldId = scene.engine.runContainer(nginx({ labels, volumes: { data: '/data' } }));
      const next = scene.engine.publish('nginx:stable');
      scene.hear('docker.io/library/nginx:stable', next.digest);
      const refuse = (): never => {
        throw new EngineError('engine_refused', 'The engine refuses.');
      };
      // The backup fails, and then the way back meets one more refusal.
      let calls = 0;
      const refuseOne = (): void => {
        calls += 1;
        if (calls === which) refuse();
      };
      const wayBack = (): void => {
        scene.engine.onCall(call, refuseOne);
        refuse();
      };
      scene.engine.onCall('archive', wayBack, { once: true });
      await scene.settle();
      const served = scene.engine.container('web-nginx-1');
      expect([which, served.Id, served.State.Running]).toEqual([which, oldId, true]);
      scene.close();
    }
  },
);

it('says that two versions ran next to each other, though the process dies after the stop of one (seed 51)', async () => {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable' });
  const labels = { 'update.soak': '30m' };
  const oldId = first.engine.runContainer(nginx({ ports: {}, volumes: { data: '/data' }, labels }));
  first.hear('docker.io/library/nginx:stable', first.engine.publish('nginx:stable').digest);
  await first.settle();
  first.engine.host.start(first.engine.host.find(oldId));
  await Promise.race([first.engine.crashAt('stop', 'after'), first.settle()]);
  const second = first.restart();
  await second.settle();
  expect(second.engine.isRunning(oldId)).toBe(false);
  expect(second.updates()[0]?.reason).toContain('was started externally next to web-nginx-1, and was stopped again');
  second.close();
});

it('leaves no one-off of a restore behind whose removal the engine refuses once (seed 305)', async () => {
  for (let which = 1; which <= 5; which++) {
    const { scene } = await askedRestore();
    const { engine } = scene;
    let removals = 0;
    engine.onCall('remove', () => {
      if (++removals === which) throw new EngineError('engine_refused', 'device or resource busy');
    });
    await scene.settle();
    expect([which, restoreOf(scene).status]).toEqual([which, 'succeeded']);
    expect(engine.containerNames().filter((name) => name.includes('.diun-pilot-'))).toEqual([]);
    scene.close();
  }
}, 300_000);

it('goes on with an interrupted restore when the engine refuses the first list of containers (seed 5205)', async () => {
  const { scene: killed } = await askedRestore();
  await Promise.race([killed.engine.crashAt('extract', 'after'), killed.settle()]);
  const scene = nextProcess(killed);
  scene.engine.failNext('containers', new EngineError('engine_refused', 'not now'));
  await scene.settle();
  expect(restoreOf(scene).status).toBe('succeeded');
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual([]);
  scene.close();
}, 60_000);

it('leaves no one-off of a restore hidden that a crash left and the next process is refused a look at (seeds 10246, 12935)', async () => {
  for (let which = 1; which <= 12; which++) {
    const { scene: killed } = await askedRestore();
    await Promise.race([killed.engine.crashAt('createContainer', 'after'), killed.settle()]);
    expect(oneOffsOf(killed)).toHaveLength(1);
    const scene = nextProcess(killed);
    let looks = 0;
    scene.engine.onCall('inspectContainer', () => {
      if (++looks === which) throw new EngineError('engine_refused', 'not now');
    });
    await scene.settle();
    expect([which, restoreOf(scene).finishedAt, oneOffsOf(scene)]).toEqual([which, expect.any(String), []]);
    scene.close();
  }
}, 300_000);

it('lists the one-off of a restore whose removal the engine goes on refusing, and removes it later', async () => {
  const { scene } = await askedRestore();
  let refused = 0;
  scene.engine.onCall('remove', ({ args: [id] }) => {
    const name = scene.engine.container(String(id)).Name;
    if (name.includes('gitea-1.diun-pilot-restore-') && ++refused <= 40)
      throw new EngineError('engine_refused', 'device or resource busy');
  });
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error: { code: 'restore_refused' } });
  const [name = ''] = oneOffsOf(scene);
  expect(scene.store.keptContainers.all()).toMatchObject([{ name, leftover: true }]);
  for (let tries = 0; tries < 40; tries++) {
    await scene.clock.advance(600_000);
    await scene.settle();
  }
  expect([oneOffsOf(scene), scene.store.keptContainers.all()]).toEqual([[], []]);
  expect(FORGE.filter((each) => !scene.engine.isRunning(each))).toEqual([]);
  scene.close();
}, 60_000);

function oneOffsOf({ engine }: Scene): string[] {
  return engine.containerNames().filter((name) => name.includes('.diun-pilot-'));
}
