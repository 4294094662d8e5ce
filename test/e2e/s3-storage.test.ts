import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createS3Storage, type S3StorageOptions } from '../../src/adapters/storage-s3/s3-storage';
import { backupStorageContract } from '../contract/backup-storage.contract';
import { s3FaultsContract } from '../contract/s3-faults.contract';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';
import { describeIf } from '../support/needs';
import { whyNoS3Server } from '../lab/s3-program';
import { startS3Server, type S3Server } from '../support/s3-server';
import { checkStorage } from '../../src/backups/check-storage';

const MiB = 1024 * 1024;

describeIf(whyNoS3Server(), 'a real S3 server over the wire', () => {
  let server: S3Server;
  const proxies: FaultProxy[] = [];

  beforeAll(async () => (server = await startS3Server()), 1_000_000);
  afterEach(() => Promise.all(proxies.splice(0).map((proxy) => proxy.stop())));
  afterAll(() => server.stop());

  function storageIn(bucket: string, more: Partial<S3StorageOptions> = {}): ReturnType<typeof createS3Storage> {
    return createS3Storage({ bucket, prefix: 'home/nas', customEndpoint: true, client: server.sdk, ...more });
  }

  backupStorageContract('a bucket', async () => {
    const bucket = await server.bucket();
    return { storage: storageIn(bucket), leftovers: () => server.uploads(bucket) };
  });

  backupStorageContract('a bucket asked as Amazon is, with checksums', async () => {
    const bucket = await server.bucket();
    // Path style, as 127.0.0.1 has no host names for buckets.
    const client = { ...server.sdk, forcePathStyle: true };
    return {
      storage: storageIn(bucket, { customEndpoint: false, client }),
      leftovers: () => server.uploads(bucket),
    };
  });

  s3FaultsContract('a real server', async () => {
    const bucket = await server.bucket();
    const proxy = await startFaultProxy(server.endpoint);
    proxies.push(proxy);
    const client = { ...server.sdk, endpoint: proxy.endpoint };
    return {
      storage: storageIn(bucket, { client, silenceMs: 3_000, attempts: 2 }),
      proxy,
      objects: () => server.objects(bucket),
      uploads: () => server.uploads(bucket),
    };
  });

  it('lists more keys than fit into one answer', async () => {
    const storage = storageIn(await server.bucket());
    const keys = Array.from({ length: 1_005 }, (_, at) => `set/${String(at).padStart(5, '0')}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => storage.put(key, Readable.from([Buffer.from(key)]))));
    }
    expect((await storage.list('set/')).map(({ key }) => key)).toEqual(keys);
  });

  it.each([
    ['access key', { accessKeyId: 'nobody' }, /AWS_ACCESS_KEY_ID/],
    ['secret key', { secretAccessKey: 'wrong' }, /AWS_SECRET_ACCESS_KEY/],
  ])('says which of the settings is wrong: the %s', async (_what, wrong, advice) => {
    const credentials = { ...server.sdk.credentials, ...wrong };
    const storage = storageIn(await server.bucket(), { client: { ...server.sdk, credentials } });
    const message = expect.stringMatching(advice);
    await expect(checkStorage(storage)).rejects.toMatchObject({ code: 'storage_refused', message });
    const large = Readable.from([randomBytes(20 * 1024 * 1024)]);
    await expect(storage.put('a/b', large)).rejects.toMatchObject({ code: 'storage_refused', message });
  });

  it('an object of more than the small parts is stored in large ones, byte for byte', async () => {
    const parts = { first: 5 * MiB, firstParts: 2, then: 8 * MiB };
    const storage = storageIn(await server.bucket(), { parts });
    for (const bytes of [10 * MiB, 10 * MiB + 1, 30 * MiB]) {
      const content = randomBytes(bytes);
      expect(await storage.put('set/large', Readable.from([content]))).toEqual({ bytes });
      expect(await buffer(await storage.get('set/large'))).toEqual(content);
    }
  });

  it('says that the bucket is not there', async () => {
    await expect(checkStorage(storageIn('no-such-bucket'))).rejects.toMatchObject({
      code: 'storage_refused',
      message: expect.stringMatching(/NoSuchBucket.*create it/),
    });
  });
});
