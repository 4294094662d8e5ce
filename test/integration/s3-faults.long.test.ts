import { Readable } from 'node:stream';
import { createS3Storage } from '../../src/adapters/storage-s3/s3-storage';
import { backupStorageContract } from '../contract/backup-storage.contract';
import { s3FaultsContract } from '../contract/s3-faults.contract';
import { startFaultProxy } from '../support/fault-proxy';
import { startS3MemoryServer } from '../support/s3-memory-server';

const started: { stop: () => Promise<void> }[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));

const client = { region: 'us-east-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' } };

s3FaultsContract('a server in memory', async () => {
  const server = await startS3MemoryServer('backups');
  const proxy = await startFaultProxy(server.endpoint);
  started.push(proxy, server);
  const storage = createS3Storage({
    bucket: 'backups',
    prefix: 'home',
    customEndpoint: true,
    client: { ...client, endpoint: proxy.endpoint },
    silenceMs: 3_000,
    attempts: 2,
  });
  const objects = (): Promise<string[]> => Promise.resolve([...server.objects.keys()]);
  return { storage, proxy, objects, uploads: () => Promise.resolve(server.uploads()) };
});

backupStorageContract('S3 in memory', async () => {
  const server = await startS3MemoryServer('backups');
  started.push(server);
  const endpoint = server.endpoint;
  const storage = createS3Storage({
    bucket: 'backups',
    prefix: '',
    customEndpoint: true,
    client: { ...client, endpoint },
  });
  return { storage, leftovers: () => Promise.resolve(server.uploads()) };
});

test('a reader that is slower than the bucket may be silent is waited for', async () => {
  const server = await startS3MemoryServer('backups');
  started.push(server);
  const size = 64 * 1024 * 1024;
  server.objects.set('set/item', Buffer.alloc(size));
  const storage = createS3Storage({
    ...{ bucket: 'backups', prefix: '', customEndpoint: true, silenceMs: 2_000, attempts: 5 },
    client: { ...client, endpoint: server.endpoint },
  });
  let [bytes, paused] = [0, false];
  for await (const chunk of await storage.get('set/item')) {
    bytes += (chunk as Buffer).length;
    // A busy machine may answer late at first, which is tried again.
    if (!paused) await new Promise((resolve) => setTimeout(resolve, 7_000));
    paused = true;
  }
  expect(bytes).toBe(size);
});

test('all lies below the prefix of the address, and what lies beside it is not seen', async () => {
  const server = await startS3MemoryServer('backups');
  started.push(server);
  const { endpoint } = server;
  const storage = createS3Storage({
    ...{ bucket: 'backups', prefix: 'home/nas', customEndpoint: true },
    client: { ...client, endpoint },
  });
  server.objects.set('home/nasty/01', Buffer.from("somebody's"));
  await storage.put('web/set/01', Readable.from([Buffer.from('rows')]));
  expect([...server.objects.keys()].sort()).toEqual(['home/nas/web/set/01', 'home/nasty/01']);
  expect(await storage.list('')).toEqual([{ key: 'web/set/01', bytes: 4 }]);
  expect(storage.urlOf('web/set')).toBe('s3://backups/home/nas/web/set');
});
