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

test('a data directory that cannot be used is told as such, without a stack', async () => {
  const env = { PILOT_DATA_DIR: '/dev/null/data' };
  const { code, stderr } = await runOn(scene, ['updates'], { env });
  expect(stderr).toMatch(/PILOT_|secrets/);
  const refused = Object.assign(new Error("EACCES: permission denied, mkdir '/data'"), { code: 'EACCES' });
  const containers = (): Promise<never> => Promise.reject(refused);
  const other = await runOn(scene, ['update', 'web'], { app: { requestUpdate: containers } });
  expect(other.stderr).toMatch(/^error: EACCES: [^\n]*PILOT_DATA_DIR[^\n]*\n$/);
  expect([code, other.code]).toEqual([1, 1]);
});

test('--version', async () => {
  expect(await runOn(scene, ['--version'])).toMatchObject({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

test.each([
  [['upate'], "error: unknown command 'upate'. Did you mean update?\n"],
  [['start'], "error: unknown command 'start'.\n"],
])('%j is told as a command that there is not', async (args, words) => {
  const { code, stderr } = await runOn(scene, args);
  expect(stderr).toContain(words);
  expect(stderr).toContain('--help');
  expect(code).toBe(1);
});

test.each([[['help']], [['help', 'restore']]])('%j is --help', async ([help, ...command]) => {
  const asked = await runOn(scene, [help ?? '', ...command]);
  expect(asked).toEqual(await runOn(scene, [...command, '--help']));
  expect(asked.code).toBe(0);
});

test.each([[['upate']], [['update']], [['check', 'extra']], [['--wrong']], [['backup', '--project']]])(
  '%j is refused with 1 and points to the help',
  async (args) => {
    const { code, stderr } = await runOn(scene, args);
    expect(stderr).toContain('--help');
    expect(code).toBe(1);
  },
);
