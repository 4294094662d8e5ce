import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// Files that change while they are read, folders that Docker leaves out, a disk that is full.
const stage = openStage();
let dataDir: string;

beforeAll(() => {
  dataDir = stage.lab.scratch('pilot-data');
});

const cli = (...args: string[]) => runPilot(stage.lab, dataDir, args);
const backUp = (project: ComposeProject) => cli('backup', '--project', project.name);

async function goodBackup(project: ComposeProject): Promise<string> {
  const { code, stdout, stderr } = await cli('backup', '--project', project.name, '--json');
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { backups: { id: string }[] }).backups[0]?.id ?? '';
}

/** A container that does nothing but hold `/data`. */
async function holder(name: string, volumes: string[], more: object = {}): Promise<ComposeProject> {
  const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
  const holds = { image: stage.lab.images.DEBIAN_13, command: ['sleep', 'infinity'], init: true, volumes, labels };
  return stage.project(name, { app: { ...holds, ...more } }, { top: { volumes: { files: {}, nested: {} } } });
}

const sh = (project: ComposeProject, script: string): Promise<string> =>
  project.compose(['exec', '-T', 'app', 'sh', '-c', `cd /data && ${script}`]);

test('a file that gets shorter while it is read is named, and is no obstacle once it rests', async () => {
  const project = await holder('shrinking', ['files:/data']);
  const toggle =
    'truncate -s 500M log; while [ ! -e stop ]; do truncate -s 1000 log; truncate -s 500M log; sleep 0.1; done';
  await project.compose(['exec', '-d', 'app', 'sh', '-c', `cd /data; echo a > a; ${toggle}`]);
  await eventually('the file is there', () => sh(project, 'ls log'));
  const failed = await eventually('a backup fails', async () => {
    const outcome = await backUp(project);
    return outcome.code === 0 ? null : outcome;
  });
  expect(failed.stderr).toMatch(/archive ended inside \/data\/log, 3 times\. .*Stop the program that writes to it/);
  await sh(project, 'touch stop; sleep 1; rm log');
  await eventually('a backup succeeds', async () => (await backUp(project)).code === 0);
});

test('a mount that root may not read fails the backup with its name', async () => {
  const bound = stage.lab.scratch('cloud');
  const cloud = join(bound, 'cloud');
  mkdirSync(cloud);
  writeFileSync(join(bound, 'a'), 'a');
  // A FUSE file system of another user without allow_other, as rclone mounts it.
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=1000,group_id=1000';
  const mount = ['-i', '-t', 'fuse', '-o', options, 'fuse', cloud];
  // By its newer system calls, mount(8) of util-linux 2.41 wants to look at what root may not look at.
  const env = { ...process.env, LIBMOUNT_FORCE_MOUNT2: 'always' };
  const mounted = spawnSync('mount', mount, { stdio: ['ignore', 'ignore', 'pipe', device], encoding: 'utf8', env });
  expect([mounted.status, mounted.stderr]).toEqual([0, '']);
  const project = await holder('cloud', [`${bound}:/data`]);
  try {
    const failed = await backUp(project);
    expect([failed.code, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot read \/data\/cloud \(Permission denied\), and leaves it out.*allow_other/),
    ]);
  } finally {
    await project.down();
    spawnSync('umount', [cloud]);
    closeSync(device);
  }
});

test('a disk that is full while a restore unpacks: nothing is lost, and the message says so', async () => {
  const disk = stage.lab.scratch('disk');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk], { encoding: 'utf8' });
  expect(mounted.stderr).toBe('');
  stage.closing(() => spawnSync('umount', [disk]));
  const project = await holder('full', [`${disk}:/data`]);
  writeFileSync(join(disk, 'large'), randomBytes(14_000_000));
  const set = await goodBackup(project);
  writeFileSync(join(disk, 'large'), 'changed');
  writeFileSync(join(disk, 'other'), randomBytes(14_000_000));
  const other = readFileSync(join(disk, 'other'));

  const failed = await cli('restore', set, '--yes');
  expect([failed.code, failed.stderr]).toEqual([
    1,
    expect.stringMatching(/The disk of \/data .* is full.*space.*The previous data is in place/s),
  ]);
  expect(readdirSync(disk).sort()).toEqual(['large', 'other']);
  expect(readFileSync(join(disk, 'large'), 'utf8')).toBe('changed');
  expect(readFileSync(join(disk, 'other')).equals(other)).toBe(true);
  expect((await project.container('app'))['State'].Running).toBe(true);
});
