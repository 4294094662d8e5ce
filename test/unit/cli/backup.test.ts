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
    expect(stdout).toMatch(/^ID +WHEN +PROJECT +FOR +STATUS +SIZE +DRILL +WHERE OR WHY\n/);
    expect(stdout).toMatch(/web +operator +succeeded +[\d.]+ (B|KiB) +– +file:/);
    expect(code).toBe(0);
  });

  test('tells the verdict of the restore drill, and of one that did not pass why', async () => {
    withFiles();
    await runOn(scene, ['backup']);
    const { id } = scene.store.backups.list(1)[0] ?? { id: '' };
    const at = scene.clock.now().toISOString();
    scene.store.backups.endDrill(id, { status: 'passed', at, words: 'Restored: all.' });
    expect((await runOn(scene, ['backups'])).stdout).toMatch(/ passed +file:[^ ]+\n/);
    scene.store.backups.endDrill(id, { status: 'failed', at, words: 'one byte is wrong' });
    expect((await runOn(scene, ['backups'])).stdout).toMatch(/ failed +file:\S+ \(drill: one byte is wrong\)/);
    const { stdout } = await runOn(scene, ['backups', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ backups: [{ drill: { status: 'failed', at } }] });
  });

  test('none yet is no failure', async () => {
    expect(await runOn(scene, ['backups'])).toMatchObject({ code: 0, stdout: 'No backups yet.\n', stderr: '' });
    expect((await runOn(scene, ['backups', '--json'])).stdout).toBe('{\n  "backups": []\n}\n');
  });
});
