import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import { describeIf, whyNoMount } from '../support/needs';

const KIB = 1024;

describeIf(whyNoMount(), 'a backup folder on a disk of one megabyte', () => {
  let disk: string;
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'full-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { encoding: 'utf8' });
    expect(mounted.stderr).toBe('');
  });
  afterEach(() => {
    spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });

  it('tells that it is full without the path of this machine, keeps nothing, and has its space again', async () => {
    const storage = createFileStorage({ directory: join(disk, 'backups') });
    const endless = new Readable({ read: (size) => void endless.push(randomBytes(size)) });
    const failure = await storage.put('set/large', endless).catch((error: Error & { code: string }) => error);
    expect(failure).toMatchObject({ name: 'StorageError', code: 'storage_full' });
    expect((failure as Error).message).toMatch(/^The backup folder is full \(ENOSPC\)\..*PILOT_BACKUP_URL/);
    expect((failure as Error).message).not.toContain(disk);
    expect(endless.destroyed).toBe(true);
    expect(await storage.list('')).toEqual([]);
    expect(readdirSync(join(disk, 'backups', '.partial'))).toEqual([]);

    const fits = randomBytes(800 * KIB);
    await storage.put('set/fits', Readable.from([fits]));
    expect((await buffer(await storage.get('set/fits'))).equals(fits)).toBe(true);
  });

  it('keeps what was stored before', async () => {
    const storage = createFileStorage({ directory: disk });
    const before = randomBytes(600 * KIB);
    await storage.put('one/set', Readable.from([before]));
    await expect(storage.put('other/set', Readable.from([randomBytes(600 * KIB)]))).rejects.toMatchObject({
      code: 'storage_full',
    });
    expect(await storage.list('')).toEqual([{ key: 'one/set', bytes: before.length }]);
    expect((await buffer(await storage.get('one/set'))).equals(before)).toBe(true);
  });
});
