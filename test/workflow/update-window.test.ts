import { decideApproval, decideById } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import { readWindow, type UpdateWindow } from '../../src/domain/decision/update-window';
import { workOnce } from '../../src/queue/worker';
import { openMonday } from '../support/monday-scene';
import { nginx, type Scene } from '../support/scene';

const IMAGE = 'docker.io/library/nginx:stable';
let scene: Scene;
beforeEach(() => {
  scene = openMonday();
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;
const run = (labels: Record<string, string>) => scene.engine.runContainer(nginx({ labels }));
async function publish(): Promise<string> {
  const { digest } = scene.engine.publish('nginx:stable');
  scene.hear(IMAGE, digest);
  await scene.settle();
  return digest;
}
async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}
const HOUR = 3_600_000;

describe('update.window', () => {
  test('an automatic update is announced at once and starts in the window', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' });
    expect(last().reason).toMatch(/starts at 2026-01-05 05:00 at the earliest\. The update window is 05:00-06:00\./);
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available']);
    await pass(2 * HOUR - 1);
    expect(last().status).toBe('queued');
    await pass(1);
    expect(last()).toMatchObject({ status: 'succeeded', startedAt: expect.stringMatching(/T05:00/) });
  });

  test('inside the window it starts at once', async () => {
    run({ 'update.window': '02:00-04:00' });
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded', notBefore: null });
  });

  test('one whose turn comes after the window had closed waits for the next one', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    await scene.clock.advance(4 * HOUR); // nobody worked in between: the host slept
    await scene.settle();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-06T05:00:00.000Z' });
    await pass(22 * HOUR);
    expect(last().status).toBe('succeeded');
  });

  test('what started in a window that is shorter than the update is finished', async () => {
    run({ 'update.window': '05:00-05:01', 'update.probe.timeout': '5m' });
    const config = { Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, StartPeriod: 300e9 } };
    scene.hear(IMAGE, scene.engine.publish('nginx:stable', { config, health: 'slow', slowMs: 90_000 }).digest);
    await scene.settle();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' });
    await pass(2 * HOUR - (scene.clock.now().getTime() - Date.parse('2026-01-05T03:00:00Z')) + 50_000);
    expect(last()).toMatchObject({ status: 'succeeded', startedAt: expect.stringMatching(/T05:00:5/) });
    expect((last().finishedAt ?? '') > '2026-01-05T05:01:00.000Z').toBe(true);
  });

  test('one that a crash left running before anything was done waits in the queue again, and other work goes on', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    scene.store.updates.change(last().id, { status: 'running', startedAt: scene.clock.now().toISOString() });
    expect(await workOnce(scene.deps)).toBe(false);
    expect(last()).toMatchObject({ status: 'queued', startedAt: null });
    await pass(2 * HOUR);
    expect(last().status).toBe('succeeded');
  });

  test('it does not start after a switch to observe mode, either', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    scene.store.updates.change(last().id, { status: 'running', startedAt: scene.clock.now().toISOString() });
    scene.deps.mode = 'observe';
    await pass(2 * HOUR);
    expect(last()).toMatchObject({ status: 'queued', reason: expect.stringContaining('while diun-pilot observes') });
  });

  test('windows that overlap are one: the second goes on where the first ends', async () => {
    run({ 'update.window': '05:00-06:00; 05:30-07:00' });
    await scene.clock.advance(3.25 * HOUR); // 06:15
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded', notBefore: null });
  });

  const IN_BERLIN = async (now: string, labels: Record<string, string>): Promise<void> => {
    scene.deps.timeZone = 'Europe/Berlin';
    await scene.clock.advance(Date.parse(now) - scene.clock.now().getTime());
    run(labels);
    await publish();
  };
  const passUntil = (at: string): Promise<void> => pass(Date.parse(at) - scene.clock.now().getTime());

  test.each([
    ['the hour that does not exist', '02:30-02:45', '2026-03-29T00:00:00Z', '2026-03-29T01:00:00.000Z'],
    [
      'the hour that does not exist, of two that overlap',
      '02:20-02:40;02:30-03:15',
      '2026-03-29T00:00:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    ['the hour that comes twice', '02:30-02:45', '2026-10-24T23:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['the hour that comes twice, the second time', '02:30-02:45', '2026-10-25T00:50:00Z', '2026-10-25T01:30:00.000Z'],
    [
      'the hour that comes twice, of two that overlap',
      '02:20-02:40;02:30-03:15',
      '2026-10-25T00:00:00Z',
      '2026-10-25T00:20:00.000Z',
    ],
  ])('a window in %s of the night opens in it', async (_, window, now, opens) => {
    await IN_BERLIN(now, { 'update.window': window });
    expect(last()).toMatchObject({ status: 'queued', notBefore: opens });
    await pass(Date.parse(opens) - 1 - scene.clock.now().getTime());
    expect(last().status).toBe('queued');
    await pass(1);
    expect(last().status).toBe('succeeded');
  });

  test('one that missed the hour when it came first starts in it when it comes again', async () => {
    await IN_BERLIN('2026-10-24T23:00:00Z', { 'update.window': '02:30-02:45' });
    await scene.clock.advance(Date.parse('2026-10-25T00:50:00Z') - scene.clock.now().getTime()); // the host slept
    await scene.settle();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-10-25T01:30:00.000Z' });
    await passUntil('2026-10-25T01:30:00Z');
    expect(last()).toMatchObject({ status: 'succeeded', startedAt: expect.stringMatching(/^2026-10-25T01:30/) });
  });

  test.each([
    ['go forward', '2026-03-29T00:59:30Z', '01:59-02:00'],
    ['go back', '2026-10-25T00:59:30Z', '02:59-03:00'],
  ])('what started in a short window before the clocks %s is finished after it', async (_, now, window) => {
    scene.deps.timeZone = 'Europe/Berlin';
    await scene.clock.advance(Date.parse(now) - scene.clock.now().getTime());
    run({ 'update.window': window, 'update.probe.timeout': '5m' });
    const config = { Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, StartPeriod: 300e9 } };
    scene.hear(IMAGE, scene.engine.publish('nginx:stable', { config, health: 'slow', slowMs: 90_000 }).digest);
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded', startedAt: expect.stringMatching(/:59:3/) });
    expect((last().finishedAt ?? '') > now.replace(':59:30Z', ':59:59.999Z')).toBe(true);
  });

  test('what waits for its window delays nobody else', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    scene.engine.addImage({ reference: 'other:1' });
    scene.engine.runContainer(nginx({ name: 'web-other-1', image: 'other:1', ports: {} }));
    scene.hear('docker.io/library/other:1', scene.engine.publish('other:1').digest);
    await scene.settle();
    expect(last()).toMatchObject({ container: 'web-other-1', status: 'succeeded' });
  });

  test('the operator starts it early', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    await requestUpdate(scene.deps, { container: 'web-nginx-1' }, 'cli:0');
    await scene.settle();
    expect(last().status).toBe('succeeded');
    expect(scene.updates()).toHaveLength(1);
  });

  test('a newer version takes the place of one that waits', async () => {
    run({ 'update.window': '05:00-06:00' });
    await publish();
    const newer = await publish();
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'queued']);
    await pass(2 * HOUR);
    expect(last()).toMatchObject({ status: 'succeeded', to: { digest: newer } });
  });

  test.each([
    ['counts where there is no label', {}, { status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' }],
    ['is lifted by `any`', { 'update.window': 'any' }, { status: 'succeeded', notBefore: null }],
    [
      'is replaced by the label',
      { 'update.window': '04:00-04:30' },
      { status: 'queued', notBefore: '2026-01-05T04:00:00.000Z' },
    ],
  ])('the default of the settings %s', async (_, labels, expected) => {
    scene.deps.updateWindow = readWindow('05:00-06:00') as UpdateWindow;
    run(labels);
    await publish();
    expect(last()).toMatchObject(expected);
  });

  test.each([
    ['by its ID', () => decideById(scene.deps, last().id, 'window', 'page'), 'page'],
    ['by the link', () => decideApproval(scene.deps, tokenOfMail(), { decision: 'window', name: null }), 'link'],
  ])('a manual update is approved for the next window %s, and asks at once', async (_, decide, by) => {
    run({ 'update.policy': 'manual', 'update.window': '05:00-06:00' });
    await publish();
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available']);
    await decide();
    await scene.settle();
    expect(last()).toMatchObject({
      ...{ status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' },
      approval: { status: 'approved', decidedBy: by },
    });
    await pass(2 * HOUR);
    expect(last().status).toBe('succeeded');
  });

  describe('of a container that follows all tags', () => {
    const hear = async (tag: string): Promise<Update> => {
      scene.hear(`docker.io/library/nginx:${tag}`, scene.engine.publish(`nginx:${tag}`).digest, 'new');
      await scene.settle();
      return last();
    };
    const told = (): string[] => scene.updates().map(({ to, status }) => `${to.reference} ${status}`);
    const follow = (policy: string): void => {
      scene.engine.addImage({ reference: 'nginx:1.27.3' });
      const labels = { 'update.policy': policy, 'update.window': '05:00-06:00', 'diun.watch_repo': 'true' };
      scene.engine.runContainer(nginx({ image: 'nginx:1.27.3', labels }));
    };

    test('what was approved runs next to a pending higher version, which is then offered again', async () => {
      follow('manual');
      await decideById(scene.deps, (await hear('1.27.4')).id, 'window', 'page');
      await hear('1.28.0');
      expect(told()).toEqual(['nginx:1.27.4 queued', 'nginx:1.28.0 awaiting_approval']);
      await pass(2 * HOUR);
      expect(told()).toEqual(['nginx:1.27.4 succeeded', 'nginx:1.28.0 superseded', 'nginx:1.28.0 awaiting_approval']);
    });

    test('what was approved from a version that an automatic patch replaced is offered again at once', async () => {
      follow('automatic');
      await hear('1.27.4');
      await decideById(scene.deps, (await hear('2.0.0')).id, 'window', 'page');
      expect(told()).toEqual(['nginx:1.27.4 queued', 'nginx:2.0.0 queued']);
      await pass(2 * HOUR);
      expect(told()).toEqual(['nginx:1.27.4 succeeded', 'nginx:2.0.0 superseded', 'nginx:2.0.0 awaiting_approval']);
      expect(last().from?.reference).toBe('nginx:1.27.4');
      expect(scene.mails().at(-1)?.kind).toBe('critical_update_available');
    });

    test('the approval of the higher version for the same window replaces that of the lower one', async () => {
      follow('manual');
      await decideById(scene.deps, (await hear('1.27.4')).id, 'window', 'page');
      await decideById(scene.deps, (await hear('1.28.0')).id, 'window', 'page');
      expect(scene.updates()[0]).toMatchObject({
        status: 'superseded',
        reason: expect.stringContaining('the higher nginx:1.28.0 was approved'),
      });
      await pass(2 * HOUR);
      expect(told()).toEqual(['nginx:1.27.4 superseded', 'nginx:1.28.0 succeeded']);
    });
  });

  test('approved for now, it does not wait for the window', async () => {
    run({ 'update.policy': 'manual', 'update.window': '05:00-06:00' });
    await publish();
    await decideById(scene.deps, last().id, 'approve', 'page');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded', notBefore: null });
  });

  test('without a window nothing is approved for one', async () => {
    run({ 'update.policy': 'manual' });
    await publish();
    await expect(decideById(scene.deps, last().id, 'window', 'page')).rejects.toMatchObject({ code: 'no_window' });
    expect(last().status).toBe('awaiting_approval');
  });

  test('a window that cannot be read makes automatic manual, since nothing may start at any time', async () => {
    run({ 'update.window': 'at night' });
    await publish();
    expect(last().status).toBe('awaiting_approval');
  });
});

describe('update.min-age', () => {
  test('a young digest waits until it is old enough', async () => {
    run({ 'update.min-age': '3d' });
    await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-08T03:00:00.000Z' });
    expect(last().reason).toMatch(/first seen at 2026-01-05 03:00, and update\.min-age is 3 days/);
    await pass(72 * HOUR - 1);
    expect(last().status).toBe('queued');
    await pass(1);
    expect(last().status).toBe('succeeded');
  });

  test('a newer digest that comes meanwhile has an age of its own', async () => {
    run({ 'update.min-age': '3d' });
    await publish();
    await pass(48 * HOUR);
    const newer = await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-10T03:00:00.000Z', to: { digest: newer } });
    await pass(24 * HOUR);
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'queued']);
    await pass(48 * HOUR);
    expect(last()).toMatchObject({ status: 'succeeded', to: { digest: newer } });
  });

  test.each([
    ['go forward', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00.000Z', '2026-03-29 14:00'],
    ['go back', '2026-10-24T12:00:00Z', '2026-10-25T12:00:00.000Z', '2026-10-25 13:00'],
  ])('a day is 24 hours also in the night on which the clocks %s', async (_, now, notBefore, shown) => {
    scene.deps.timeZone = 'Europe/Berlin';
    await scene.clock.advance(Date.parse(now) - scene.clock.now().getTime());
    run({ 'update.min-age': '1d' });
    await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore });
    expect(last().reason).toContain(`The update starts at ${shown} at the earliest.`);
    await pass(Date.parse(notBefore) - 1 - scene.clock.now().getTime());
    expect(last().status).toBe('queued');
    await pass(1);
    expect(last().status).toBe('succeeded');
  });

  test('an age that ends in the hour that comes twice waits for the window in it', async () => {
    scene.deps.timeZone = 'Europe/Berlin';
    await scene.clock.advance(Date.parse('2026-10-24T00:50:00Z') - scene.clock.now().getTime()); // 02:50
    run({ 'update.min-age': '1d', 'update.window': '02:30-02:45' });
    await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-10-25T01:30:00.000Z' });
  });

  test('is examined again when it is old enough: what the tag names by then has an age of its own', async () => {
    run({ 'update.min-age': '3d' });
    await publish();
    const newer = scene.engine.publish('nginx:stable').digest; // announced by no one
    await pass(72 * HOUR);
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'queued']);
    expect(last()).toMatchObject({ to: { digest: newer }, notBefore: '2026-01-11T03:00:00.000Z' });
    await pass(72 * HOUR - 1);
    expect(last().status).toBe('queued');
    await pass(1);
    expect(last()).toMatchObject({ status: 'succeeded', to: { digest: newer } });
  });

  test('the age counts from when the digest was first seen, by whichever container', async () => {
    run({ 'update.policy': 'manual' });
    const digest = await publish();
    await scene.clock.advance(48 * HOUR);
    scene.engine.runContainer(nginx({ name: 'web-other-1', ports: {}, labels: { 'update.min-age': '3d' } }));
    scene.hear(IMAGE, digest, 'new');
    await scene.settle();
    const other = scene.updates().find(({ container }) => container === 'web-other-1');
    expect(other).toMatchObject({ to: { digest }, notBefore: '2026-01-08T03:00:00.000Z' });
  });

  test('an announcement that no registry had to confirm does not make a digest older', async () => {
    const { digest } = scene.engine.publish('nginx:stable');
    scene.hear(IMAGE, digest);
    await scene.settle();
    expect(last().status).toBe('ignored');
    await scene.clock.advance(48 * HOUR);
    run({ 'update.min-age': '3d' });
    scene.hear(IMAGE, digest, 'new');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-10T03:00:00.000Z' });
  });

  test('once it is old enough it waits for the window', async () => {
    run({ 'update.min-age': '1d', 'update.window': '05:00-06:00' });
    await publish();
    expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-06T05:00:00.000Z' });
  });

  test('the operator skips the wait', async () => {
    run({ 'update.min-age': '3d' });
    await publish();
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    await scene.settle();
    expect(last().status).toBe('succeeded');
  });
});

function tokenOfMail(): string {
  const [, token = ''] = /\/approvals\/([\w.-]+)/.exec(scene.mails().at(-1)?.text ?? '') ?? [];
  return token;
}
