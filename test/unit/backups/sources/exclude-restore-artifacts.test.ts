import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pack, extract, type Header } from 'tar-stream';
import { ExcludeRestoreArtifacts } from '../../../../src/backups/sources/exclude-restore-artifacts';

const ASIDE = 'data/.diun-pilot-before-01habcdefg-01';

async function tarOf(entries: [Partial<Header> & { name: string }, Buffer?][]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, content ?? Buffer.alloc(0));
  tar.finalize();
  return buffer(tar);
}

async function filtered(tar: Buffer, chunk = 700): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(tar.length / chunk) }, (_, i) =>
    tar.subarray(i * chunk, (i + 1) * chunk),
  );
  const parts: Buffer[] = [];
  await pipeline(Readable.from(pieces), new ExcludeRestoreArtifacts(), async (content: AsyncIterable<Buffer>) => {
    for await (const part of content) parts.push(part);
  });
  return Buffer.concat(parts);
}

async function namesIn(tar: Buffer): Promise<string[]> {
  const names: string[] = [];
  const walker = extract();
  Readable.from([tar]).pipe(walker);
  for await (const entry of walker) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

test('leaves out what a restore has set aside, and nothing else', async () => {
  const long = `data/${'deep/'.repeat(60)}file`;
  const tar = await tarOf([
    [{ name: 'data/', type: 'directory' }],
    [{ name: `${ASIDE}/`, type: 'directory' }],
    [{ name: `${ASIDE}/old.txt` }, Buffer.alloc(5000, 'o')],
    [{ name: `${ASIDE}/${'very/'.repeat(60)}long` }, Buffer.from('old')],
    [{ name: 'data/ä.txt' }, Buffer.from('new')],
    [{ name: long }, Buffer.alloc(3000, 'n')],
    [{ name: 'data/.diun-pilot-notes' }, Buffer.from('mine')],
  ]);
  const kept = ['data/', 'data/ä.txt', long, 'data/.diun-pilot-notes'];
  for (const chunk of [1, 511, 512, 513, 1 << 20]) expect(await namesIn(await filtered(tar, chunk))).toEqual(kept);
});

test('passes every byte of a tar that holds nothing of the kind, also behind its end', async () => {
  const tar = Buffer.concat([
    await tarOf([[{ name: 'data/a' }, Buffer.alloc(1234, 'a')], [{ name: 'data/l', type: 'symlink', linkname: 'a' }]]),
    Buffer.alloc(7 * 512),
  ]);
  expect((await filtered(tar)).equals(tar)).toBe(true);
});

test('passes a cut one on as it is, for the next reader to tell', async () => {
  const tar = (await tarOf([[{ name: 'data/a' }, Buffer.alloc(9000, 'a')]])).subarray(0, 5000);
  expect((await filtered(tar)).equals(tar)).toBe(true);
});

test('the content of a file whose size only its extended header has (8 GiB and more) is not read as headers', async () => {
  const content = (await tarOf([[{ name: `${ASIDE}/old` }, Buffer.from('old')]])).subarray(0, 1024);
  const record = '13 size=1024\n';
  const extended = (await tarOf([[{ name: 'PaxHeaders.0/large' }, Buffer.from(record)]])).subarray(0, 1024);
  const header = (await tarOf([[{ name: 'data/large' }]])).subarray(0, 512);
  const asPax = Buffer.from(extended);
  asPax[156] = 'x'.charCodeAt(0);
  const tar = Buffer.concat([asPax, header, content, Buffer.alloc(1024)]);
  for (const chunk of [511, 512, 1 << 20]) expect((await filtered(tar, chunk)).equals(tar)).toBe(true);
});
