import { EngineError } from '../../../src/domain/errors';
import { FakeEngine } from '../../support/fake-engine';
import type { Behaviour } from '../../support/fake-engine-types';
import { TestClock } from '../../support/test-clock';

const HEALTHCHECK = { Test: ['CMD', 'true'], Interval: 1e9, Retries: 3 };

function scene(
  health: Behaviour,
  restart: 'no' | 'always' = 'always',
): { fake: FakeEngine; clock: TestClock; id: string } {
  const clock = new TestClock({ autoAdvance: false });
  const fake = new FakeEngine(clock);
  fake.addImage({ reference: 'app:1', health, slowMs: 20_000, config: { Healthcheck: HEALTHCHECK } });
  return { fake, clock, id: fake.runContainer({ name: 'app', image: 'app:1', restart }) };
}

describe('a container in time', () => {
  it.each([
    ['healthy', ['starting', 'healthy', 'healthy']],
    ['slow', ['starting', 'unhealthy', 'healthy']],
    ['never', ['starting', 'unhealthy', 'unhealthy']],
  ] as [Behaviour, string[]][])('is %s as its image behaves', async (behaviour, expected) => {
    const { fake, clock } = scene(behaviour);
    const seen: (string | undefined)[] = [];
    for (const ms of [0, 5000, 20_000]) {
      await clock.advance(ms);
      seen.push(fake.container('app').State.Health?.Status);
    }
    expect(seen).toEqual(expected);
  });

  it('counts its health by time that passes, not by a clock that is set back', async () => {
    const { fake, clock } = scene('healthy');
    await clock.advance(-3_600_000);
    await clock.advance(5000);
    expect(fake.container('app').State.Health?.Status).toBe('healthy');
    const crashing = scene('crash-loop');
    await crashing.clock.advance(10_000);
    const restarts = crashing.fake.container('app').RestartCount;
    await crashing.clock.advance(-3_600_000);
    expect(crashing.fake.container('app').RestartCount).toBe(restarts);
  });

  it('in a crash loop restarts more and more often, with longer and longer pauses', async () => {
    const { fake, clock } = scene('crash-loop');
    await clock.advance(550);
    expect(fake.container('app').State).toMatchObject({ Status: 'restarting', Running: true, ExitCode: 1 });
    await clock.advance(10_000);
    const restarts = fake.container('app').RestartCount;
    expect(restarts).toBeGreaterThan(2);
    expect(restarts).toBeLessThan(20);
  });

  it('that exits without a restart policy stays exited', async () => {
    const { fake, clock } = scene('exits', 'no');
    await clock.advance(1);
    expect(fake.container('app')).toMatchObject({ RestartCount: 0, State: { Status: 'exited', ExitCode: 1 } });
  });
});

describe('faults', () => {
  it('fail one call before it has any effect', async () => {
    const { fake, id } = scene('healthy');
    fake.failNext('stop', new EngineError('engine_refused', 'not now'));
    await expect(fake.stop(id)).rejects.toMatchObject({ code: 'engine_refused' });
    expect(fake.isRunning('app')).toBe(true);
    await fake.stop(id);
    expect(fake.isRunning('app')).toBe(false);
    expect(fake.transcript.map(({ outcome }) => outcome)).toEqual(['engine_refused', 'ok']);
  });

  it.each([
    ['before', true],
    ['after', false],
  ] as const)(
    'let the process die %s a call: nothing of it runs any more, and the engine goes on',
    async (when, running) => {
      const { fake, id } = scene('healthy');
      const crashed = fake.crashAt(2, when);
      let finished = false;
      void fake
        .inspectContainer(id)
        .then(() => fake.stop(id))
        .then(() => (finished = true));
      await crashed;
      const next = fake.afterRestart();
      expect(await next.containerIds()).toEqual([id]);
      expect(next.isRunning('app')).toBe(running);
      expect(finished).toBe(false);
      expect(next.lines({ reads: true })).toEqual(['inspectContainer app', 'stop app', 'containerIds']);
    },
  );

  it('make the engine unreachable', async () => {
    const { fake } = scene('healthy');
    fake.reachable = false;
    await expect(fake.containerIds()).rejects.toMatchObject({ code: 'engine_unreachable' });
  });
});

it('starts no second container on a static address that is taken', async () => {
  const fake = new FakeEngine(new TestClock());
  fake.addImage({ reference: 'app:1' });
  fake.addNetwork('front');
  const request = (): Parameters<FakeEngine['createContainer']>[1] => ({
    body: {
      Image: 'app:1',
      HostConfig: { NetworkMode: 'front', AutoRemove: false },
      NetworkingConfig: { EndpointsConfig: { front: { IPAMConfig: { IPv4Address: '10.0.0.9' } } } },
    },
    connect: [],
  });
  const [first, second] = [await fake.createContainer('one', request()), await fake.createContainer('two', request())];
  await fake.start(first);
  await expect(fake.start(second)).rejects.toMatchObject({ code: 'engine_refused' });
  await fake.stop(first);
  await fake.start(second);
});
