import type { Update } from '../../src/domain/update';
import type { Scripts } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

async function update(freeKib: number | null): Promise<Update> {
  const stdout = `Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 1000 900 ${freeKib} 99% /\n`;
  const scripts: Scripts = freeKib === null ? {} : { 'df -Pk /': { stdout } };
  scene.engine.addImage({ reference: 'nginx:stable', scripts });
  scene.engine.runContainer(nginx());
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
  return scene.updates().at(-1) as Update;
}
const backup = ({ steps }: Update) => steps.find(({ name }) => name === 'backup');

it('refuses an update before anything is stopped or pulled where the disk is certainly too full', async () => {
  const ended = await update(1024);
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'preflight_blocked' } });
  expect(ended.error?.message).toMatch(
    /^The disk of the Docker Engine is nearly full: 1\.0 MiB are free.*Nothing was stopped/,
  );
  expect(scene.engine.lines().filter((line) => /^(stop|pull|create)/.test(line))).toEqual([]);
  expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
  expect(scene.store.refusals.all()).toEqual([]);
});

it('reports a disk that is nearly full, and updates', async () => {
  const ended = await update(1024 * 1024);
  expect(ended.status).toBe('succeeded');
  expect(backup(ended)).toMatchObject({ status: 'skipped', detail: expect.stringContaining('1.0 GiB are free') });
});

it.each([
  ['there is room', 50 * 1024 * 1024],
  ['the image has no df', null],
])('says nothing where %s', async (_, free) => {
  const ended = await update(free);
  expect(ended.status).toBe('succeeded');
  expect(backup(ended)?.detail).not.toContain('disk');
});
