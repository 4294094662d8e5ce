import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { feedCommand } from '../../../../src/backups/sources/postgres-source';

const chunks = Array.from({ length: 100 }, (_, index) => Buffer.alloc(65_536, index));

async function* counted(seen: { bytes: number }): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    await Promise.resolve();
    seen.bytes += chunk.length;
    yield chunk;
  }
}

test('the command gets every byte, and its outcome is told', async () => {
  const got = await feedCommand(counted({ bytes: 0 }), buffer);
  expect(got.equals(Buffer.concat(chunks))).toBe(true);
});

test('a command that ends early does not keep the rest of the content from being read', async () => {
  const seen = { bytes: 0 };
  const endsAtOnce = async (input: Readable): Promise<number> => {
    await once(input, 'readable');
    input.destroy();
    return 1;
  };
  await expect(feedCommand(counted(seen), endsAtOnce)).resolves.toBe(1);
  expect(seen.bytes).toBe(100 * 65_536);
});

test('a command that fails is told with its own error, once the content was read', async () => {
  const seen = { bytes: 0 };
  await expect(feedCommand(counted(seen), () => Promise.reject(new Error('no engine')))).rejects.toThrow('no engine');
  expect(seen.bytes).toBe(100 * 65_536);
});

test('content that breaks is told with its own error, and the command loses its input', async () => {
  let input: Readable | undefined;
  const breaks = Readable.from(
    (function* () {
      yield chunks[0];
      throw new Error('connection reset');
    })(),
  );
  const reads = (given: Readable): Promise<Buffer> => buffer((input = given));
  await expect(feedCommand(breaks as AsyncIterable<Buffer>, reads)).rejects.toThrow('connection reset');
  expect(input?.destroyed).toBe(true);
});
