import { requestBackups } from '../../../src/backups/backup-queue';
import { readContainers } from '../../../src/containers/read-containers';
import { runOn, type Terminal } from '../../support/cli-app';
import type { FakeEngine } from '../../support/fake-engine';
import { runForge, type Forge } from '../../support/forge-scene';

let forge: Forge;
let engine: FakeEngine;
beforeEach(async () => {
  forge = runForge();
  engine = forge.scene.engine;
  const { store } = forge.scene;
  requestBackups({ store, containers: await readContainers(engine, null) }, { reason: 'operator', project: 'forge' });
  await forge.scene.settle();
  engine.files('forge-gitea-1').write('/data/repo/a.txt', 'newer');
});
afterEach(() => forge.scene.close());

const restore = (args: string[], terminal?: Terminal) => runOn(forge.scene, ['restore', 'latest', ...args], terminal);
const content = (): string | undefined => engine.files('forge-gitea-1').read('/data/repo/a.txt')?.toString();
const nothingWasDone = (): void => {
  expect(content()).toBe('newer');
  expect(forge.scene.store.restores.list(9)).toEqual([]);
  expect(engine.lines().filter((line) => line.startsWith('stop '))).toEqual([]);
};

test('--dry-run tells what would happen, reads the whole set, changes nothing, and ends with 0', async () => {
  const { code, stdout } = await restore(['--dry-run']);
  expect(stdout).toMatch(/^Restore of file:.*\n1\. The set of /);
  expect(stdout).toContain('Stopped during the restore: forge-gitea-1');
  expect(stdout).toContain('Dry run: nothing was stopped and nothing was changed.');
  expect(code).toBe(0);
  nothingWasDone();
});

test('--dry-run --json prints one document', async () => {
  const { code, stdout } = await restore(['--dry-run', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, backup: expect.any(String), course: expect.any(Array) });
  expect(code).toBe(0);
  nothingWasDone();
});

test.each<[string, string[], Terminal | undefined]>([
  ['who answers no', [], { ask: () => Promise.resolve('no') }],
  ['nobody who could be asked', [], undefined],
  ['a machine', ['--json'], { ask: () => Promise.resolve('yes') }],
])('is not done for %s, and ends with 1', async (_who, args, terminal) => {
  const { code, stdout, stderr } = await restore(args, terminal);
  expect(stdout + stderr).toContain(args.includes('--json') ? '"code":"not_confirmed"' : 'othing was done');
  expect(code).toBe(1);
  nothingWasDone();
});

test('without a terminal, the command that it names has the same target', async () => {
  const { stdout, stderr } = await restore(['--project', 'forge', '--trust'], undefined);
  expect(stdout + stderr).toMatch(/diun-pilot restore \S+ --project forge --trust --yes/);
});

test.each<[string, string[], Terminal | undefined]>([
  ['who types yes', [], { ask: () => Promise.resolve(' Yes ') }],
  ['--yes', ['--yes'], undefined],
])(
  'is done for %s: shown to its end, what was there before with the commands that remove it, and 0',
  async (_who, args, terminal) => {
    const { code, stdout } = await restore(args, terminal);
    expect(content()).toBe('a');
    expect(stdout).toMatch(/The data of .* is restored\. All containers that use it are healthy\./);
    expect(stdout).toContain('The previous data is kept. Remove it when you no longer need it:');
    expect(code).toBe(0);
  },
);

test('--json prints the record and nothing else', async () => {
  const { code, stdout } = await restore(['--yes', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', error: null, kept: expect.any(Array) });
  expect(code).toBe(0);
});

test('one that fails tells why, and ends with 1', async () => {
  engine.onCall('execInput', (call) => {
    if (call.line.includes('--single-transaction')) throw new Error('no room');
  });
  const { code, stdout } = await restore(['--yes']);
  expect(stdout).toMatch(/Failed: .*The previous data is in place/s);
  expect(code).toBe(1);
  expect(content()).toBe('newer');
});

test('a backup that there is not is told by the code of the API, and 1', async () => {
  const { code, stdout } = await runOn(forge.scene, ['restore', 'nothing', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'backup_not_found' } });
  expect(code).toBe(1);
});
