import { runOn } from '../../support/cli-app';
import { openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeAll(() => {
  scene = openScene();
});
afterAll(() => scene.close());

test('--help names every command and where settings come from, and ends with 0', async () => {
  const { code, stdout } = await runOn(scene, ['--help']);
  for (const command of ['serve', 'check', 'update ', 'updates', 'backup ', 'backups'])
    expect(stdout).toContain(command);
  expect(stdout).toContain('PILOT_');
  expect(code).toBe(0);
});

test.each(['serve', 'check', 'update', 'updates', 'backup', 'backups'])(
  '%s --help tells of --json',
  async (command) => {
    const { code, stdout } = await runOn(scene, [command, '--help']);
    expect(stdout).toMatch(new RegExp(`^Usage: diun-pilot ${command} [^]*--json`));
    expect(code).toBe(0);
  },
);

test('--version', async () => {
  expect(await runOn(scene, ['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

test.each([[['upate']], [['update']], [['check', 'extra']], [['--wrong']], [['backup', '--project']]])(
  '%j is refused with 1 and points to the help',
  async (args) => {
    const { code, stderr } = await runOn(scene, args);
    expect(stderr).toContain('--help');
    expect(code).toBe(1);
  },
);
