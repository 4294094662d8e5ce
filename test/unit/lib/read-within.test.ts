import { PassThrough, Readable } from 'node:stream';
import { linesWithin, readWithin } from '../../../src/lib/streams';

const bound = { bytes: 10, ms: 60_000 };

test('what is within its bound is read whole', async () => {
  expect((await readWithin(Readable.from([Buffer.from('abc'), 'défg']), bound)).toString()).toBe('abcdéfg');
});

test('what is larger is not, and its source is destroyed', async () => {
  let pulled = 0;
  const endless = new Readable({
    read() {
      pulled += 1;
      this.push(Buffer.alloc(4));
    },
    highWaterMark: 4,
  });
  await expect(readWithin(endless, bound)).rejects.toThrow('it is larger than 10 bytes');
  expect(endless.destroyed).toBe(true);
  expect(pulled).toBeLessThan(10);
});

test('what never ends is given up after its time', async () => {
  const silent = new PassThrough();
  await expect(readWithin(silent, { bytes: 1024 * 1024, ms: 20 })).rejects.toThrow('it takes longer than 0.02 s');
  expect(silent.destroyed).toBe(true);
});

test('a stream that breaks rejects with its own error', async () => {
  const broken = new PassThrough();
  broken.destroy(new Error('cut'));
  await expect(readWithin(broken, bound)).rejects.toThrow('cut');
});

async function linesOf(parts: string[], longest: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesWithin(Readable.from(parts.map((part) => Buffer.from(part))), longest))
    lines.push(line);
  return lines;
}

test('lines are whole, whatever parts they come in', async () => {
  expect(await linesOf(['a', 'b\nc\r\n', '\n', 'last'], 10)).toEqual(['ab', 'c', '', 'last']);
  expect(await linesOf([], 10)).toEqual([]);
});

test('a line without end is given up', async () => {
  await expect(linesOf(['ok\n', 'x'.repeat(6), 'x'.repeat(6)], 10)).rejects.toThrow('larger than 10 bytes');
});
