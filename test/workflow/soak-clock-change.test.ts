import type { Update } from '../../src/domain/update';
import { nginx, openScene, type Scene } from '../support/scene';

// A soak is as long as it is on a night when clocks change, too: 30 minutes are 30 minutes.

const NAME = 'web-nginx-1';
const MINUTE = 60_000;
const CHECKED = { Test: ['CMD', 'true'], Interval: 1e9 };
const NIGHTS = [
  ['go forward', '2026-03-29T00:45:00Z', '2026-03-29T01:15'],
  ['go back', '2026-10-25T00:45:00Z', '2026-10-25T01:15'],
] as const;
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.deps.timeZone = 'Europe/Berlin';
  scene.engine.addImage({ reference: 'nginx:stable', config: { Healthcheck: CHECKED } });
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;
async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}
/** An update that ends a quarter of an hour before the clocks change, and whose soak is half an hour. */
async function updateAt(now: string): Promise<{ old: string; until: string }> {
  await scene.clock.advance(Date.parse(now) - scene.clock.now().getTime());
  const old = scene.engine.runContainer(nginx({ restart: 'always', labels: { 'update.soak': '30m' } }));
  const { digest } = scene.engine.publish('nginx:stable', { config: { Healthcheck: CHECKED } });
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  expect(last().status).toBe('succeeded');
  return { old, until: scene.store.soaks.of(last().id)?.until ?? '' };
}

test.each(NIGHTS)(
  'where the clocks %s, the old container is kept for that time and removed after it',
  async (_, now, until) => {
    const soak = await updateAt(now);
    expect(soak.until.startsWith(until)).toBe(true);
    await pass(Date.parse(soak.until) - MINUTE - scene.clock.now().getTime());
    expect(scene.engine.host.containers.has(soak.old)).toBe(true);
    await pass(MINUTE);
    expect(scene.engine.host.containers.has(soak.old)).toBe(false);
    expect(last().reason).toContain('Its soak ended without a failure');
  },
);

test.each(NIGHTS)('where the clocks %s, what fails after the change is rolled back', async (_, now) => {
  const { old, until } = await updateAt(now);
  await pass(25 * MINUTE);
  expect(scene.clock.now().toISOString() < until).toBe(true);
  scene.engine.host.find(NAME).image.spec.health = 'never';
  await pass(MINUTE);
  expect(last().status).toBe('rolled_back');
  expect(last().reason).toMatch(/^web-nginx-1 failed 2\d min \d+ s after its update, during its soak/);
  expect(scene.engine.container(NAME).Id).toBe(old);
});
