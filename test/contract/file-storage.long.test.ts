import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import { memoryStorage } from '../support/memory-storage';
import { backupStorageContract } from './backup-storage.contract';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

backupStorageContract('a folder', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'file-storage-'));
  folders.push(directory);
  return {
    storage: createFileStorage({ directory: join(directory, 'not', 'there', 'yet') }),
    leftovers: () => readdir(join(directory, 'not', 'there', 'yet', '.partial')).catch(() => []),
  };
});

backupStorageContract('the memory that other tests use', () =>
  Promise.resolve({ storage: memoryStorage(), leftovers: () => Promise.resolve([]) }),
);
