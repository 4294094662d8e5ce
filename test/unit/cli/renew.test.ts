import { runOn } from '../../support/cli-app';
import { openRenewalScene, type RenewalScene } from '../../support/renewal-scene';

let world: RenewalScene;
beforeEach(() => (world = openRenewalScene()));
afterEach(() => world.scene.close());

test('renews what is due, says what is served, and ends with 0', async () => {
  world.renewsTo(world.certificate(90));
  const { code, stdout, stderr } = await runOn(world.scene, ['renew']);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^Renewed, and served: git\.example\.org \(web-nginx-1, 90 days\)\.\n/);
  expect(stdout).toMatch(/git\.example\.org: served, 89 days left.*; on disk, 89 days left/);
  expect(code).toBe(0);
});

test('what is not due is a success', async () => {
  expect(await runOn(world.scene, ['renew'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('No certificate is due'),
  });
});

test('a failure is told with the last lines of the log, and ends with 1', async () => {
  world.certbot = () => ({ exitCode: 1, stderr: 'Some challenges have failed.' });
  const { code, stdout } = await runOn(world.scene, ['renew']);
  expect(stdout).toContain('Some challenges have failed.');
  expect(code).toBe(1);
});

test('nothing to renew is no success', async () => {
  world.scene.close();
  world = openRenewalScene({ certbots: false });
  const { code, stdout } = await runOn(world.scene, ['renew']);
  expect(stdout).toContain('renewal.role=certbot');
  expect(code).toBe(1);
});

test('without an engine nothing is asked for, and it ends at once as every command', async () => {
  world.scene.engine.reachable = false;
  const { code, stderr } = await runOn(world.scene, ['renew']);
  expect(stderr).toMatch(/^error: .*Docker Engine/);
  expect(code).toBe(1);
  expect(world.scene.store.renewals.list(1)).toEqual([]);
});

test('--json prints the record as the API does, and shows progress nowhere', async () => {
  const { code, stdout } = await runOn(world.scene, ['renew', '--json'], { isTTY: true });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', outcome: 'not_due', reason: 'operator' });
  expect(code).toBe(0);
});

test('on a terminal it shows that it is under way', async () => {
  const { stdout } = await runOn(world.scene, ['renew'], { isTTY: true });
  expect(stdout).toMatch(/waiting until nothing else runs|certbot runs/);
});
