import { runOn } from '../../support/cli-app';
import { announced, rehearsalScene, type RehearsalOptions, type RehearsalScene } from '../../support/rehearsal-scene';

let forge: RehearsalScene;
afterEach(() => forge.scene.close());

/** An update that waits, and was not rehearsed. */
async function pending(options: RehearsalOptions = {}): Promise<string> {
  forge = rehearsalScene({ ...options, labels: { 'update.rehearse': 'off' } });
  forge.scene.hear('docker.io/library/gitea:1', forge.digest);
  await forge.scene.settle();
  return announced(forge.scene).id;
}

test('follows the rehearsal to its verdict, and ends with 0 when it passed', async () => {
  const id = await pending();
  const { code, stdout, stderr } = await runOn(forge.scene, ['rehearse', id]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Passed: Rehearsed on a copy of a live backup from .*healthy after \d+ s\./m);
});

test('ends with 1 when it failed, and prints the update as JSON', async () => {
  const id = await pending({ next: () => ({ exitCode: 1 }) });
  const { code, stdout } = await runOn(forge.scene, ['rehearse', id, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ id, status: 'awaiting_approval', rehearsal: { status: 'failed' } });
});

test('an update that is not there: an error on standard error, and 1', async () => {
  await pending();
  const { code, stdout, stderr } = await runOn(forge.scene, ['rehearse', '01ARZ3NDEKTSV4RRFFQ69G5FAV']);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: No update has this ID/);
});
