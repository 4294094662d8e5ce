import { CONTAINER_WAS_PAUSED } from '../../../src/domain/health/health-failure';
import { EngineError } from '../../../src/domain/errors';
import { waitUntilHealthy } from '../../../src/probes/wait-until-healthy';
import { FakeEngine } from '../../support/fake-engine';
import type { Scripts } from '../../support/fake-engine-types';
import { TestClock } from '../../support/test-clock';

function question(exitCode: number) {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  engine.addImage({ reference: 'web:1', scripts: { probe: { exitCode } } });
  const containerId = engine.runContainer({ name: 'web', image: 'web:1' });
  return { engine, selfId: null, clock, containerId, probe: { kind: 'exec' as const, command: ['probe'] } };
}

it('looks a second time at a container that is healthy only at the deadline', async () => {
  await expect(waitUntilHealthy({ ...question(0), timeoutMs: 0 })).resolves.toBe('probe exits 0');
});

it('waits no longer than the deadline for one that is not', async () => {
  const asked = question(1);
  const began = asked.clock.now().getTime();
  await expect(waitUntilHealthy({ ...asked, timeoutMs: 3000 })).rejects.toMatchObject({ code: 'unhealthy' });
  expect(asked.clock.now().getTime() - began).toBe(3000);
});

it('goes on after a stop from outside that is taken back, though the engine refuses one look at it', async () => {
  const asked = question(1);
  const { engine, clock, containerId } = asked;
  const container = engine.host.find(containerId);
  engine.host.update(container, { Name: 'always' });
  void clock.sleep(2_000).then(async () => {
    engine.host.stop(container);
    await clock.sleep(2_000);
    engine.failNext('inspectContainer', new EngineError('engine_refused', 'not now'));
    await clock.sleep(2_000);
    engine.host.start(container);
  });
  await expect(waitUntilHealthy({ ...asked, timeoutMs: 20_000 })).rejects.toThrow('probe exits 1');
});

describe('a container that another process pauses', () => {
  /** Its probe passes from 2.5 s on; it is paused from 2 s on, for so long. */
  function paused(forMs: number, timeoutMs: number) {
    const clock = new TestClock();
    const engine = new FakeEngine(clock);
    const began = clock.now().getTime();
    const passed = (): number => clock.now().getTime() - began;
    engine.addImage({ reference: 'web:1', scripts: { probe: () => ({ exitCode: passed() < 2_500 ? 1 : 0 }) } });
    const containerId = engine.runContainer({ name: 'web', image: 'web:1' });
    const container = engine.host.find(containerId);
    void clock.sleep(2_000).then(async () => {
      engine.host.pause(container);
      await clock.sleep(forMs);
      engine.host.pause(container, false);
    });
    const probe = { kind: 'exec' as const, command: ['probe'] };
    return { question: { engine, selfId: null, clock, containerId, probe, timeoutMs }, passed };
  }

  it('has as much time as if it had not been paused', async () => {
    const { question, passed } = paused(4_000, 5_000);
    await expect(waitUntilHealthy(question)).resolves.toBe('probe exits 0');
    expect(passed()).toBeGreaterThan(6_000);
  });

  it('is waited for no longer than its probe may take', async () => {
    const { question, passed } = paused(60_000, 5_000);
    await expect(waitUntilHealthy(question)).rejects.toThrow(CONTAINER_WAS_PAUSED);
    expect(passed()).toBe(7_000);
  });
});

it('waits no longer for a Gitea that lost its configuration: its installation page is open to everybody', async () => {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  const inside = (path: string, body: string): Scripts => ({
    [`curl -s -m 5 -w \ndiun-pilot-status:%{http_code} http://127.0.0.1:1${path}`]: {
      stdout: `${body}\ndiun-pilot-status:200`,
    },
  });
  const pages = {
    ...inside('/api/healthz', '{"status":"pass"}'),
    ...inside('/', '<div class="page-content install">'),
  };
  engine.addImage({ reference: 'app:2', scripts: pages });
  const containerId = engine.runContainer({ name: 'app', image: 'app:2', networks: ['host'], env: ['HTTP_PORT=1'] });
  const began = clock.now().getTime();
  const question = { engine, selfId: null, clock, containerId, probe: { kind: 'gitea' as const }, timeoutMs: 600_000 };
  await expect(waitUntilHealthy(question)).rejects.toThrow('Gitea shows its installation page');
  expect(clock.now().getTime()).toBe(began);
});

describe('a HEALTHCHECK that gives up during the migrations of a new version', () => {
  const SLOW_MS = 6 * 60_000;
  const healthz = `curl -s -m 5 -w \ndiun-pilot-status:%{http_code} http://127.0.0.1:1/api/healthz`;
  const passes = { stdout: '{"status":"pass","checks":{"database:ping":[{"status":"pass"}]}}\ndiun-pilot-status:200' };

  /** On the host's network, at a port where nobody listens: so it is asked inside, by its curl. */
  const refusedOutside = { networks: ['host'], env: ['HTTP_PORT=1'] };

  function migrating(kind: 'gitea' | 'nginx') {
    const clock = new TestClock();
    const engine = new FakeEngine(clock);
    const healthcheck = { Test: ['CMD', 'ask'], Interval: 10e9, Retries: 3 };
    const scripts = { [healthz]: passes };
    engine.addImage({
      reference: 'app:2',
      config: { Healthcheck: healthcheck },
      health: 'slow',
      slowMs: SLOW_MS,
      scripts,
    });
    return {
      engine,
      selfId: null,
      clock,
      containerId: engine.runContainer({ name: 'app', image: 'app:2', ...refusedOutside }),
      probe: { kind },
    };
  }

  it('is waited for where Gitea migrates', async () => {
    const told: string[] = [];
    const question = { ...migrating('gitea'), timeoutMs: 600_000, onProgress: (detail: string) => told.push(detail) };
    await expect(waitUntilHealthy(question)).resolves.toBe('/api/healthz says pass');
    expect(told).toContain('its HEALTHCHECK fails');
  });

  it('is waited for no longer than the probe may take', async () => {
    await expect(waitUntilHealthy({ ...migrating('gitea'), timeoutMs: 180_000 })).rejects.toThrow(
      'Not healthy within 3 minutes: its HEALTHCHECK fails.',
    );
  });

  it('is final for others', async () => {
    await expect(waitUntilHealthy({ ...migrating('nginx'), timeoutMs: 600_000 })).rejects.toThrow(
      'Its HEALTHCHECK fails.',
    );
  });
});
