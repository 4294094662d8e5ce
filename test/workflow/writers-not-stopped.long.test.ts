import { EngineError } from '../../src/domain/errors';
import type { FakeEngine, Method } from '../support/fake-engine';
import { migratingForge, type Migrating } from '../support/migrating-forge';
import { keptOf } from '../support/restore-scene';

// A restore after a rollback replaces what any writer has written since the backup, also one that did not run at its stop.

const JOB = 'forge-job-1';
let migrating: Migrating;
afterEach(() => migrating.forge.scene.close());

/** A job of the project that uses its database, and ran for the last time a minute ago. */
function addJob(name = JOB): void {
  const { engine, clock } = migrating.forge.scene;
  const labels = {
    ...migrating.forge.inProject,
    'com.docker.compose.service': 'job',
    'com.docker.compose.depends_on': 'db:service_healthy:true',
  };
  engine.runContainer({ name, image: 'runner:1', labels });
  engine.host.stop(engine.host.find(name), 0, false);
  void clock.advance(60_000);
}

function runsAndEnds({ host }: FakeEngine, name: string): void {
  host.start(host.find(name));
  host.stop(host.find(name), 0, false);
}

/** `step`: how the step of the restore ended; undefined: there was none. */
async function expectNotRestored(quiesced: boolean, step?: 'failed'): Promise<void> {
  const { forge } = migrating;
  await forge.scene.settle();
  const [update] = forge.scene.updates();
  expect(update).toMatchObject({ status: 'rollback_failed' });
  expect(update?.steps.find(({ name }) => name === 'restore')?.status).toBe(step);
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced }]);
  expect(keptOf(forge.scene.engine, forge.databases).files).toEqual({});
}

describe.each<[string, Method, boolean, 'failed'?]>([
  ['while it is backed up', 'archive', false],
  ['after it was backed up', 'createContainer', true],
  ['while the containers are swapped', 'rename', true],
  ['while the backup is unpacked', 'extract', true, 'failed'],
])('nothing is restored where, %s, another process', (_when, call, quiesced, step) => {
  beforeEach(async () => void (migrating = await migratingForge()));

  it.each<[string, (engine: FakeEngine) => void]>([
    ['has started a writer that did not run', ({ host }) => host.start(host.find(JOB))],
    ['has run one that ended again', (engine) => runsAndEnds(engine, JOB)],
    ['has run a new one', (engine) => (addJob('forge-job-run-1'), runsAndEnds(engine, 'forge-job-run-1'))],
  ])('%s', async (_what, act) => {
    addJob();
    migrating.forge.scene.engine.onCall(call, () => act(migrating.forge.scene.engine), { once: true });
    await expectNotRestored(quiesced, step);
  });
});

describe.each<[string, (engine: FakeEngine) => void]>([
  ['has started the old container', ({ host }) => host.start(host.find('forge-gitea-1'))],
  ['has run it for a moment', (engine) => runsAndEnds(engine, 'forge-gitea-1')],
])('where another process, while the backup is unpacked, %s', (_what, act) => {
  it('nothing is restored, and both the old container and what it has written are there', async () => {
    migrating = await migratingForge();
    const { engine } = migrating.forge.scene;
    const starts = (): void => {
      act(engine);
      engine.files('forge-gitea-1').write('/data/repo/pushed.txt', 'work');
    };
    engine.onCall('extract', starts, { once: true });
    await expectNotRestored(true, 'failed');
    expect(engine.files('forge-gitea-1').read('/data/repo/pushed.txt')?.toString()).toBe('work');
    expect(engine.isRunning('forge-gitea-1')).toBe(true);
    const [update] = migrating.forge.scene.updates();
    expect(update?.error?.message).toContain('Another process started forge-gitea-1 while the backup was unpacked');
  });
});

describe('a container that keeps restarting by its policy, as one does on data that a newer version has changed', () => {
  const ALWAYS = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } };

  /** It ends and is started again by the engine right before it is stopped. */
  function restartsBeforeItsStop(name: string, when: () => boolean): void {
    const { engine } = migrating.forge.scene;
    const container = engine.host.find(name);
    Object.assign(container.inspect.HostConfig, ALWAYS);
    let restarted = false;
    const restart = (): void => {
      restarted = true;
      engine.host.stop(container, 1, false);
      engine.host.start(container);
    };
    engine.onCall('stop', ({ args: [id] }) => void (!restarted && id === container.inspect.Id && when() && restart()));
  }

  async function expectRestored(): Promise<void> {
    const { forge } = migrating;
    await forge.scene.settle();
    expect(forge.scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
    expect(forge.scene.updates()[0]?.steps.find(({ name }) => name === 'restore')?.status).toBe('succeeded');
  }

  it('is not taken for one that another process started, when it is stopped for the backup', async () => {
    migrating = await migratingForge();
    addJob();
    const { clock, engine } = migrating.forge.scene;
    engine.host.start(engine.host.find(JOB));
    await clock.advance(60_000);
    restartsBeforeItsStop(JOB, () => true);
    await expectRestored();
  });

  it('nor when it is stopped for the restore', async () => {
    migrating = await migratingForge();
    const { store } = migrating.forge.scene;
    const restores = (): boolean =>
      store.updates.withStatus('running').some(({ id }) => store.updates.journal(id)?.restore?.stage === 'staging');
    restartsBeforeItsStop('forge-gitea-1', restores);
    await expectRestored();
  });

  it.each<[string, Method, string]>([
    [
      'while its policy is taken away',
      'updateContainer',
      'Cannot update container x: cannot update a stopped container: unknown',
    ],
    ['while it is stopped', 'stop', 'cannot stop container x: container not running'],
  ])('and that ends %s is asked again', async (_when, call, message) => {
    migrating = await migratingForge();
    const { engine } = migrating.forge.scene;
    Object.assign(engine.host.find('forge-gitea-1').inspect.HostConfig, ALWAYS);
    engine.failNext(call, new EngineError('engine_refused', `The Docker Engine refused: ${message}`));
    await expectRestored();
  });
});

describe('a container of docker compose run', () => {
  const RUN = 'forge-gitea-run-1';
  beforeEach(async () => {
    migrating = await migratingForge();
    const { engine } = migrating.forge.scene;
    const labels = engine.container('forge-gitea-1').Config.Labels;
    engine.runContainer({ name: RUN, image: 'gitea:1', labels: { ...labels, 'com.docker.compose.oneoff': 'True' } });
  });
  const actsOnIt = (): string[] =>
    migrating.forge.scene.engine
      .lines()
      .filter((line) => /^(stop|start|restart|rename) /.test(line) && line.includes(RUN));

  it('that runs and may write is not stopped, so that the backup is not quiesced and nothing is restored', async () => {
    await expectNotRestored(false);
    expect(actsOnIt()).toEqual([]);
    expect(migrating.forge.scene.engine.isRunning(RUN)).toBe(true);
  });

  it('that has ended gets no files of a restore and is never started', async () => {
    const { engine } = migrating.forge.scene;
    engine.host.stop(engine.host.find(RUN), 0, false);
    await migrating.forge.scene.settle();
    expect(migrating.forge.scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
    expect(actsOnIt()).toEqual([]);
    expect(engine.isRunning(RUN)).toBe(false);
  });
});

it('a writer that did not run, and does not, is no obstacle', async () => {
  migrating = await migratingForge();
  addJob();
  await migrating.forge.scene.settle();
  expect(migrating.forge.scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
  expect(migrating.forge.scene.engine.isRunning(JOB)).toBe(false);
});
