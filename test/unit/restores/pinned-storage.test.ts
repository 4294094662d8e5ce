import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pinned } from '../../../src/restores/pinned-storage';
import { memoryStorage } from '../../support/memory-storage';

const KEY = 'shop/set/01.dump';
const hashOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

function scene(bytes: number) {
  const content = randomBytes(bytes);
  const storage = memoryStorage(new Map([[KEY, content]]));
  return { content, storage, item: { key: KEY, sha256: hashOf(content) }, pins: pinned(storage) };
}

const MiB = 1024 * 1024;

test.each([1, MiB - 1, MiB, MiB + 1, 3 * MiB + 17])(
  'gives out what was checked, byte for byte: %d bytes',
  async (bytes) => {
    const { content, item, pins } = scene(bytes);
    expect((await buffer(await pins.get(KEY))).equals(content)).toBe(true);
    expect((await buffer(await pins.getPinned(item))).equals(content)).toBe(true);
  },
);

test('what was not read before is read twice: nothing of a wrong object is given out', async () => {
  const { item, pins, storage } = scene(2 * MiB);
  storage.objects.set(KEY, randomBytes(2 * MiB));
  await expect(pins.getPinned(item)).rejects.toMatchObject({ code: 'backup_not_verified' });
});

test.each<[string, (content: Buffer) => Buffer, number]>([
  [
    'its last byte is another',
    (content) => Buffer.concat([content.subarray(0, -1), Buffer.from([~(content.at(-1) ?? 0) & 255])]),
    3 * MiB,
  ],
  ['it is cut', (content) => content.subarray(0, 2 * MiB), 2 * MiB],
  ['it is longer', (content) => Buffer.concat([content, Buffer.from('; DROP ROLE x')]), 3 * MiB],
  ['it is another from the start', (content) => randomBytes(content.length), 0],
])('an object that was replaced after it was checked ends the stream: %s', async (_what, change, most) => {
  const { content, item, pins, storage } = scene(3 * MiB + 5);
  await buffer(await pins.get(KEY));
  storage.objects.set(KEY, change(content));
  let given = 0;
  const read = async (): Promise<void> => {
    for await (const chunk of await pins.getPinned(item)) given += (chunk as Buffer).length;
  };
  await expect(read()).rejects.toMatchObject({ code: 'backup_not_verified' });
  expect(given).toBeLessThanOrEqual(most);
});

test('an error of the storage is the stream’s', async () => {
  const { item, storage } = scene(10);
  const broken = { ...storage, get: () => Promise.resolve(Readable.from(failing())) };
  await expect(pinned(broken).getPinned(item)).rejects.toThrow('reset');
});

// eslint-disable-next-line @typescript-eslint/require-await -- it only fails
async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('x');
  throw new Error('reset');
}
