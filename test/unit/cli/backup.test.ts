import { StorageError } from '../../../src/domain/errors';
import { runOn } from '../../support/cli-app';
import { nginx, openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

function withFiles(): void {
  scene.engine.addImage({ reference: 'wiki:1', files: { '/data/a.txt': 'hello' } });
  scene.engine.runContainer(nginx({ image: 'wiki:1', labels: { 'backup.kind': 'files', 'backup.paths': '/data' } }));
}

describe('backup', () => {
  test('follows it to its end, says where it is, and ends with 0', async () => {
    withFiles();
    const { code, stdout, stderr } = await runOn(scene, ['backup', '--project', 'web']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^web: stored and verified, [\d.]+ (B|KiB) at file:\/\/\//);
    expect(code).toBe(0);
  });

  test('one that failed is told with its reason, and ends with 1', async () => {
    withFiles();
    scene.deps.storage.put = () => Promise.reject(new StorageError('storage_full', 'The backup storage is full.'));
    const { code, stdout } = await runOn(scene, ['backup']);
    expect(stdout).toMatch(/^web: failed, .*full/);
    expect(code).toBe(1);
  });

  test('a project without anything to back up is no success', async () => {
    scene.engine.runContainer(nginx());
    const { code, stdout, stderr } = await runOn(scene, ['backup', '--project', 'web']);
    expect(stdout + stderr).toMatch(/backup\.kind/);
    expect(code).toBe(1);
  });

  test('--json prints the records as the API does', async () => {
    withFiles();
    const { code, stdout } = await runOn(scene, ['backup', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      backups: [{ project: 'web', status: 'succeeded', reason: 'operator' }],
    });
    expect(code).toBe(0);
  });
});

describe('backups', () => {
  test('lists them, newest first', async () => {
    withFiles();
    await runOn(scene, ['backup']);
    const { code, stdout } = await runOn(scene, ['backups']);
    expect(stdout).toMatch(/^ID +WHEN +PROJECT +FOR +STATUS +SIZE +WHERE OR WHY\n/);
    expect(stdout).toMatch(/web +operator +succeeded +[\d.]+ (B|KiB) +file:/);
    expect(code).toBe(0);
  });

  test('none yet is no failure', async () => {
    expect(await runOn(scene, ['backups'])).toMatchObject({ code: 0, stdout: 'No backup yet.\n', stderr: '' });
    expect((await runOn(scene, ['backups', '--json'])).stdout).toBe('{\n  "backups": []\n}\n');
  });
});
