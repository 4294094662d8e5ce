import type { RestartPolicy } from '../../src/domain/engine-inspect';
import { containersOf, type EngineScene } from './engine-scene';

/** Whose daemon may be restarted, with all that runs on it. */
export type RestartScene = EngineScene & {
  restartDaemon(how: DaemonEnd): Promise<void>;
  /** Resolves once PID 1 of a container has its handler of SIGTERM: what came earlier is lost. */
  heeds(id: string): Promise<void>;
};
export type DaemonEnd = 'SIGTERM' | 'SIGKILL';

const POLICIES: Record<string, RestartPolicy> = {
  no: { Name: 'no', MaximumRetryCount: 0 },
  always: { Name: 'always', MaximumRetryCount: 0 },
  'unless-stopped': { Name: 'unless-stopped', MaximumRetryCount: 0 },
  'on-failure': { Name: 'on-failure', MaximumRetryCount: 0 },
  'on-failure:2': { Name: 'on-failure', MaximumRetryCount: 2 },
};

/** As PID 1, `sleep` ignores SIGTERM and ends with 137. */
const KILLED = ['sleep', '1000'];
const GRACEFUL = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];

type Prepare = (scene: RestartScene, id: string, command: string[]) => Promise<void>;
const start: Prepare = async (scene, id, command) => {
  await scene.engine.start(id);
  if (command === GRACEFUL) await scene.heeds(id);
};
const startAndStop: Prepare = async (scene, id, command) => {
  await start(scene, id, command);
  await scene.engine.stop(id);
};

/** What a container was doing when the daemon went, and with which policies it runs when that is back. */
interface Row {
  was: string;
  command: string[];
  prepare: Prepare;
  /** A timeout of 0 is a SIGKILL at once. */
  stopSeconds: number;
  runs: Record<DaemonEnd, string[]>;
}

const STARTED_AGAIN = ['always', 'unless-stopped'];
const AFTER_137 = ['on-failure', 'on-failure:2'];
const ROWS: Row[] = [
  {
    was: 'created',
    command: KILLED,
    prepare: () => Promise.resolve(),
    stopSeconds: 0,
    runs: { SIGTERM: [], SIGKILL: [] },
  },
  {
    was: 'running, and ends with 137',
    command: KILLED,
    prepare: start,
    stopSeconds: 0,
    runs: { SIGTERM: [...STARTED_AGAIN, ...AFTER_137], SIGKILL: [...STARTED_AGAIN, ...AFTER_137] },
  },
  {
    was: 'running, and ends with 0 when asked to',
    command: GRACEFUL,
    prepare: start,
    stopSeconds: 60,
    runs: { SIGTERM: STARTED_AGAIN, SIGKILL: [...STARTED_AGAIN, ...AFTER_137] },
  },
  {
    was: 'stopped by a call, with 137',
    command: KILLED,
    prepare: startAndStop,
    stopSeconds: 0,
    runs: { SIGTERM: ['always', ...AFTER_137], SIGKILL: ['always', ...AFTER_137] },
  },
  {
    was: 'stopped by a call, with 0',
    command: GRACEFUL,
    prepare: startAndStop,
    stopSeconds: 60,
    runs: { SIGTERM: ['always'], SIGKILL: ['always'] },
  },
  {
    was: 'stopped by a call after its policy was set to no',
    command: KILLED,
    prepare: async ({ engine }, id) => {
      await engine.start(id);
      await engine.updateContainer(id, { RestartPolicy: { Name: 'no' } });
      await engine.stop(id);
    },
    stopSeconds: 0,
    runs: { SIGTERM: [], SIGKILL: [] },
  },
];

/** Which containers an engine starts when its daemon comes back: by policy, and by how each had ended. */
export function engineRestartContract(name: string, setUp: () => Promise<RestartScene>): void {
  describe(`${name}, when its daemon comes back`, () => {
    let scene: RestartScene;

    beforeAll(async () => {
      scene = await setUp();
    }, 240_000);
    afterAll(() => scene?.takeDown(), 120_000);

    const { created } = containersOf(() => scene);

    it.each<DaemonEnd>(['SIGTERM', 'SIGKILL'])(
      'by %s: it starts again what the policies say, and nothing else',
      async (how) => {
        const cells: { was: string; policy: string; id: string }[] = [];
        for (const { was, command, prepare, stopSeconds } of ROWS) {
          for (const [policy, RestartPolicy] of Object.entries(POLICIES)) {
            const HostConfig = { NetworkMode: 'none', AutoRemove: false, RestartPolicy };
            const id = await created(command, { HostConfig, StopTimeout: stopSeconds });
            await prepare(scene, id, command);
            cells.push({ was, policy, id });
          }
        }
        await scene.restartDaemon(how);
        const seen: Record<string, string[]> = Object.fromEntries(ROWS.map(({ was }) => [was, []]));
        for (const { was, policy, id } of cells) {
          if ((await scene.engine.inspectContainer(id)).State.Running) seen[was]?.push(policy);
          await scene.engine.updateContainer(id, { RestartPolicy: { Name: 'no' } });
          await scene.engine.stop(id, 0);
          await scene.engine.remove(id);
        }
        expect(seen).toEqual(Object.fromEntries(ROWS.map(({ was, runs }) => [was, runs[how]])));
      },
      240_000,
    );
  });
}

/** The policy of a container is changed, and nothing else of it. */
export function restartPolicyContract(name: string, setUp: () => Promise<EngineScene>): void {
  describe(`${name}, where a restart policy is changed`, () => {
    let scene: EngineScene;

    beforeAll(async () => {
      scene = await setUp();
    }, 120_000);
    afterAll(() => scene?.takeDown(), 120_000);

    const { nameOf, created, running } = containersOf(() => scene);

    it.each(Object.entries(POLICIES))(
      'takes %s away from a container that runs, and puts it back exactly',
      async (_policy, RestartPolicy) => {
        const { engine } = scene;
        const id = await running(KILLED, { HostConfig: { NetworkMode: 'default', AutoRemove: false, RestartPolicy } });
        const before = await engine.inspectContainer(id);
        expect(before.HostConfig.RestartPolicy).toEqual(RestartPolicy);
        await engine.updateContainer(id, { RestartPolicy: { Name: 'no' } });
        const between = await engine.inspectContainer(id);
        expect(between.HostConfig).toEqual({ ...before.HostConfig, RestartPolicy: POLICIES['no'] });
        expect(between.State.StartedAt).toBe(before.State.StartedAt);
        await engine.stop(id);
        await engine.updateContainer(id, { RestartPolicy });
        const after = await engine.inspectContainer(id);
        expect(after.State.Running).toBe(false);
        expect([after.HostConfig, after.Config]).toEqual([before.HostConfig, before.Config]);
      },
      60_000,
    );

    it('does not change one that is not there, nor one started with --rm', async () => {
      const { engine } = scene;
      const always = { RestartPolicy: { Name: 'always' } };
      await expect(engine.updateContainer(nameOf('nobody'), always)).rejects.toMatchObject({
        code: 'container_not_found',
      });
      const id = await created(KILLED, { HostConfig: { NetworkMode: 'default', AutoRemove: true } });
      await expect(engine.updateContainer(id, always)).rejects.toMatchObject({ code: 'engine_refused' });
      await engine.updateContainer(id, { RestartPolicy: { Name: 'no' } });
    });
  });
}
