import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeFolder } from '../../../src/lib/files';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'make-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('makes what is missing, for the owner alone, and leaves what is there', async () => {
  const deep = path.join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(path.join(folder, 'a'))]);
  for (const made of [deep, path.dirname(deep)]) expect(statSync(made).mode & 0o777).toBe(0o700);
  await makeFolder(deep);
});

test('rejects with the error of the system where none can be', async () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  await expect(makeFolder(file)).rejects.toHaveProperty('code', 'EEXIST');
  await expect(makeFolder(path.join(file, 'below', 'it'))).rejects.toHaveProperty('code', 'ENOTDIR');
});

test('ends in a file system that knows of no new folders', async () => {
  await expect(makeFolder('/proc/diun-pilot/backups')).rejects.toHaveProperty('code', 'ENOENT');
});
