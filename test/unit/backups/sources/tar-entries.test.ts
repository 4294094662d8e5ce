import { randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { TarEntries } from '../../../../src/backups/sources/tar-entries';

async function aTar(files: Record<string, Buffer>): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'data', type: 'directory' });
  for (const [name, content] of Object.entries(files)) tar.entry({ name: `data/${name}` }, content);
  tar.finalize();
  return buffer(Readable.from(tar));
}

function inChunksOf(size: number, content: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(content.length / size) }, (_, at) =>
    content.subarray(at * size, at * size + size),
  );
}

async function walk(chunks: Iterable<Buffer>): Promise<{ entries: TarEntries; passed: Buffer }> {
  const entries = new TarEntries();
  const passed: Buffer[] = [];
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (passed.push(chunk), done()) });
  await pipeline(Readable.from(chunks), entries, sink);
  return { entries, passed: Buffer.concat(passed) };
}

const files = {
  empty: Buffer.alloc(0),
  small: Buffer.from('x'),
  large: randomBytes(3_000_000),
  last: Buffer.from('y'),
};

test.each([1024 * 1024, 65_536, 777])(
  'counts the entries and passes the bytes on unchanged, %i at a time',
  async (size) => {
    const tar = await aTar(files);
    const { entries, passed } = await walk(inChunksOf(size, tar));
    expect(entries.summary).toEqual({ entries: 5, root: 'directory', folders: new Map() });
    expect(passed.equals(tar)).toBe(true);
  },
);

test.each([
  ['inside a file', 2_000_000, 'data/large'],
  ['behind the header of a file', 512 * 5, 'data/large'],
  ['between two entries', 512 * 2, null],
  ['before its first entry', 0, null],
])('fails on a tar that is cut %s, and names the file', async (_where, at, inside) => {
  const tar = await aTar(files);
  const torn = { message: expect.stringContaining('the tar is cut: its end is missing') as string, inside };
  await expect(walk(inChunksOf(65_536, tar.subarray(0, at)))).rejects.toMatchObject(torn);
});

test('names the file also when the tar ends inside zeros of it, as a whole tar ends', async () => {
  const tar = await aTar({ zeros: Buffer.alloc(100_000) });
  const torn = { message: expect.stringContaining('the tar is cut') as string, inside: 'data/zeros' };
  await expect(walk([tar.subarray(0, 50_000)])).rejects.toMatchObject(torn);
});

test('fails on a tar that lost a block in its middle, though its end is there', async () => {
  const tar = await aTar(files);
  const holed = Buffer.concat([tar.subarray(0, 100_000), tar.subarray(100_512)]);
  await expect(walk(inChunksOf(65_536, holed))).rejects.toThrow();
});

test('fails on what is no tar', async () => {
  const noise = Buffer.concat([randomBytes(10_240), Buffer.alloc(1024)]);
  await expect(walk([noise])).rejects.toThrow(/tar/i);
});

test('a reader that gives up ends it', async () => {
  const entries = new TarEntries();
  const sink = new Writable({ write: (_chunk, _encoding, done) => done(new Error('full')) });
  await expect(pipeline(Readable.from([await aTar(files)]), entries, sink)).rejects.toThrow('full');
  expect(entries.destroyed).toBe(true);
});
