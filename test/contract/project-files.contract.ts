import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ProjectFiles } from '../../src/ports/compose';

const BEFORE = '# grüße\nservices: {web: {image: "nginx:1"}}\n';
const AFTER = BEFORE.replace('nginx:1', 'nginx:2');

/** Every promise of `ProjectFiles`, in a folder below `root`. */
export function projectFilesContract(name: string, files: ProjectFiles, root: string): void {
  describe(`${name} keep the promises of the project's files`, () => {
    let folder: string;
    let path: string;
    beforeEach(() => {
      folder = mkdtempSync(join(root, 'project-files-'));
      path = join(folder, 'compose.yaml');
      writeFileSync(path, BEFORE);
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const replace = (file = path, before = BEFORE, after = AFTER) =>
      files.replace({ folder, path: file }, before, after);

    async function refusal(work: Promise<unknown>): Promise<string> {
      const failure = await work.catch((error: Error & { code: string }) => error);
      expect(failure).toMatchObject({ code: 'project_file_refused' });
      return (failure as Error).message;
    }

    /** Told before anything is written in the same words as by the attempt. */
    async function refusalOf(file: { folder: string; path: string }): Promise<string> {
      const foreseen = await refusal(files.mayReplace(file));
      expect(await refusal(files.replace(file, BEFORE, AFTER))).toBe(foreseen);
      return foreseen;
    }

    describe('reading', () => {
      it('gives the whole text, byte order mark included', async () => {
        writeFileSync(path, `\ufeff${BEFORE}`);
        expect(await files.read({ folder, path })).toBe(`\ufeff${BEFORE}`);
      });

      it('of what is not there gives nothing', async () => {
        expect(await files.read({ folder, path: join(folder, '.env') })).toBeNull();
        expect(await files.read({ folder, path: join(path, '.env') })).toBeNull();
      });

      it('of what is no text of a sensible size is refused', async () => {
        writeFileSync(path, Buffer.alloc(300_000, 'a'));
        expect(await refusal(files.read({ folder, path }))).toContain('larger than 256 KiB');
        writeFileSync(path, Buffer.from([0x61, 0xff]));
        expect(await refusal(files.read({ folder, path }))).toContain('not UTF-8');
        expect(await refusal(files.read({ folder, path: folder }))).toContain('not a regular file');
      });
    });

    describe('replacing', () => {
      it('keeps mode and owner, and leaves nothing beside', async () => {
        chmodSync(path, 0o640);
        if (process.getuid?.() === 0) chownSync(path, 1234, 2345);
        const before = statSync(path);
        await replace();
        const after = statSync(path);
        expect(readFileSync(path, 'utf8')).toBe(AFTER);
        expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
        expect(readdirSync(folder)).toEqual(['compose.yaml']);
      });

      it('of a file that holds something else by now is refused', async () => {
        expect(await refusal(replace(path, AFTER, BEFORE))).toContain('changed externally');
        expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual([BEFORE, ['compose.yaml']]);
      });

      it('of a file that is not there is refused, and makes none', async () => {
        expect(await refusalOf({ folder, path: join(folder, '.env') })).toContain('is not there');
        expect(readdirSync(folder)).toEqual(['compose.yaml']);
      });

      it('is foreseen without writing', async () => {
        const before = statSync(path);
        await files.mayReplace({ folder, path });
        expect(readFileSync(path, 'utf8')).toBe(BEFORE);
        expect([statSync(path).mtimeMs, statSync(path).ino]).toEqual([before.mtimeMs, before.ino]);
        expect(readdirSync(folder)).toEqual(['compose.yaml']);
      });

      it('follows a link within the project, and keeps it', async () => {
        mkdirSync(join(folder, 'real'));
        writeFileSync(join(folder, 'real/compose.yaml'), BEFORE);
        const link = join(folder, 'link.yaml');
        symlinkSync('real/compose.yaml', link);
        await replace(link);
        expect(readFileSync(join(folder, 'real/compose.yaml'), 'utf8')).toBe(AFTER);
        expect(readFileSync(link, 'utf8')).toBe(AFTER);
      });

      it.each([
        [
          'a link to a file outside',
          (project: string, outside: string) => symlinkSync(outside, join(project, 'x.yaml')),
          'x.yaml',
        ],
        [
          'a linked folder',
          (project: string, outside: string) => symlinkSync(join(outside, '..'), join(project, 'up')),
          'up/outside.yaml',
        ],
        ['dots', () => undefined, '../outside.yaml'],
      ])('never leaves the project by %s', async (_, arrange, name) => {
        const project = join(folder, 'project');
        mkdirSync(project);
        const outside = join(folder, 'outside.yaml');
        writeFileSync(outside, BEFORE);
        arrange(project, outside);
        expect(await refusalOf({ folder: project, path: `${project}/${name}` })).toContain('outside of the project');
        expect(readFileSync(outside, 'utf8')).toBe(BEFORE);
      });

      it('of a file with a second name is refused: that name would keep the old text', async () => {
        linkSync(path, join(folder, 'second'));
        expect(await refusalOf({ folder, path })).toContain('hard link');
        expect(readFileSync(path, 'utf8')).toBe(BEFORE);
      });
    });
  });
}
