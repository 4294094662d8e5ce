import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BackupStorage } from '../../src/ports/backup-storage';
import type { Fault, FaultProxy } from '../support/fault-proxy';
import { checkStorage } from '../../src/backups/check-storage';

export interface FaultyStorage {
  storage: BackupStorage;
  proxy: FaultProxy;
  /** What the server really has: objects, and multipart uploads that were neither completed nor aborted. */
  objects: () => Promise<string[]>;
  uploads: () => Promise<string[]>;
}

const MIB = 1024 * 1024;
const SMALL = 100_000;
const LARGE = 20 * MIB;
const BUSY: Fault = { kind: 'error', status: 503, code: 'SlowDown' };
const DENIED: Fault = { kind: 'error', status: 403, code: 'AccessDenied' };
const PART = /PUT .*partNumber=2/;

/** What the S3 storage makes of a network and a server that fail. `open` gives an empty bucket behind a faultless proxy. */
export function s3FaultsContract(name: string, open: () => Promise<FaultyStorage>): void {
  describe(`S3 storage with faults on the wire, on ${name}`, () => {
    let faulty: FaultyStorage;
    beforeEach(async () => (faulty = await open()));

    const put = (content: Buffer): Promise<{ bytes: number }> =>
      faulty.storage.put('set/item', Readable.from(pieces(content), { objectMode: false }));

    async function expectNothingLeft(): Promise<void> {
      expect(await faulty.objects()).toEqual([]);
      expect(await faulty.uploads()).toEqual([]);
    }

    it.each<[string, RegExp, Fault, number]>([
      ['a busy server (503)', /^PUT/, BUSY, SMALL],
      ['a connection that is reset', /^PUT/, { kind: 'reset' }, SMALL],
      ['a reset inside a part', PART, { kind: 'reset-inside' }, LARGE],
      ['a part whose answer is lost', PART, { kind: 'lose-answer' }, LARGE],
      ['a part that hangs', PART, { kind: 'hang' }, LARGE],
    ])('is not deterred by %s', async (_what, matches, fault, size) => {
      faulty.proxy.fail(matches, fault, 1);
      const content = randomBytes(size);
      expect(await put(content)).toEqual({ bytes: size });
      expect((await buffer(await faulty.storage.get('set/item'))).equals(content)).toBe(true);
      expect(await faulty.uploads()).toEqual([]);
    });

    it.each<[string, RegExp, Fault, string]>([
      ['stays busy', PART, BUSY, 'storage_unreachable'],
      ['resets every part', PART, { kind: 'reset-inside' }, 'storage_unreachable'],
      ['hangs at a part', PART, { kind: 'hang' }, 'storage_unreachable'],
      ['hangs at the completion', /POST .*uploadId/, { kind: 'hang' }, 'storage_unreachable'],
      ['refuses a part', PART, DENIED, 'storage_refused'],
      ['has no space for a part', PART, { kind: 'error', status: 507, code: 'InsufficientStorage' }, 'storage_full'],
    ])('gives up within bounds when the server %s, and leaves nothing', async (_what, matches, fault, code) => {
      faulty.proxy.fail(matches, fault);
      await expect(put(randomBytes(LARGE))).rejects.toMatchObject({ code, message: expect.stringContaining('bucket') });
      await expectNothingLeft();
    });

    it('leaves nothing of a part that arrives damaged, which its hash tells', async () => {
      faulty.proxy.fail(PART, { kind: 'flip-request' }, 1);
      await expect(put(randomBytes(LARGE))).rejects.toMatchObject({ code: 'storage_unreachable' });
      await expectNothingLeft();
    });

    it('leaves nothing when the answer to a small object is lost for good', async () => {
      faulty.proxy.fail(/^PUT/, { kind: 'lose-answer' });
      await expect(put(randomBytes(SMALL))).rejects.toMatchObject({ code: 'storage_unreachable' });
      await expectNothingLeft();
    });

    it('tells the first error, not that of the abort, and that parts may be left', async () => {
      faulty.proxy.fail(PART, DENIED);
      faulty.proxy.fail(/^DELETE .*uploadId/, { kind: 'error', status: 500, code: 'InternalError' });
      await expect(put(randomBytes(LARGE))).rejects.toMatchObject({
        code: 'storage_refused',
        message: expect.stringMatching(/AccessDenied.*s3:PutObject.*AbortIncompleteMultipartUpload/),
      });
    });

    it("tells the stream's own error when that came first", async () => {
      const failure = new Error('pg_dump ended with exit code 1');
      const content = Readable.from(failsAfter(LARGE, failure), { objectMode: false });
      await expect(faulty.storage.put('set/item', content)).rejects.toBe(failure);
      await expectNothingLeft();
    });

    it.each<[string, Fault]>([
      ['is cut', { kind: 'cut-inside' }],
      ['hangs in its middle', { kind: 'hang-inside' }],
    ])('fails the reader of an object whose answer %s', async (_what, fault) => {
      await put(randomBytes(MIB));
      faulty.proxy.fail(/^GET .*set\/item/, fault);
      await expect(buffer(await faulty.storage.get('set/item'))).rejects.toMatchObject({ code: 'storage_unreachable' });
    });

    it.each<[string, Fault, string, RegExp]>([
      ['the bucket is not there', { kind: 'error', status: 404, code: 'NoSuchBucket' }, 'storage_refused', /create it/],
      [
        'the key is unknown',
        { kind: 'error', status: 403, code: 'InvalidAccessKeyId' },
        'storage_refused',
        /AWS_ACCESS_KEY_ID/,
      ],
      ['the credentials may not', DENIED, 'storage_refused', /s3:ListBucket, s3:GetObject/],
      [
        'the server fails',
        { kind: 'error', status: 500, code: 'InternalError' },
        'storage_unreachable',
        /InternalError/,
      ],
      ['nobody answers', { kind: 'hang' }, 'storage_unreachable', /TimeoutError/],
    ])('says in every act what to do when %s', async (_what, fault, code, advice) => {
      faulty.proxy.fail(/./, fault);
      const { storage } = faulty;
      const everyAct = [
        () => put(Buffer.from('x')),
        () => storage.get('a'),
        () => storage.list(''),
        () => storage.delete('a'),
        () => checkStorage(storage),
      ];
      // Each waits as long for a server that never answers: one of them will do.
      const acts = fault.kind === 'hang' ? everyAct.slice(0, 1) : everyAct;
      for (const act of acts) {
        await expect(act()).rejects.toMatchObject({ code, message: expect.stringMatching(advice) });
      }
    });

    it('says so when nothing listens there', async () => {
      await faulty.proxy.stop();
      await expect(checkStorage(faulty.storage)).rejects.toMatchObject({
        code: 'storage_unreachable',
        message: expect.stringContaining('does not answer'),
      });
    });
  });
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}

function* failsAfter(bytes: number, failure: Error): Generator<Buffer> {
  for (let at = 0; at < bytes; at += 65_536) yield Buffer.alloc(65_536, 7);
  throw failure;
}
