import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Finding } from '../../../../src/backups/sources/item-source';
import { readAlong } from '../../../../src/backups/sources/postgres-source';

const chunks = Array.from({ length: 100 }, (_, index) => Buffer.alloc(65_536, index));
const all = Buffer.concat(chunks);

function into(stored: Buffer[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stored.push(chunk);
      done();
    },
  });
}

async function collected(content: AsyncIterable<Buffer>, pause = false): Promise<Finding> {
  const got: Buffer[] = [];
  for await (const chunk of content) {
    got.push(chunk);
    if (pause) await new Promise((resolve) => setImmediate(resolve));
  }
  return { whole: Buffer.concat(got).equals(all), words: `${got.length} chunks` };
}

test.each([false, true])('both readers get every byte (the one alongside is slow: %s)', async (slow) => {
  const stored: Buffer[] = [];
  const along = readAlong((content) => collected(content, slow));
  await pipeline(Readable.from(chunks), along.through, into(stored));
  expect(Buffer.concat(stored).equals(all)).toBe(true);
  await expect(along.finding()).resolves.toMatchObject({ whole: true });
});

test('no more than a few chunks wait for a reader that is slow', async () => {
  let taken = 0;
  let passed = 0;
  let most = 0;
  const along = readAlong(async (content) => {
    for await (const chunk of content) {
      taken += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { whole: true, words: '' };
  });
  const counts = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      most = Math.max(most, (passed += chunk.length) - taken);
      done();
    },
  });
  await pipeline(Readable.from(chunks), along.through, counts);
  expect(most).toBeLessThanOrEqual(8 * 65_536);
});

test.each<[string, () => Promise<Finding>]>([
  ['that ends early', () => Promise.resolve({ whole: false, words: 'it is no dump' })],
  ['that fails', () => Promise.reject(new Error('no engine'))],
])('a reader %s holds nobody up, and is told', async (_how, read) => {
  const stored: Buffer[] = [];
  const along = readAlong(read);
  await pipeline(Readable.from(chunks), along.through, into(stored));
  expect(Buffer.concat(stored).equals(all)).toBe(true);
  await expect(
    along.finding().then(
      ({ whole }) => whole,
      (error: Error) => error.message,
    ),
  ).resolves.toEqual(
    await read().then(
      ({ whole }) => whole,
      (error: Error) => error.message,
    ),
  );
});

test('content that is cut is never whole for the reader alongside', async () => {
  const along = readAlong((content) => collected(content));
  const breaks = Readable.from(
    (async function* () {
      yield chunks[0];
      await Promise.resolve();
      throw new Error('the server closed the connection');
    })(),
  );
  await expect(pipeline(breaks, along.through, into([]))).rejects.toThrow('the server closed the connection');
  await expect(along.finding()).rejects.toThrow('the server closed the connection');
});
