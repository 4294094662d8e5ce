import { EngineError } from '../../src/domain/errors';
import { runProxied, type Proxied } from '../support/proxied-scene';

// After the update, the service really works: what depends on the updated container, or passes requests to it, responds as
// before (on the real engine: test/field/dependents-work-after-the-update.test.ts).

let proxied: Proxied;
afterEach(() => proxied.scene.close());

const detailOf = (step: string): string =>
  proxied.scene.updates()[0]?.steps.find(({ name }) => name === step)?.detail ?? '';
const restarts = (): string[] => proxied.scene.engine.lines().filter((line) => line.startsWith('restart'));
const addressOfApp = (): string | undefined =>
  Object.values(proxied.scene.engine.container('web-app-1').NetworkSettings.Networks)[0]?.IPAddress;

describe('with restart: true', () => {
  it('reloads nginx and restarts the worker when the container was replaced, and checks both', async () => {
    proxied = runProxied({ restart: true });
    await proxied.update();
    expect(proxied.scene.updates()).toMatchObject([{ status: 'succeeded' }]);
    expect([proxied.serves(), proxied.reloads(), restarts()]).toEqual([200, 1, ['restart web-worker-1']]);
    expect(detailOf('preflight')).toContain('web-nginx-1 will be reloaded');
    expect(detailOf('health_check')).toMatch(
      /web-worker-1 was restarted.*web-nginx-1 was reloaded.*answered as before/s,
    );
  });

  it('announces it in the plan and the mail', async () => {
    proxied = runProxied({ restart: true });
    await proxied.update();
    const [offer] = proxied.scene.mails();
    expect(offer?.text.replace(/\s+/g, ' ')).toContain('Then web-nginx-1 is reloaded and checked');
    expect(offer?.text.replace(/\s+/g, ' ')).toContain('Then web-worker-1 is restarted and checked');
  });

  it('does it again after a rollback, since the old container may have another address', async () => {
    proxied = runProxied({ restart: true });
    const before = addressOfApp();
    await proxied.update({ health: 'exits' });
    expect(proxied.scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
    expect(addressOfApp()).not.toBe(before);
    expect([proxied.serves(), proxied.reloads(), restarts()]).toEqual([200, 1, ['restart web-worker-1']]);
    expect(detailOf('rollback_health_check')).toContain('web-nginx-1 was reloaded');
  });

  it('rolls back when a dependent that was healthy does not come back, and restarts it again', async () => {
    proxied = runProxied({ restart: true });
    const refuse = () => {
      throw new EngineError('engine_refused', 'driver failed programming external connectivity');
    };
    proxied.scene.engine.onCall('restart', refuse, { once: true });
    await proxied.update();
    expect(proxied.scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'other_unhealthy' } }]);
    expect(proxied.scene.updates()[0]?.error?.message).toContain('web-worker-1, which depends on it');
    expect([proxied.serves(), restarts().length]).toEqual([200, 2]);
  });

  it('says that a person is needed when the dependent does not come back after the rollback either', async () => {
    proxied = runProxied({ restart: true });
    proxied.scene.engine.onCall('restart', () => {
      throw new EngineError('engine_refused', 'driver failed programming external connectivity');
    });
    await proxied.update();
    const [update] = proxied.scene.updates();
    expect([update?.status, update?.error?.code]).toEqual(['rollback_failed', 'other_unhealthy']);
    expect(update?.reason).toContain('another container that responded before the update does not respond');
    expect(proxied.scene.mails().at(-1)?.subject).toContain('another container does not respond – manual action');
    expect(proxied.scene.engine.isRunning('web-app-1')).toBe(true);
  });
});

describe.each([
  ['depends_on without restart', { restart: false }],
  ['no depends_on', { restart: null }],
] as const)('with %s', (_, options) => {
  it('reloads an nginx that would keep an old address', async () => {
    proxied = runProxied(options);
    const before = addressOfApp();
    await proxied.update();
    expect(addressOfApp()).not.toBe(before);
    expect(proxied.scene.updates()).toMatchObject([{ status: 'succeeded' }]);
    expect([proxied.serves(), proxied.reloads(), restarts()]).toEqual([200, 1, []]);
    expect(detailOf('health_check')).toContain('web-nginx-1 was reloaded (web-app-1 has another address)');
  });

  it('rolls back when nginx answered before and answers 502 after, although the new container is healthy', async () => {
    proxied = runProxied(options);
    await proxied.update({ answers: false });
    expect(proxied.scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'other_unhealthy' } }]);
    expect(proxied.scene.updates()[0]?.error?.message).toContain('GET http://site.example:9/ answers 502');
    expect(proxied.serves()).toBe(200);
  });

  it('does not count a site that did not answer before the update', async () => {
    proxied = runProxied({ ...options, brokenBefore: true });
    await proxied.update();
    expect(proxied.scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  });
});

it.each([
  [1, 'rollback_failed', 'other_unhealthy'],
  [0, 'succeeded', undefined],
])('counts a watched container of the project that ends with %s as %s', async (exitCode, status, code) => {
  proxied = runProxied({ restart: null });
  const { engine } = proxied.scene;
  const ends = () => engine.host.stop(engine.host.find('web-worker-1'), exitCode);
  engine.onCall('start', ends, { when: 'after', once: true });
  await proxied.update();
  const [update] = proxied.scene.updates();
  expect([update?.status, update?.error?.code]).toEqual([status, code]);
});

it('reloads nginx before the old container of a handover drains, and once more when its address is gone', async () => {
  proxied = runProxied({ restart: null, labels: { 'update.strategy': 'handover' } });
  const served: number[] = [];
  proxied.scene.engine.onCall('stop', () => void served.push(proxied.serves()), { when: 'after' });
  await proxied.update();
  expect(proxied.scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect([served[0], proxied.serves(), proxied.reloads()]).toEqual([200, 200, 2]);
});

it('reloads nginx again when a handover is rolled back after the old container drained', async () => {
  proxied = runProxied({ restart: false, labels: { 'update.strategy': 'handover' } });
  await proxied.update({ answers: false });
  expect(proxied.scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'other_unhealthy' } }]);
  expect(proxied.serves()).toBe(200);
});

it('reports an nginx whose configuration did not pass before the update either, and does not touch it', async () => {
  proxied = runProxied({ restart: true });
  const { engine } = proxied.scene;
  const scripts = engine.host.find('web-nginx-1').image.spec.scripts ?? {};
  const broken = { exitCode: 1, stderr: 'nginx: [emerg] unknown directive' };
  Object.assign(scripts, { 'nginx -T': broken, 'nginx -t': broken });
  await proxied.update();
  expect(proxied.scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect([proxied.reloads(), restarts()]).toEqual([0, ['restart web-worker-1']]);
  expect(detailOf('health_check')).toContain('Its configuration did not pass before the update either');
});
