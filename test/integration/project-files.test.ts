import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProjectFiles } from '../../src/adapters/project-files/project-files';
import { describeIf, whyNoMount } from '../support/needs';

const files = createProjectFiles();
const BEFORE = '# grüße\nservices: {web: {image: "nginx:1"}}\n';
const AFTER = BEFORE.replace('nginx:1', 'nginx:2');

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'project-files-'));
  path = join(folder, 'compose.yaml');
  writeFileSync(path, BEFORE);
});
afterEach(() => rmSync(folder, { recursive: true }));

const replace = (file = path, before = BEFORE, after = AFTER) => files.replace({ folder, path: file }, before, after);

async function refusal(work: Promise<unknown>): Promise<string> {
  const failure = await work.catch((error: Error & { code: string }) => error);
  expect(failure).toMatchObject({ code: 'project_file_refused' });
  return (failure as Error).message;
}

describeIf(whyNoMount(), 'a file that is mounted', () => {
  const mount = (...args: string[]) => expect(spawnSync('mount', args, { encoding: 'utf8' }).stderr).toBe('');
  let mounted: string;
  beforeEach(() => {
    mounted = join(folder, 'mounted');
    mkdirSync(mounted);
  });
  afterEach(() => {
    spawnSync('umount', [join(mounted, 'compose.yaml')]);
    spawnSync('umount', [mounted]);
  });

  it('read-only, with its folder, is refused with what to mount', async () => {
    mount('--bind', folder, mounted);
    mount('-o', 'remount,bind,ro', mounted);
    const file = { folder: mounted, path: join(mounted, 'compose.yaml') };
    expect(await files.read(file)).toBe(BEFORE);
    expect(await refusal(files.replace(file, BEFORE, AFTER))).toMatch(
      /mounted read-only: mount the folder of the project writable/,
    );
    expect(readFileSync(path, 'utf8')).toBe(BEFORE);
  });

  it('by itself is refused: it cannot be replaced as a whole', async () => {
    const file = { folder: mounted, path: join(mounted, 'compose.yaml') };
    writeFileSync(file.path, '');
    mount('--bind', path, file.path);
    expect(await refusal(files.replace(file, BEFORE, AFTER))).toContain('mounted as a single file');
    expect([readFileSync(path, 'utf8'), readdirSync(mounted)]).toEqual([BEFORE, ['compose.yaml']]);
  });
});

describe('a process that is killed while it replaces', () => {
  const large = (image: string): string => `${BEFORE.replace('nginx:1', image)}${'# a long file\n'.repeat(15_000)}`;
  const endless = `
    const { createProjectFiles } = require('./src/adapters/project-files/project-files');
    const [folder, path, one, other] = process.argv.slice(1);
    const { readFileSync } = require('node:fs');
    const texts = [readFileSync(one, 'utf8'), readFileSync(other, 'utf8')];
    (async () => {
      for (let i = 0; ; i++) {
        await createProjectFiles().replace({ folder, path }, texts[i % 2], texts[(i + 1) % 2]);
        process.stdout.write('.');
      }
    })();`;

  it.each([1, 2, 3, 4])(
    'leaves one of both texts, whole, and nothing in the way of the next (%i)',
    async (round) => {
      const texts = join(folder, 'texts');
      mkdirSync(texts);
      const [one, other] = [large('nginx:1'), large('nginx:2')];
      writeFileSync(join(texts, 'one'), one);
      writeFileSync(join(texts, 'other'), other);
      writeFileSync(path, one);
      const args = ['--import', 'tsx', '-e', endless, folder, path, join(texts, 'one'), join(texts, 'other')];
      const child = spawn(process.execPath, args, {
        cwd: join(__dirname, '../..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => {
        let replaced = 0;
        child.stdout.on('data', (dots: Buffer) => (replaced += dots.length) >= round && child.kill('SIGKILL'));
        child.on('exit', resolve);
      });
      expect(child.signalCode).toBe('SIGKILL');
      const left = readFileSync(path, 'utf8');
      expect([one, other].includes(left)).toBe(true);
      await replace(path, left, AFTER);
      expect(readFileSync(path, 'utf8')).toBe(AFTER);
      expect(readdirSync(folder).sort()).toEqual(['compose.yaml', 'texts']);
    },
    30_000,
  );
});
