import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { createResticStorage, type ResticStorageOptions } from '../../src/adapters/storage-restic/restic-storage';
import type { BackupStorage } from '../../src/ports/backup-storage';
import { backupStorageContract } from '../contract/backup-storage.contract';
import { RESTIC } from '../lab/debian-program';
import { startS3Server, type S3Server } from '../support/s3-server';
import { whyNoS3Server } from '../lab/s3-program';
import { describeIf } from '../support/needs';
import { checkStorage } from '../../src/backups/check-storage';

describeIf(RESTIC.whyNot() ?? whyNoS3Server(), 'a real restic', () => {
  const folders: string[] = [];
  let server: S3Server;
  beforeAll(async () => (server = await startS3Server()), 1_000_000);
  afterAll(async () => {
    for (const folder of folders) rmSync(folder, { recursive: true });
    await server.stop();
  });

  function folder(): string {
    folders.push(mkdtempSync(join(tmpdir(), 'restic-')));
    return folders.at(-1) ?? '';
  }

  const base = (): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    RESTIC_PASSWORD: 'a password of the tests',
    RESTIC_CACHE_DIR: join(folder(), 'cache'),
  });
  const resticStorage = (options: ResticStorageOptions): BackupStorage =>
    createResticStorage({ program: RESTIC.path, quietMs: 0, ...options });
  const patience = { lockMs: 60_000, againMs: 200 };

  /** As an operator at a terminal. */
  function cli(repository: string, args: string[], env = base()): string {
    return execFileSync(RESTIC.path, args, { env: { ...env, RESTIC_REPOSITORY: repository }, encoding: 'utf8' });
  }

  function leftoversIn(repository: string, env: Record<string, string>): string[] {
    const snapshots = JSON.parse(cli(repository, ['snapshots', '--json', '--no-lock'], env) || '[]') as {
      tags: string[];
    }[];
    const unfinished = snapshots
      .filter(({ tags }) => !tags.some((tag) => tag.startsWith('bytes=')))
      .map(() => 'a snapshot');
    return [
      ...unfinished,
      ...cli(repository, ['list', 'locks', '--no-lock', '--quiet'], env).split('\n').filter(Boolean),
    ];
  }

  backupStorageContract('a restic repository in a folder', () => {
    const repository = join(folder(), 'not', 'there', 'yet');
    const env = base();
    const storage = resticStorage({ repository, env, patience });
    return Promise.resolve({ storage, leftovers: () => Promise.resolve(leftoversIn(repository, env)) });
  });

  describe('a restic repository in a bucket', () => {
    test('gives back what was stored', async () => {
      const { accessKeyId, secretAccessKey } = server.sdk.credentials;
      const repository = `s3:${server.endpoint}/${await server.bucket()}/home`;
      const env = { ...base(), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const storage = resticStorage({ repository, env, patience });
      await checkStorage(storage);
      await storage.put('shop/set/a.dump', Readable.from([Buffer.from('rows')]));
      expect(await text(await storage.get('shop/set/a.dump'))).toBe('rows');
    });
  });

  describe('in a folder', () => {
    let repository: string;
    let env: Record<string, string>;
    let storage: BackupStorage;
    beforeEach(() => {
      repository = join(folder(), 'repo');
      env = base();
      storage = resticStorage({ repository, env, patience });
    });
    const put = (key: string, content: string | Buffer) => storage.put(key, Readable.from([Buffer.from(content)]));

    test('plain restic reads an object under its key, and the repository is whole', async () => {
      await put('shop/set/01-app.dump', 'rows');
      expect(cli(repository, ['dump', '--path', '/shop/set/01-app.dump', 'latest', '/shop/set/01-app.dump'], env)).toBe(
        'rows',
      );
      expect(cli(repository, ['check', '--read-data'], env)).toContain('no errors were found');
    });

    test('nothing is readable without the password, and a wrong one is reported as that', async () => {
      await put('shop/set/a', 'a secret that must not be on the disk');
      const files = readdirSync(repository, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        expect(readFileSync(join(file.parentPath, file.name)).includes('a secret that must not')).toBe(false);
      }
      const wrong = resticStorage({ repository, env: { ...env, RESTIC_PASSWORD: 'wrong' }, patience });
      const refused = { code: 'storage_refused', message: expect.stringContaining('RESTIC_PASSWORD') };
      await expect(wrong.list('')).rejects.toMatchObject(refused);
      await expect(wrong.get('shop/set/a')).rejects.toMatchObject(refused);
      await expect(wrong.put('x', Readable.from([Buffer.from('x')]))).rejects.toMatchObject(refused);
    });

    test('a restore from a wrong address creates no repository there', async () => {
      expect(await storage.list('')).toEqual([]);
      await expect(storage.get('shop/set/a')).rejects.toMatchObject({ code: 'object_not_found' });
      expect(readdirSync(join(repository, '..'))).not.toContain('repo');
    });

    test('the same bytes are stored once: ten sets that change a little cost less than 1.3 times one', async () => {
      // restic cuts data into pieces of about 1 MiB: a set must have many, and 1 % of it be more than one.
      const size = 192 * 1024 * 1024;
      const content = randomBytes(size);
      const bytes = (): number =>
        Number(
          (JSON.parse(cli(repository, ['stats', '--mode', 'raw-data', '--json'], env)) as { total_size: number })
            .total_size,
        );
      await put('shop/0/files.tar', content);
      const one = bytes();
      for (let day = 1; day < 10; day++) {
        randomBytes(Math.floor(size / 100)).copy(content, Math.floor((day * size) / 10));
        await put(`shop/${day}/files.tar`, content);
      }
      expect(bytes() / one).toBeLessThan(1.3);
    });

    test('deleted objects give their space back with the next tidying, and others of the repository are left alone', async () => {
      cli(repository, ['init'], env);
      execFileSync(RESTIC.path, ['backup', '--stdin', '--stdin-filename', 'theirs'], {
        input: 'x',
        env: { ...env, RESTIC_REPOSITORY: repository },
      });
      await put('shop/1/a', Buffer.alloc(3_000_000, 'abcdefg1'));
      await storage.delete('shop/1/a');
      await storage.tidy?.(new AbortController().signal);
      expect(cli(repository, ['check'], env)).toContain('no errors were found');
      expect(cli(repository, ['snapshots', '--json'], env)).toContain('/theirs');
      expect(cli(repository, ['dump', 'latest', '/theirs'], env)).toBe('x');
      expect(await storage.list('')).toEqual([]);
    });

    test('the lock of a process that was killed is removed, and what it began is not listed', async () => {
      await put('shop/1/a', 'first');
      const killed = spawn(RESTIC.path, ['backup', '--tag', 'diun-pilot', '--stdin', '--stdin-filename', '/shop/2/b'], {
        env: { ...env, RESTIC_REPOSITORY: repository },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      killed.stdin.write('half');
      const locks = (): string => cli(repository, ['list', 'locks', '--no-lock', '--quiet'], env);
      while (locks() === '') await new Promise((resolve) => setTimeout(resolve, 200));
      killed.kill('SIGKILL');
      await new Promise((resolve) => killed.once('close', resolve));
      expect(locks()).not.toBe('');
      await storage.delete('shop/1/a');
      expect([await storage.list(''), locks()]).toEqual([[], '']);
    });

    test('a call interrupts the tidying, and both are done in the end', async () => {
      await put('shop/1/a', Buffer.alloc(8_000_000, 'x'));
      await storage.delete('shop/1/a');
      const tidying = storage.tidy?.(new AbortController().signal);
      await put('shop/2/a', 'second');
      await tidying;
      expect((await buffer(await storage.get('shop/2/a'))).toString()).toBe('second');
      await storage.tidy?.(new AbortController().signal);
      expect(cli(repository, ['check'], env)).toContain('no errors were found');
    });

    test('without the program it says what to do', async () => {
      const without = resticStorage({ repository, env, patience, program: '/nonexistent/restic' });
      await expect(checkStorage(without)).rejects.toMatchObject({
        code: 'storage_refused',
        message: expect.stringContaining('The program restic is missing'),
      });
    });
  });
});
